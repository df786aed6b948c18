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
        """Return the credentials, which may be an hour old unless ``is_fresh``: all of them are of
        one moment, the member included."""
        ...

    def delete_credentials(self, connection_id: str) -> None: ...

    def get_client_id(self) -> str:
        """Return the bridge's own ConnectWise client id."""
        ...


class SigningKeyStore(Protocol):
    """Signing keys are kept for at most an hour. A key is a secret and may not be logged, and
    neither may its URL."""

    def get(self, connection_id: str, key_url: str) -> str | None: ...

    def put(self, connection_id: str, key_url: str, key: str) -> None: ...

    def want(self, connection_id: str, key_url: str) -> str | None:
        """Note that a worker is to fetch the key, and return the digest that stands for its URL.

        Return None where the same was noted within the last minute.
        """
        ...

    def wanted_url(self, connection_id: str, key_digest: str) -> str | None:
        """Return the URL of a key that was noted within the last quarter of an hour."""
        ...
