"""Marks tell which records in the mirror lie outside the filters of their connections.

Such records entered before a filter was set, or left it since; they stay until they are archived.
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.domain.filters import ImportFilters
from bridge.domain.mirrored_kinds import MirroredRecord
from bridge.mirror.walk import MirrorWalk, record_id
from bridge.ports import ConnectionStore


class FilterMarks:
    """The marks of a page of records cost two reads at most for each connection."""

    def __init__(self, connections: ConnectionStore, walk: MirrorWalk) -> None:
        self._connections = connections
        self._walk = walk

    def outside(self, partner_id: str, records: Sequence[MirroredRecord]) -> frozenset[str]:
        """Return the ids of those records that lie outside, all of them from ConnectWise."""
        outside: set[str] = set()
        for connection in self._connections.list_of_partner(partner_id):
            own = [each for each in records if each.connection_id == connection.connection_id]
            if own and connection.filters != ImportFilters():
                wanted = self._walk.wanted(connection, own, connection.filters)
                outside |= set(map(record_id, own)) - wanted
        return frozenset(outside)
