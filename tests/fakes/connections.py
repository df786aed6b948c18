"""Connections in memory."""

from __future__ import annotations

import threading

from bridge.domain.callback_endpoint import CallbackEndpoint
from bridge.domain.connection import Connection
from bridge.domain.errors import ConflictError
from bridge.ports import ConnectionStore, Page, Stored, SyncingConnection
from bridge.store.cursors import Position
from tests.fakes.pages import cut_page

PAGE_SIZE = 100
SYNCING_PAGE_SIZE = 1000


class InMemoryCallbackEndpoints:
    """What the receiver sees of the connections in memory."""

    def __init__(self, connections: ConnectionStore) -> None:
        self._connections = connections

    def get(self, connection_id: str) -> CallbackEndpoint | None:
        connection = self._connections.get(connection_id).value
        return connection.callback_endpoint if connection else None


class InMemoryConnectionStore:
    def __init__(self) -> None:
        self._stored: dict[str, Stored[Connection]] = {}
        self._lock = threading.Lock()

    def get(self, connection_id: str) -> Stored[Connection]:
        return self._stored.get(connection_id, Stored(None, 0))

    def list_of_partner(self, partner_id: str) -> tuple[Connection, ...]:
        mine = [c for c in self._all() if c.partner_id == partner_id]
        return tuple(sorted(mine, key=lambda c: (c.created_at, c.connection_id)))[:PAGE_SIZE]

    def list_syncing(self, cursor: str | None = None) -> Page[SyncingConnection]:
        syncing = [
            (Position(0, c.connection_id), SyncingConnection(c.connection_id, c.partner_id))
            for c in self._all()
            if c.is_syncing
        ]
        return cut_page(syncing, "syncing", limit=SYNCING_PAGE_SIZE, cursor=cursor)

    def save(self, connection: Connection, *, expected_version: int) -> int:
        with self._lock:
            if self.get(connection.connection_id).version != expected_version:
                raise ConflictError("the stored connection moved on")
            self._stored[connection.connection_id] = Stored(connection, expected_version + 1)
        return expected_version + 1

    def _all(self) -> list[Connection]:
        return [stored.value for stored in self._stored.values() if stored.value]
