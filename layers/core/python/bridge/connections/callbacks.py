"""A connection's callbacks are registered here, with a secret in their URL."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import replace

from bridge.connections.callback_url import callback_url
from bridge.connections.health import CONNECTION_SUBJECT
from bridge.connections.owned_connections import OwnedConnections
from bridge.domain.connection import CallbackSecret, Connection
from bridge.domain.errors import (
    BridgeError,
)
from bridge.domain.problem import ProblemCode, ProblemReport
from bridge.ports import Clock, ProblemStore, Psa, SecretVault

CALLBACK_SECRET_BYTES = 32


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


class CallbackRegistrations:
    """Callbacks are registered here, and the secret in their URL is changed."""

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

        A failure opens a problem and returns "": the scheduled comparisons keep the mirror true
        meanwhile, and the reconciler registers again.
        """
        broken = callbacks_broken(connection)
        try:
            member = psa.ensure_callbacks(self._url(connection, secret))
        except BridgeError:
            self._problems.report(broken, self._clock.now())
            return ""
        self._problems.resolve(connection.partner_id, broken.problem_id, self._clock.now())
        return member

    def rotate(self, connection: Connection, psa: Psa) -> Connection:
        """Put a new secret into the callback URL; the registered one stays valid beside it.

        Order: both hashes are stored, then the new secret, then ConnectWise is told. After a
        crash at any step ConnectWise calls a URL whose hash is stored, and the reconciler
        registers the stored secret. Raises the errors of ConnectWise and the stores.
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
