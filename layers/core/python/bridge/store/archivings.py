"""The store keeps archivings in DynamoDB, beside their connection."""

from __future__ import annotations

from bridge.domain.archiving import Archiving
from bridge.ports import Stored
from bridge.store import keys
from bridge.store.codec import encode
from bridge.store.expressions import version_is
from bridge.store.items import read_record, read_stored, record_item
from bridge.store.table import Range, Table


class DynamoArchivingStore:
    """The operations table fulfils :class:`bridge.ports.ArchivingStore`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, connection_id: str, undo_id: str) -> Stored[Archiving]:
        return read_stored(Archiving, self._table.get(keys.archiving_key(connection_id, undo_id)))

    def save(self, archiving: Archiving, *, expected_version: int) -> int:
        version = expected_version + 1
        key = keys.archiving_key(archiving.connection_id, archiving.undo_id)
        item = record_item(key, {}, version, encode(archiving))
        self._table.put(item, version_is(expected_version))
        return version

    def list_latest(self, connection_id: str, *, limit: int) -> tuple[Archiving, ...]:
        first = keys.archiving_key(connection_id, "0")
        low = first.sk.removesuffix("0")
        wanted = Range(first.pk, low, low + keys.LAST, is_descending=True)
        answer = self._table.query(wanted, limit=limit)
        return tuple(read_record(Archiving, item) for item in answer.items)
