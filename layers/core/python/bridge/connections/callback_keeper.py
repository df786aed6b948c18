"""An hourly job keeps callback registrations and claims of companies in order."""

from __future__ import annotations

import logging

from bridge.connections.callback_url import callback_url
from bridge.connections.callbacks import callbacks_broken, keep_member_beside_keys
from bridge.connections.company_check import CompanyCheck
from bridge.connections.health import CONNECTION_ERRORS, ConnectionHealth
from bridge.domain.connection import Connection
from bridge.domain.errors import BridgeError, OutOfTimeError
from bridge.ports import (
    Clock,
    ConnectionStore,
    ProblemStore,
    PsaGateway,
    SecretVault,
    syncing_connections,
)

MIN_SECONDS_FOR_CONNECTION = 30.0
_logger = logging.getLogger(__name__)


class CallbackKeeper:
    """The keeper restores every connection's callback registrations, and checks its company.

    ConnectWise disables a callback after three days of failed deliveries, and people delete
    unfamiliar ones (developer guide, callbacks).
    """

    def __init__(
        self,
        *,
        connections: ConnectionStore,
        gateway: PsaGateway,
        vault: SecretVault,
        problems: ProblemStore,
        health: ConnectionHealth,
        company_check: CompanyCheck,
        clock: Clock,
        webhook_base_url: str,
    ) -> None:
        self._connections = connections
        self._gateway = gateway
        self._vault = vault
        self._problems = problems
        self._health = health
        self._company_check = company_check
        self._clock = clock
        self._webhook_base_url = webhook_base_url

    def keep_all(self) -> int:
        """Restore registrations, and return the number of connections that have them in order.

        After one connection's failure the others go on. When time runs out, the connections left
        wait for the job's next start.
        """
        kept = 0
        for connection in syncing_connections(self._connections):
            try:
                if self._restore_or_report(connection):
                    kept += 1
                    self._check_company(connection)
            except OutOfTimeError:
                _logger.warning("no time for all callbacks", extra={"kept": kept})
                break
            except Exception:
                # The boundary of one connection: the others are independent of it.
                _logger.exception(
                    "callbacks failed", extra={"connection_id": connection.connection_id}
                )
        return kept

    def _check_company(self, connection: Connection) -> None:
        """Check the connection's claim; after a failure the next start checks it again."""
        credentials = self._vault.get_credentials(connection.connection_id)
        psa = self._gateway.open(connection)
        try:
            self._company_check.check(connection, credentials.public_key, psa)
        except BridgeError as error:
            if self._is_out_of_time(error):
                raise
            _logger.warning(
                "company not checked",
                extra={"connection_id": connection.connection_id, "error": type(error).__name__},
            )

    def _is_out_of_time(self, error: BridgeError) -> bool:
        is_job_out_of_time = self._clock.remaining_seconds() < MIN_SECONDS_FOR_CONNECTION
        return is_job_out_of_time and isinstance(error, OutOfTimeError)

    def _restore_or_report(self, connection: Connection) -> bool:
        """Restore the registrations and return True, or open a problem and return False.

        Raises OutOfTimeError when the job's own time is used up.
        """
        broken = callbacks_broken(connection)
        try:
            self._restore(connection)
        except CONNECTION_ERRORS as error:
            self._health.report_failure(connection, error)
            return False
        except BridgeError as error:
            if self._is_out_of_time(error):
                raise
            _logger.warning(
                "callbacks not kept",
                extra={"connection_id": connection.connection_id, "error": type(error).__name__},
            )
            self._problems.report(broken, self._clock.now())
            return False
        self._problems.resolve(connection.partner_id, broken.problem_id, self._clock.now())
        return True

    def _restore(self, connection: Connection) -> None:
        credentials = self._vault.get_credentials(connection.connection_id)
        secret = credentials.callback_secret
        if secret:
            url = callback_url(self._webhook_base_url, connection.connection_id, secret)
            member = self._gateway.open(connection).ensure_callbacks(url)
            keep_member_beside_keys(self._vault, connection.connection_id, credentials, member)
            self._health.remember_member(connection, member)
            self._health.keys_were_accepted(connection)
