"""The store keeps a partner's outstanding sums in DynamoDB, packed into one item."""

from __future__ import annotations

from bridge.domain.receivables import Outstanding
from bridge.store import keys
from bridge.store.codec import encode
from bridge.store.content import json_of, pack
from bridge.store.items import PACKED_SCHEMA, read_record
from bridge.store.table import Table


class DynamoOutstandingStore:
    """The operations table fulfils :class:`bridge.ports.OutstandingStore`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, partner_id: str) -> Outstanding | None:
        item = self._table.get(keys.outstanding_key(partner_id))
        return read_record(Outstanding, item) if item else None

    def save(self, outstanding: Outstanding) -> None:
        key = keys.outstanding_key(outstanding.partner_id)
        data = pack(json_of(encode(outstanding)))
        self._table.put({**key.attributes(), "schema": PACKED_SCHEMA, "data": data})
