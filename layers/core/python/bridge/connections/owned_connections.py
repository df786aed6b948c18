"""A partner reaches its own connections here, and only those."""

from __future__ import annotations

from collections.abc import Callable

from bridge.domain.connection import Connection, ConnectionState
from bridge.domain.errors import NotFoundError, NotPossibleError
from bridge.domain.identity import is_platform_id
from bridge.ports import ConnectionStore, Stored, until_saved


class OwnedConnections:
    """Connections as one partner sees them: another partner's connection looks missing."""

    def __init__(self, connections: ConnectionStore) -> None:
        self._connections = connections

    def get(self, partner_id: str, connection_id: str) -> Connection:
        """Return the connection. Raises NotFoundError if it is missing or another partner's."""
        return self._read_owned(partner_id, connection_id)[0]

    def get_syncing(self, partner_id: str, connection_id: str) -> Connection:
        """Return a syncing connection. Raises NotFoundError, and NotPossibleError for any other."""
        connection = self.get(partner_id, connection_id)
        refuse_unless_syncing(connection)
        return connection

    def change(
        self, partner_id: str, connection_id: str, change: Callable[[Connection], Connection]
    ) -> Connection:
        """Apply a change to the connection as it is stored now, and return it as changed.

        ``change`` may run several times and may raise. Raises ConflictError when others kept
        writing in between.
        """
        return until_saved(
            read=lambda: self._read_owned(partner_id, connection_id),
            change=change,
            save=lambda changed, version: self._connections.save(changed, expected_version=version),
        )

    def _read_owned(self, partner_id: str, connection_id: str) -> tuple[Connection, int]:
        if not is_platform_id(connection_id):
            raise NotFoundError("no such connection")
        stored: Stored[Connection] = self._connections.get(connection_id)
        if stored.value is None or stored.value.partner_id != partner_id:
            raise NotFoundError("no such connection")
        return stored.value, stored.version


def refuse_unless_syncing(connection: Connection) -> None:
    """Raise NotPossibleError for a connection that is disconnected or still being set up."""
    if connection.is_syncing:
        return
    if connection.state is ConnectionState.DISCONNECTED:
        raise NotPossibleError("disconnected", "The connection is disconnected; connect it again.")
    raise NotPossibleError("connecting", "The connection is being set up; verify it or wait.")
