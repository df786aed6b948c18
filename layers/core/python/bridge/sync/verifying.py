"""Find out whether ConnectWise lets a connection do its work, and say what is missing."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from bridge.domain.connection import CallbackSecret, Connection, ConnectionState, Credentials
from bridge.domain.errors import (
    BridgeError,
    CredentialsRejectedError,
    PermissionMissingError,
    WrongCompanyError,
)
from bridge.domain.permissions import Right, RightFinding, missing
from bridge.domain.problem import ProblemCode, Trouble
from bridge.ports import Clock, ConnectionStore, ProblemStore, Psa, PsaGateway, SecretVault
from bridge.sync.callback_url import callback_url
from bridge.sync.health import CONNECTION_SUBJECT, ConnectionHealth
from bridge.sync.owned_connections import OwnedConnections
from bridge.sync.run_control import RunControl

CALLBACK_SECRET_BYTES = 32


class Outcome(StrEnum):
    """How ConnectWise answered to the credentials."""

    ACCEPTED = "accepted"
    CREDENTIALS_REJECTED = "credentials_rejected"
    WRONG_COMPANY = "wrong_company"


@dataclass(frozen=True, slots=True)
class Verification:
    """``findings`` are empty unless the credentials were accepted."""

    connection: Connection
    outcome: Outcome
    findings: tuple[RightFinding, ...] = ()
    callbacks_are_registered: bool = False


def prove_rights(psa: Psa) -> tuple[RightFinding, ...]:
    """Return what each right's probe found.

    Raises CredentialsRejectedError, WrongCompanyError, or PermissionMissingError with the rights
    that are proven to be missing. Nothing is written anywhere.
    """
    psa.read_system_info()
    findings = psa.check_rights()
    lacking = missing(findings)
    if lacking:
        raise PermissionMissingError(
            "the API member's security role lacks rights",
            rights=tuple(str(right) for right in lacking),
        )
    return findings


def settle_rights(
    problems: ProblemStore, clock: Clock, connection: Connection, lacking: Sequence[Right]
) -> None:
    """After keys were accepted: open a problem for each right that is missing, and close what was
    said about keys and rights and is not true any more."""
    now = clock.now()
    still_open: set[str] = set()
    for right in lacking:
        trouble = Trouble(
            connection.partner_id,
            connection.connection_id,
            ProblemCode.RIGHT_MISSING,
            right_subject(right),
            f"The API member's security role lacks {right}.",
        )
        problems.report(trouble, now)
        still_open.add(trouble.problem_id)
    settled = (ProblemCode.RIGHT_MISSING, ProblemCode.CREDENTIALS_REJECTED)
    known = problems.open_of_connection(connection.partner_id, connection.connection_id)
    for problem_id, problem in known.items():
        if problem.code in settled and problem_id not in still_open:
            problems.resolve(connection.partner_id, problem_id, now)


def right_subject(right: Right) -> str:
    """Return the subject of the problem that one right is missing."""
    return f"right/{right}"


def new_callback_secret() -> str:
    """Return a fresh random secret for the callback URL (256 bits, URL-safe)."""
    return secrets.token_urlsafe(CALLBACK_SECRET_BYTES)


def sha256_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


class Callbacks:
    """Registers a connection's callbacks and changes the secret in their URL."""

    def __init__(
        self,
        owned: OwnedConnections,
        vault: SecretVault,
        problems: ProblemStore,
        clock: Clock,
        webhook_base_url: str,
    ) -> None:
        self._owned = owned
        self._vault = vault
        self._problems = problems
        self._clock = clock
        self._webhook_base_url = webhook_base_url

    def register(self, connection: Connection, psa: Psa, secret: str) -> str:
        """Register the URL with this secret and return our API member's identifier.

        Failing is a problem that a person sees, not an error: the scheduled comparisons keep the
        mirror true meanwhile, and the reconciler registers again. Returns "" then.
        """
        trouble = Trouble(
            connection.partner_id,
            connection.connection_id,
            ProblemCode.CALLBACKS_BROKEN,
            CONNECTION_SUBJECT,
            "The callbacks could not be registered; changes arrive with the next comparison.",
        )
        try:
            member = psa.ensure_callbacks(self._url(connection, secret))
        except BridgeError:
            self._problems.report(trouble, self._clock.now())
            return ""
        self._problems.resolve(connection.partner_id, trouble.problem_id, self._clock.now())
        return member

    def rotate(self, connection: Connection, psa: Psa) -> Connection:
        """Put a new secret into the callback URL; the registered one stays valid beside it.

        Order: both hashes are stored, then the new secret, then ConnectWise is told. Whatever
        step it breaks off at, the URL that ConnectWise calls is one whose hash is stored, and the
        reconciler registers the secret that is kept. Raises what ConnectWise and the stores raise.
        """
        credentials = self._vault.get_credentials(connection.connection_id, is_fresh=True)
        secret = new_callback_secret()
        known = credentials.callback_secret
        live = CallbackSecret(sha256_of(secret), sha256_of(known) if known else None)
        changed = self._owned.change(
            connection.partner_id,
            connection.connection_id,
            lambda stored: replace(stored, callback_secret=live),
        )
        self._vault.put_credentials(
            connection.connection_id, replace(credentials, callback_secret=secret)
        )
        psa.ensure_callbacks(self._url(connection, secret))
        return changed

    def _url(self, connection: Connection, secret: str) -> str:
        return callback_url(self._webhook_base_url, connection.connection_id, secret)


class Verifier:
    """Verifies connections that are set up already."""

    def __init__(
        self,
        *,
        connections: ConnectionStore,
        gateway: PsaGateway,
        vault: SecretVault,
        problems: ProblemStore,
        health: ConnectionHealth,
        clock: Clock,
        callbacks: Callbacks,
        run_control: RunControl,
    ) -> None:
        self._owned = OwnedConnections(connections)
        self._gateway = gateway
        self._vault = vault
        self._problems = problems
        self._health = health
        self._clock = clock
        self._callbacks = callbacks
        self._run_control = run_control

    def verify(self, connection: Connection) -> Verification:
        """Ask ConnectWise afresh; problems open and resolve and the state follows.

        The callbacks are registered again, and an import that the connection still waits for is
        started unless it is going on. A refusal is a finding, not an error. Raises
        RetryableError when ConnectWise is out of reach; nothing changes then.
        """
        psa = self._gateway.open(connection)
        try:
            psa.read_system_info()
            findings = psa.check_rights()
        except (CredentialsRejectedError, WrongCompanyError) as error:
            self._health.report_failure(connection, error)
            return Verification(self._reread(connection), _outcome(error))
        settle_rights(self._problems, self._clock, connection, missing(findings))
        member = self._register(connection, psa)
        changed = self._move(connection, has_all_rights=not missing(findings), member=member)
        if changed.state is ConnectionState.IMPORTING:
            self._run_control.ensure_import(changed)
        return Verification(changed, Outcome.ACCEPTED, findings, bool(member))

    def change_keys(
        self, connection: Connection, *, public_key: str, private_key: str
    ) -> Verification:
        """Replace the key pair by one that works at least as well, and verify.

        Raises what :func:`prove_rights` raises for the new keys; the old ones stay then.
        """
        tried = Credentials(connection.company_id, public_key, private_key)
        prove_rights(self._gateway.try_out(connection, tried))
        known = self._vault.get_credentials(connection.connection_id, is_fresh=True)
        self._vault.put_credentials(
            connection.connection_id, replace(tried, callback_secret=known.callback_secret)
        )
        return self.verify(connection)

    def rotate_callback_secret(self, connection: Connection) -> Connection:
        """See :meth:`Callbacks.rotate`."""
        return self._callbacks.rotate(connection, self._gateway.open(connection))

    def _register(self, connection: Connection, psa: Psa) -> str:
        secret = self._vault.get_credentials(connection.connection_id, is_fresh=True)
        return self._callbacks.register(connection, psa, secret.callback_secret)

    def _move(self, connection: Connection, *, has_all_rights: bool, member: str) -> Connection:
        def moved(stored: Connection) -> Connection:
            state = stored.state
            if state is ConnectionState.DEGRADED and has_all_rights:
                state = ConnectionState.ACTIVE
            if state is ConnectionState.ACTIVE and not has_all_rights:
                state = ConnectionState.DEGRADED
            return replace(
                stored, state=state, member_identifier=member or stored.member_identifier
            )

        return self._owned.change(connection.partner_id, connection.connection_id, moved)

    def _reread(self, connection: Connection) -> Connection:
        return self._owned.get(connection.partner_id, connection.connection_id)


def _outcome(error: CredentialsRejectedError | WrongCompanyError) -> Outcome:
    if isinstance(error, WrongCompanyError):
        return Outcome.WRONG_COMPANY
    return Outcome.CREDENTIALS_REJECTED
