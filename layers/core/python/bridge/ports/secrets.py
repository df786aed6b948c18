"""The vault of a connection's keys, and the cache of callback signing keys."""

from __future__ import annotations

from typing import Protocol

from bridge.domain.connection import Credentials


class SecretVault(Protocol):
    def put_credentials(self, connection_id: str, credentials: Credentials) -> None: ...

    def get_credentials(self, connection_id: str, *, is_fresh: bool = False) -> Credentials:
        """Return them from the short-lived cache, or freshly when ``is_fresh``."""
        ...

    def delete_credentials(self, connection_id: str) -> None: ...

    def get_client_id(self) -> str:
        """Return the bridge's own ConnectWise client id."""
        ...


class SigningKeyStore(Protocol):
    """Callback signing keys, kept for at most an hour. A key is a secret: it is never logged."""

    def get(self, connection_id: str, key_url: str) -> str | None: ...

    def put(self, connection_id: str, key_url: str, key: str) -> None: ...
