"""The store keeps connections in DynamoDB.

Each connection that is kept in step has a small item in one partition for all partners, written in
the same transaction; the schedules read that partition. Thousands of connections that change state
now and then fit into one partition easily.
"""

from __future__ import annotations

from bridge.domain.connection import Connection
from bridge.ports import Page, Stored
from bridge.store import keys
from bridge.store.codec import encode
from bridge.store.cursors import Position, read_cursor, write_cursor
from bridge.store.expressions import version_is
from bridge.store.items import read_record, read_stored, record_item
from bridge.store.table import Range, Table, Write

MAX_CONNECTIONS_OF_PARTNER = 100
SYNCING_PAGE_SIZE = 100
_CURSOR_NAME = "syncing"


class DynamoConnectionStore:
    """The operations table fulfils :class:`bridge.ports.ConnectionStore`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, connection_id: str) -> Stored[Connection]:
        return read_stored(Connection, self._table.get(keys.connection_key(connection_id)))

    def list_of_partner(self, partner_id: str) -> tuple[Connection, ...]:
        pk = keys.connections_of_partner_pk(partner_id)
        wanted = Range(pk, keys.FIRST, keys.LAST, keys.PARTNER_INDEX)
        answer = self._table.query(wanted, limit=MAX_CONNECTIONS_OF_PARTNER)
        return tuple(read_record(Connection, item) for item in answer.items)

    def list_syncing(self, cursor: str | None = None) -> Page[Connection]:
        after = read_cursor(cursor, _CURSOR_NAME)
        start = keys.syncing_key(after.sort_key).attributes() if after else None
        wanted = Range(keys.SYNCING_PK, keys.FIRST, keys.LAST)
        answer = self._table.query(wanted, limit=SYNCING_PAGE_SIZE, start=start)
        connection_keys = [keys.connection_key(str(item["sk"])) for item in answer.items]
        found = self._table.get_many(connection_keys)
        connections = (read_record(Connection, found[key]) for key in connection_keys)
        last = Position(0, str(answer.last["sk"])) if answer.last else None
        return Page(
            tuple(connection for connection in connections if connection.is_syncing),
            write_cursor(last, _CURSOR_NAME),
        )

    def save(self, connection: Connection, *, expected_version: int) -> int:
        version = expected_version + 1
        item = record_item(
            keys.connection_key(connection.connection_id),
            keys.connection_index_keys(connection),
            version,
            encode(connection),
        )
        syncing = keys.syncing_key(connection.connection_id)
        listing = (
            Write(item=dict(syncing.attributes())) if connection.is_syncing else Write(key=syncing)
        )
        self._table.transact([Write(item, condition=version_is(expected_version)), listing])
        return version
