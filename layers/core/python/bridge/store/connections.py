"""The store keeps connections in DynamoDB.

Each connection that is kept in step has a small item in one partition for all partners, written in
the same transaction; the schedules read that partition. Thousands of connections that change state
now and then fit into one partition easily. The webhook receiver's part of such a connection lies in
the table callbacks, and belongs to that transaction as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bridge.domain.connection import Connection
from bridge.ports import Page, Stored, SyncingConnection
from bridge.store import keys
from bridge.store.attributes import Item
from bridge.store.callback_endpoints import DynamoCallbackEndpoints
from bridge.store.codec import encode
from bridge.store.cursors import Position, read_cursor, write_cursor
from bridge.store.expressions import version_is
from bridge.store.items import read_record, read_stored, record_item
from bridge.store.table import Range, Table, Write

MAX_CONNECTIONS_OF_PARTNER = 100
SYNCING_PAGE_SIZE = 1000
_CURSOR_NAME = "syncing"


class DynamoConnectionStore:
    """The operations table fulfils :class:`bridge.ports.ConnectionStore`.

    ``endpoints`` opens the receiver's part of connections when one is saved.
    """

    def __init__(self, table: Table, endpoints: Callable[[], DynamoCallbackEndpoints]) -> None:
        self._table = table
        self._endpoints = endpoints

    def get(self, connection_id: str) -> Stored[Connection]:
        return read_stored(Connection, self._table.get(keys.connection_key(connection_id)))

    def list_of_partner(self, partner_id: str) -> tuple[Connection, ...]:
        pk = keys.connections_of_partner_pk(partner_id)
        wanted = Range(pk, keys.FIRST, keys.LAST, keys.PARTNER_INDEX)
        answer = self._table.query(wanted, limit=MAX_CONNECTIONS_OF_PARTNER)
        return tuple(read_record(Connection, item) for item in answer.items)

    def list_syncing(self, cursor: str | None = None) -> Page[SyncingConnection]:
        after = read_cursor(cursor, _CURSOR_NAME)
        start = keys.syncing_key(after.sort_key).attributes() if after else None
        wanted = Range(keys.SYNCING_PK, keys.FIRST, keys.LAST)
        answer = self._table.query(wanted, limit=SYNCING_PAGE_SIZE, start=start)
        last = Position(0, str(answer.last["sk"])) if answer.last else None
        return Page(self._syncing(answer.items), write_cursor(last, _CURSOR_NAME))

    def _syncing(self, items: Sequence[Item]) -> tuple[SyncingConnection, ...]:
        """Return the connections of small items; for those of the release before the
        partner stands in the connection itself."""
        lacking = [str(item["sk"]) for item in items if "partner_id" not in item]
        found = self._table.get_many([keys.connection_key(each) for each in lacking])
        read = (read_record(Connection, item) for item in found.values())
        partners = {each.connection_id: each.partner_id for each in read}
        partners |= {str(i["sk"]): str(i["partner_id"]) for i in items if "partner_id" in i}
        ids = (str(item["sk"]) for item in items)
        return tuple(SyncingConnection(each, partners[each]) for each in ids if each in partners)

    def save(self, connection: Connection, *, expected_version: int) -> int:
        version = expected_version + 1
        item = record_item(
            keys.connection_key(connection.connection_id),
            keys.connection_index_keys(connection),
            version,
            encode(connection),
        )
        syncing = keys.syncing_key(connection.connection_id)
        small: Item = {**syncing.attributes(), "partner_id": connection.partner_id}
        listing = Write(item=small) if connection.is_syncing else Write(key=syncing)
        endpoint = self._endpoints().write_of(
            connection.connection_id, connection.callback_endpoint
        )
        self._table.transact(
            [Write(item, condition=version_is(expected_version)), listing, endpoint]
        )
        return version
