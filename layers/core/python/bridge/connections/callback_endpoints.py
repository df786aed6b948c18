"""The endpoint by which the webhook receiver knows a connection is kept equal to it."""

from __future__ import annotations

from contextlib import suppress

from bridge.domain.connection import Connection
from bridge.domain.errors import ConflictError
from bridge.ports import CallbackEndpointStore, ConnectionStore


class CallbackEndpoints:
    """Endpoints that are missing or behind are written anew here.

    Connections that an earlier release wrote last lack theirs, or have one that is behind.
    """

    def __init__(self, connections: ConnectionStore, endpoints: CallbackEndpointStore) -> None:
        self._connections = connections
        self._endpoints = endpoints

    def keep(self, connection: Connection) -> None:
        """Save the connection once more if the receiver knows it otherwise.

        Another save meanwhile does the same.
        """
        known = self._endpoints.get(connection.connection_id)
        if known == connection.callback_endpoint:
            return
        stored = self._connections.get(connection.connection_id)
        if stored.value is not None:
            with suppress(ConflictError):
                self._connections.save(stored.value, expected_version=stored.version)
