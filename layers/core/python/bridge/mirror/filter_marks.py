"""Marks tell which records in the mirror lie outside the filters of their connections.

Such records entered before a filter was set, or left it since; they stay until they are archived.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bridge.domain.connection import Connection
from bridge.domain.customer import Customer
from bridge.domain.filters import CustomerFilter, ImportFilters
from bridge.domain.mirrored_kinds import CUSTOMERS, MirroredKind, R, refusal
from bridge.ports import ConnectionStore, RecordStore


class FilterMarks:
    """The marks of a page of records cost two reads, and none where nothing is filtered."""

    def __init__(self, connections: ConnectionStore, records: RecordStore) -> None:
        self._connections = connections
        self._records = records

    def outside(
        self, partner_id: str, kind: MirroredKind[R], records: Sequence[R]
    ) -> frozenset[str]:
        """Return the ids of those records that lie outside; made on the platform, none does."""
        filtered = {
            connection.connection_id: connection
            for connection in self._connections.list_of_partner(partner_id)
            if connection.filters != ImportFilters()
        }
        outside: set[str] = set()
        for connection_id, connection in filtered.items():
            own = [each for each in records if each.connection_id == connection_id]
            payers = self._payers(connection, kind, own)
            for record in own:
                payer = payers.get(kind.payer_id_of(record) or 0) if kind.payer_id_of else None
                if refusal(kind, connection.filters, record, payer):
                    outside.add(kind.id_of(record))
        return frozenset(outside)

    def _payers(
        self, connection: Connection, kind: MirroredKind[R], records: Sequence[R]
    ) -> Mapping[int, Customer]:
        """Return the payers of records, where a filter asks about customers."""
        if kind.payer_id_of is None or connection.filters.customer == CustomerFilter():
            return {}
        wanted = sorted(set(filter(None, map(kind.payer_id_of, records))))
        scope = connection.partner_id, connection.connection_id
        stored = self._records.get_mirrored(CUSTOMERS, *scope, wanted)
        return {source_id: item.value for source_id, item in stored.items() if item.value}
