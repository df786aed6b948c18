"""A connection is verified here: its keys and rights are proven, its callbacks registered."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from enum import StrEnum

from bridge.connections.callbacks import CallbackRegistrations
from bridge.connections.company_check import CompanyCheck
from bridge.connections.company_claims import CompanyClaims
from bridge.connections.health import ConnectionHealth
from bridge.connections.owned_connections import OwnedConnections
from bridge.connections.restrictions import read_restrictions, show_restrictions
from bridge.connections.rights import prove_rights, settle_rights
from bridge.domain.connection import Connection, ConnectionState, Credentials
from bridge.domain.errors import BridgeError, CredentialsRejectedError, WrongCompanyError
from bridge.domain.permissions import RightFinding, missing
from bridge.ports import Clock, ProblemStore, Psa, PsaGateway, SecretVault
from bridge.runs.control import RunControl

_logger = logging.getLogger(__name__)


class Outcome(StrEnum):
    """ConnectWise's answer to the credentials."""

    ACCEPTED = "accepted"
    CREDENTIALS_REJECTED = "credentials_rejected"
    WRONG_COMPANY = "wrong_company"


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of verifying a connection."""

    connection: Connection
    outcome: Outcome
    findings: tuple[RightFinding, ...] = ()
    """The findings about rights; empty unless the credentials were accepted."""
    callbacks_are_registered: bool = False


class Verifier:
    """The verifier checks connections that are set up already."""

    def __init__(
        self,
        *,
        owned: OwnedConnections,
        gateway: PsaGateway,
        vault: SecretVault,
        problems: ProblemStore,
        health: ConnectionHealth,
        clock: Clock,
        callbacks: CallbackRegistrations,
        claims: CompanyClaims,
        company_check: CompanyCheck,
        run_control: RunControl,
    ) -> None:
        self._owned = owned
        self._gateway = gateway
        self._vault = vault
        self._problems = problems
        self._health = health
        self._clock = clock
        self._callbacks = callbacks
        self._claims = claims
        self._company_check = company_check
        self._run_control = run_control

    def verify(self, connection: Connection) -> Verification:
        """Ask ConnectWise afresh, and update the connection's problems and state.

        The callbacks are registered again, the claim of the company is checked, and an import that
        the connection still waits for is started unless it is going on. A refusal is returned as
        the outcome. Raises RetryableError when ConnectWise is out of reach; everything stays as it
        was then.
        """
        psa = self._gateway.open(connection)
        try:
            psa.read_system_info()
            findings = psa.check_rights()
        except (CredentialsRejectedError, WrongCompanyError) as error:
            self._health.report_failure(connection, error)
            return Verification(self._reread(connection), _outcome(error))
        self._health.outage_ended(connection)
        settle_rights(self._problems, self._clock, connection, missing(findings))
        credentials = self._vault.get_credentials(connection.connection_id, is_fresh=True)
        member = self._callbacks.register(connection, psa, credentials)
        self._update_state(connection, has_all_rights=not missing(findings), member=member)
        self._show_restrictions(connection, psa, member)
        changed = self._check_company(connection, credentials.public_key, psa)
        if changed.state is ConnectionState.IMPORTING:
            self._run_control.ensure_import(changed)
        return Verification(changed, Outcome.ACCEPTED, findings, bool(member))

    def change_keys(
        self, connection: Connection, *, public_key: str, private_key: str
    ) -> Verification:
        """Replace the key pair by one that proves every right, and verify.

        The new pair may belong to another API member, who is learnt from callbacks that it
        registers anew. Payments wait until then.

        Raises the errors of :func:`prove_rights` for the new keys, and those of
        :meth:`CompanyClaims.claim`; the old ones stay then.
        """
        tried = Credentials(connection.company_id, public_key, private_key)
        psa = self._gateway.try_out(connection, tried)
        prove_rights(psa)
        claimed = self._claims.claim(connection, public_key, psa, known=connection)
        self._callbacks.remove(connection, psa)
        self._owned.change(
            connection.partner_id,
            connection.connection_id,
            lambda stored: replace(
                stored.with_member(""), company_key=stored.company_key or claimed.company_key
            ),
        )
        known = self._vault.get_credentials(connection.connection_id, is_fresh=True)
        self._vault.put_credentials(
            connection.connection_id, replace(tried, callback_secret=known.callback_secret)
        )
        return self.verify(connection)

    def rotate_callback_secret(self, connection: Connection) -> Connection:
        """Put a new secret into the callback URL, as :meth:`CallbackRegistrations.rotate` does."""
        return self._callbacks.rotate(connection, self._gateway.open(connection))

    def _check_company(self, connection: Connection, public_key: str, psa: Psa) -> Connection:
        """Check the claim of the company; where that fails, the reconciler checks it again."""
        try:
            return self._company_check.check(connection, public_key, psa)
        except BridgeError as error:
            _logger.warning("company not checked: %s", type(error).__name__)
            return self._reread(connection)

    def _update_state(self, connection: Connection, *, has_all_rights: bool, member: str) -> None:
        def updated(stored: Connection) -> Connection:
            state = stored.state
            if state is ConnectionState.DEGRADED and has_all_rights:
                state = ConnectionState.ACTIVE
            if state is ConnectionState.ACTIVE and not has_all_rights:
                state = ConnectionState.DEGRADED
            moved = replace(stored.moved_to(state), information_missed_at=None)
            return moved.with_member(member) if member else moved

        self._owned.change(connection.partner_id, connection.connection_id, updated)

    def _show_restrictions(self, connection: Connection, psa: Psa, member: str) -> None:
        known = self._reread(connection)
        found = read_restrictions(psa, member or known.member_identifier, known.restrictions)
        shown = self._owned.change(
            connection.partner_id,
            connection.connection_id,
            lambda stored: replace(stored, restrictions=found),
        )
        show_restrictions(self._problems, self._clock, shown)

    def _reread(self, connection: Connection) -> Connection:
        return self._owned.get(connection.partner_id, connection.connection_id)


def _outcome(error: CredentialsRejectedError | WrongCompanyError) -> Outcome:
    if isinstance(error, WrongCompanyError):
        return Outcome.WRONG_COMPANY
    return Outcome.CREDENTIALS_REJECTED
