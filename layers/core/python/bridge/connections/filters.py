"""A connection's import filters are saved here."""

from __future__ import annotations

from dataclasses import replace

from bridge.connections.owned_connections import OwnedConnections, refuse_unless_syncing
from bridge.domain.connection import Connection
from bridge.domain.filters import ImportFilters
from bridge.domain.run import Run
from bridge.runs.control import RunControl


class FilterPreferences:
    """The filters of a partner's connection are saved here, and an import follows."""

    def __init__(self, owned: OwnedConnections, run_control: RunControl) -> None:
        self._owned = owned
        self._run_control = run_control

    def apply(
        self, partner_id: str, connection_id: str, filters: ImportFilters
    ) -> tuple[Connection, Run]:
        """Save the filters and start an import, so that newly accepted records arrive.

        Mirrored records outside them stay until archived (connection guide, note on filters).
        Saving the same filters again starts the import again.
        """

        def changed(stored: Connection) -> Connection:
            refuse_unless_syncing(stored)
            return replace(stored, filters=filters)

        connection = self._owned.change(partner_id, connection_id, changed)
        return connection, self._run_control.restart_import(connection)
