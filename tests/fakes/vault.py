"""Credentials in memory."""

from __future__ import annotations

from bridge.domain.connection import Credentials
from bridge.domain.errors import NotFoundError

CLIENT_ID = "00000000-0000-0000-0000-00000000c11d"


class InMemoryVault:
    def __init__(self, client_id: str = CLIENT_ID) -> None:
        self._client_id = client_id
        self._stored: dict[str, Credentials] = {}

    def put_credentials(self, connection_id: str, credentials: Credentials) -> None:
        self._stored[connection_id] = credentials

    def replace_credentials(self, connection_id: str, credentials: Credentials) -> None:
        if connection_id not in self._stored:
            raise NotFoundError("no credentials are stored")
        self._stored[connection_id] = credentials

    def get_credentials(self, connection_id: str, *, is_fresh: bool = False) -> Credentials:
        if connection_id not in self._stored:
            raise NotFoundError("no credentials are stored")
        return self._stored[connection_id]

    def delete_credentials(self, connection_id: str) -> None:
        self._stored.pop(connection_id, None)

    def get_client_id(self) -> str:
        return self._client_id
