"""A connection's import filters are saved here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bridge.connections.filter_check import FilterCheck
from bridge.connections.owned_connections import OwnedConnections, refuse_unless_syncing
from bridge.domain.connection import Connection
from bridge.domain.filters import ImportFilters
from bridge.domain.run import Run
from bridge.ports import PsaGateway
from bridge.runs.control import RunControl


class FilterPreferences:
    """The filters of a partner's connection are saved here, and an import follows."""

    def __init__(
        self,
        owned: OwnedConnections,
        gateway: PsaGateway,
        check: FilterCheck,
        run_control: RunControl,
    ) -> None:
        self._owned = owned
        self._gateway = gateway
        self._check = check
        self._run_control = run_control

    def apply(
        self,
        partner_id: str,
        connection_id: str,
        change: Callable[[ImportFilters], ImportFilters],
    ) -> tuple[Connection, Run]:
        """Change the filters and start an import, so that newly accepted records arrive.

        Mirrored records outside them stay until archived (connection guide, note on filters).
        Saving the same filters again starts the import again. Raises InvalidInputError as
        :class:`FilterCheck` does, NotFoundError, NotPossibleError, ConflictError, and the errors
        of ConnectWise where it has to be asked about new values.
        """
        present = self._owned.get_syncing(partner_id, connection_id)
        wanted = change(present.filters)
        self._check.refuse_senseless(wanted)
        psa = self._gateway.open(present)
        self._check.refuse_unknown(psa, connection_id, wanted, saved=present.filters)

        def changed(stored: Connection) -> Connection:
            refuse_unless_syncing(stored)
            return replace(stored, filters=change(stored.filters))

        connection = self._owned.change(partner_id, connection_id, changed)
        return connection, self._run_control.restart_import(connection)
