"""A vault keeps the keys of connections, and a store keeps callback signing keys for a while."""

from __future__ import annotations

from typing import Protocol

from bridge.domain.connection import Credentials


class SecretVault(Protocol):
    def put_credentials(self, connection_id: str, credentials: Credentials) -> None: ...

    def replace_credentials(self, connection_id: str, credentials: Credentials) -> None:
        """Put credentials in the place of stored ones. Raises NotFoundError where none are."""
        ...

    def get_credentials(self, connection_id: str, *, is_fresh: bool = False) -> Credentials:
        """Return the credentials from the short-lived cache, or freshly when ``is_fresh``."""
        ...

    def delete_credentials(self, connection_id: str) -> None: ...

    def get_client_id(self) -> str:
        """Return the bridge's own ConnectWise client id."""
        ...


class SigningKeyStore(Protocol):
    """Signing keys are kept for at most an hour. A key is a secret and may not be logged."""

    def get(self, connection_id: str, key_url: str) -> str | None: ...

    def put(self, connection_id: str, key_url: str, key: str) -> None: ...
