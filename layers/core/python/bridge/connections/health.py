"""Failures of a whole connection change its state and open its problems here."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from bridge.domain.connection import Connection, ConnectionState, PsaAddress
from bridge.domain.errors import (
    ConflictError,
    CredentialsRejectedError,
    PermanentError,
    PermissionMissingError,
    RetryableError,
    WrongCompanyError,
)
from bridge.domain.problem import (
    CONNECTION_SUBJECT,
    PDFS_SUBJECT,
    ProblemCode,
    ProblemReport,
)
from bridge.ports import Clock, ConnectionStore, ProblemStore, Psa, until_saved

RIGHT_PREFIX = "right/"
"""The subject of a problem with a missing right begins with it, and ends with the right."""

_logger = logging.getLogger(__name__)

# Failures of the whole connection: every call of it will meet them until a person acts.
CONNECTION_ERRORS = (CredentialsRejectedError, PermissionMissingError, WrongCompanyError)

_PROBLEMS_BY_ERROR: dict[type[PermanentError], tuple[ProblemCode, str]] = {
    CredentialsRejectedError: (
        ProblemCode.CREDENTIALS_REJECTED,
        "ConnectWise does not accept the company id and keys of this connection.",
    ),
    WrongCompanyError: (
        ProblemCode.CREDENTIALS_REJECTED,
        "ConnectWise does not know this connection's company at its address any more.",
    ),
    PermissionMissingError: (
        ProblemCode.RIGHT_MISSING,
        "The API member's security role lacks a right that the sync needs.",
    ),
}


_OUTAGE = (
    "ConnectWise has not answered for hours. What changed is read once it answers. "
    "Look whether its server and its firewall let us in."
)


class ConnectionHealth:
    """A connection that ConnectWise turns away is degraded here, and a problem tells why."""

    def __init__(self, connections: ConnectionStore, problems: ProblemStore, clock: Clock) -> None:
        self._connections = connections
        self._problems = problems
        self._clock = clock

    def report_failure(self, connection: Connection, error: PermanentError) -> None:
        """Open the problem, one for each missing right, and mark an active connection as degraded.

        Verifying it again resolves both, and so does :meth:`keys_were_accepted` unless a right
        is missing.
        """
        for report in _reports(connection, error):
            self._problems.report(report, self._clock.now())
        self._move_state(connection.connection_id, ConnectionState.ACTIVE, ConnectionState.DEGRADED)

    def confirm_outage(self, connection: Connection, psa: Psa) -> bool:
        """Tell whether ConnectWise answers nothing at all, and open the one problem of it then.

        :meth:`outage_ended` resolves it, and so does the next good reading.
        """
        try:
            psa.read_system_info()
        except CONNECTION_ERRORS as error:
            self.report_failure(connection, error)
        except RetryableError:
            report = connection.report(
                ProblemCode.CONNECTWISE_UNREACHABLE, CONNECTION_SUBJECT, _OUTAGE
            )
            self._problems.report(report, self._clock.now())
        else:
            return False
        return True

    def outage_ended(self, connection: Connection) -> None:
        """Resolve the problems of an outage: ConnectWise answers again."""
        for subject in (CONNECTION_SUBJECT, PDFS_SUBJECT):
            report = connection.report(ProblemCode.CONNECTWISE_UNREACHABLE, subject)
            self._problems.resolve(connection.partner_id, report.problem_id, self._clock.now())

    def keys_were_accepted(self, connection: Connection) -> None:
        """Close the problem of rejected keys, and mark the connection as active again.

        It stays degraded while a right is missing: only verifying checks the rights.
        """
        if connection.state is not ConnectionState.DEGRADED:
            return
        scope = (connection.partner_id, connection.connection_id)
        rejected = connection.report(ProblemCode.CREDENTIALS_REJECTED, CONNECTION_SUBJECT)
        self._problems.resolve(connection.partner_id, rejected.problem_id, self._clock.now())
        problems = self._problems.open_of_connection(*scope).values()
        if not any(problem.code is ProblemCode.RIGHT_MISSING for problem in problems):
            self._move_state(
                connection.connection_id, ConnectionState.DEGRADED, ConnectionState.ACTIVE
            )

    def remember_address(self, connection: Connection, address: PsaAddress) -> None:
        """Store ConnectWise's address after an upgrade moved it.

        If another change wins the race, the next worker discovers the address again.
        """
        self._try_to_save(
            connection,
            lambda known: replace(known, address=address, information_missed_at=None),
        )

    def remember_information_missed(self, connection: Connection) -> None:
        """Store that ConnectWise lacks the call for a whole invoice.

        If another change wins the race, the next worker misses it again.
        """
        now = self._clock.now()
        self._try_to_save(connection, lambda known: known.with_information_missed(now))

    def remember_member(self, connection: Connection, member: str) -> None:
        """Store our API member's identifier, which writing payments requires.

        If another change wins the race, the next round finds it again.
        """
        if member:
            self._try_to_save(connection, lambda known: known.with_member(member))

    def remember_clock(self, connection: Connection, ahead: timedelta) -> None:
        """Store how far ConnectWise's clock is off, which every worker of a run may see."""
        if connection.with_clock_ahead(int(ahead.total_seconds())) != connection:
            self._try_to_save(
                connection, lambda known: known.with_clock_ahead(int(ahead.total_seconds()))
            )

    def import_finished(self, connection_id: str) -> None:
        self._move_state(connection_id, ConnectionState.IMPORTING, ConnectionState.ACTIVE)

    def _try_to_save(
        self, connection: Connection, change: Callable[[Connection], Connection]
    ) -> None:
        stored = self._connections.get(connection.connection_id)
        if stored.value is None or change(stored.value) == stored.value:
            return
        try:
            self._connections.save(change(stored.value), expected_version=stored.version)
        except ConflictError:
            _logger.info("not kept", extra={"connection_id": connection.connection_id})

    def _move_state(
        self, connection_id: str, before: ConnectionState, after: ConnectionState
    ) -> None:
        """Change the state if it is still ``before``; another change of state wins over ours.

        Raises ConflictError when others kept writing the connection in between.
        """

        def read() -> tuple[Connection | None, int]:
            stored = self._connections.get(connection_id)
            return stored.value, stored.version

        def moved(known: Connection | None) -> Connection | None:
            return known.moved_to(after) if known and known.state is before else known

        def save(known: Connection | None, version: int) -> None:
            if known:
                self._connections.save(known, expected_version=version)

        until_saved(read, moved, save)


def _reports(connection: Connection, error: PermanentError) -> list[ProblemReport]:
    code, detail = _PROBLEMS_BY_ERROR[type(error)]
    if isinstance(error, PermissionMissingError) and error.rights:
        return [report_of_right(connection, right) for right in error.rights]
    return [connection.report(code, CONNECTION_SUBJECT, detail)]


def report_of_right(connection: Connection, right: str) -> ProblemReport:
    """Return the report that the API member's security role lacks a right.

    The right is named by module, row and column, as :class:`Right` writes itself.
    """
    return connection.report(
        ProblemCode.RIGHT_MISSING,
        f"{RIGHT_PREFIX}{right}",
        f"The API member's security role lacks {right}.",
    )
