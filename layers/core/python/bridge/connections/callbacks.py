"""A connection's callbacks are registered here, with a secret in their URL."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import replace
from datetime import timedelta

from bridge.connections.callback_url import callback_url, callback_url_prefix
from bridge.connections.company_claims import CompanyClaims
from bridge.connections.owned_connections import OwnedConnections
from bridge.domain.connection import CallbackSecret, Connection, Credentials
from bridge.domain.errors import BridgeError
from bridge.domain.problem import CONNECTION_SUBJECT, ProblemCode, ProblemReport
from bridge.ports import Clock, ProblemStore, Psa, SecretVault

CALLBACK_SECRET_BYTES = 32
PREVIOUS_SECRET_LIFE = timedelta(hours=24)
"""Deliveries that ConnectWise repeats bear the URL of their day, and it repeats for a day."""


def new_callback_secret() -> str:
    """Return a fresh random secret for the callback URL (256 bits, URL-safe)."""
    return secrets.token_urlsafe(CALLBACK_SECRET_BYTES)


def sha256_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def callbacks_broken(connection: Connection) -> ProblemReport:
    """Return the report that a connection's callbacks are out of order."""
    return connection.report(
        ProblemCode.CALLBACKS_BROKEN,
        CONNECTION_SUBJECT,
        "The callbacks could not be registered; changes arrive with the next comparison.",
    )


def keep_member_beside_keys(
    vault: SecretVault, connection_id: str, credentials: Credentials, member: str
) -> None:
    """Keep the member that these keys were seen to belong to beside them.

    Keys that were replaced meanwhile stay as they are. Raises the errors of the vault.
    """
    if not member or credentials.member_identifier == member:
        return
    stored = vault.get_credentials(connection_id, is_fresh=True)
    is_same_pair = stored.public_key == credentials.public_key
    if is_same_pair and stored.member_identifier != member:
        vault.replace_credentials(connection_id, replace(stored, member_identifier=member))


class CallbackRegistrations:
    """Callbacks are registered here, and the secret in their URL is changed."""

    def __init__(
        self,
        *,
        owned: OwnedConnections,
        claims: CompanyClaims,
        vault: SecretVault,
        problems: ProblemStore,
        clock: Clock,
        webhook_base_url: str,
    ) -> None:
        self._owned = owned
        self._claims = claims
        self._vault = vault
        self._problems = problems
        self._clock = clock
        self._webhook_base_url = webhook_base_url

    def register(self, connection: Connection, psa: Psa, credentials: Credentials) -> str:
        """Register the URL with the secret, and return the API member that the keys belong to.

        The member is kept beside the keys.

        A failure opens a problem and returns "": the scheduled comparisons keep the mirror true
        meanwhile, and the reconciler registers again.
        """
        broken = callbacks_broken(connection)
        try:
            member = psa.ensure_callbacks(self._url(connection, credentials.callback_secret))
            keep_member_beside_keys(self._vault, connection.connection_id, credentials, member)
        except BridgeError:
            self._problems.report(broken, self._clock.now())
            return ""
        self._problems.resolve(connection.partner_id, broken.problem_id, self._clock.now())
        return member

    def remove(self, connection: Connection, psa: Psa) -> None:
        """Remove the connection's registrations.

        A registration names the member who made it. So one that is made anew tells the owner of
        the present keys. Raises the errors of ConnectWise.
        """
        psa.remove_callbacks(callback_url_prefix(self._webhook_base_url, connection.connection_id))

    def rotate(self, connection: Connection, psa: Psa) -> Connection:
        """Put a new secret into the callback URL; the registered one stays valid for a day.

        Order: both hashes are stored and lead to the company, then the new secret is stored, then
        ConnectWise is told, and only then the earlier secret gets its end. After a crash at any
        step ConnectWise calls a URL whose hash is stored, and the reconciler registers the stored
        secret. Raises the errors of ConnectWise and the stores.
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
        self._claims.prove_secret(changed)
        self._vault.put_credentials(
            connection.connection_id, replace(credentials, callback_secret=secret)
        )
        psa.ensure_callbacks(self._url(connection, secret))
        return self._end_previous(connection, live)

    def _end_previous(self, connection: Connection, live: CallbackSecret) -> Connection:
        """End the secret before this one in a day, unless it was changed once more meanwhile."""
        ending = replace(live, previous_ends_at=self._clock.now() + PREVIOUS_SECRET_LIFE)
        return self._owned.change(
            connection.partner_id,
            connection.connection_id,
            lambda stored: (
                replace(stored, callback_secret=ending)
                if stored.callback_secret == live
                else stored
            ),
        )

    def _url(self, connection: Connection, secret: str) -> str:
        return callback_url(self._webhook_base_url, connection.connection_id, secret)
