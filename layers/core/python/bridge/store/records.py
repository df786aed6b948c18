"""Customers, invoices and payments in DynamoDB.

One invoice is one item, so its header, lines and payments are always of one moment. Its payments
are items of their own besides, for lists and events; those that changed are written with it or,
when they are many, right after it (see ``payment_items``). Its search keys are written before it
(see ``search_keys``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice

from bridge.domain.customer import Customer
from bridge.domain.errors import ConflictError
from bridge.domain.identity import RecordKind
from bridge.domain.invoice import Invoice
from bridge.domain.mirrored_kinds import MirroredKind, MirroredRecord, R
from bridge.domain.payment import Payment, changed_payments
from bridge.ports import CustomerQuery, InvoiceQuery, ListedRecord, Page, PaymentQuery, Stored
from bridge.store import keys
from bridge.store.attributes import Item
from bridge.store.expressions import IS_NEW, Condition, version_is
from bridge.store.items import (
    has_search_keys,
    mirrored_item,
    new_search_keys,
    payment_item,
    read_stored,
    stored_fingerprint,
    tombstone_item,
    unlisted_payments,
    with_unlisted,
)
from bridge.store.keys import Key
from bridge.store.payment_items import MAX_TOGETHER, payments_of, write_payments
from bridge.store.record_lists import RecordLists
from bridge.store.table import Range, Table, Write

MAX_RANGE_PAGES = 2000
_LISTED_ATTRIBUTES = ("sk", "marks", "has_balance", "is_archived", "lacks_payments")
_BARE_ATTRIBUTES = ("pk", "sk", "schema", "version", "data")
_IS_NO_TOMBSTONE = Condition("attribute_exists(#data)")
_LACKS_PAYMENTS = Condition("#lacks_payments = :lacks", {"lacks": True})
_IS_ACTIVE = Condition("#is_archived = :is_archived", {"is_archived": False})


class DynamoRecordStore:
    """The records table; see :class:`bridge.ports.RecordStore`.

    Single records are read as of now. Lists come from indexes, which follow within moments.
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        self._lists = RecordLists(table)

    def get(self, kind: MirroredKind[R], partner_id: str, record_id: str) -> Stored[R]:
        return self._get(kind, keys.record_key(partner_id, kind.record_kind, record_id))

    def get_bare(
        self, kind: MirroredKind[R], partner_id: str, record_ids: Collection[str]
    ) -> Mapping[str, R]:
        wanted = {each: keys.record_key(partner_id, kind.record_kind, each) for each in record_ids}
        known = [key for key in wanted.values() if key]
        items = self._table.get_many(known, attributes=_BARE_ATTRIBUTES)
        stored = {
            record_id: read_stored(kind.record_type, items.get(key)).value
            for record_id, key in wanted.items()
            if key
        }
        return {record_id: record for record_id, record in stored.items() if record}

    def get_mirrored(
        self,
        kind: MirroredKind[R],
        partner_id: str,
        connection_id: str,
        source_ids: Sequence[int],
    ) -> Mapping[int, Stored[R]]:
        pk = keys.mirrored_pk(partner_id, connection_id, kind.record_kind)
        wanted = {source_id: Key(pk, keys.mirrored_sk(source_id)) for source_id in source_ids}
        found = self._table.get_many(list(wanted.values()))
        return {
            source_id: read_stored(kind.record_type, found.get(key))
            for source_id, key in wanted.items()
        }

    def save(
        self, record: MirroredRecord, *, expected_version: int, change_fingerprint: str = ""
    ) -> int:
        item = mirrored_item(
            record, version=expected_version + 1, change_fingerprint=change_fingerprint
        )
        before = self._finished(item, expected_version) if expected_version else None
        known = read_stored(type(record), before).value
        changed = _changed_payments(record, known)
        has_keys = before is not None and has_search_keys(before)
        for search_key in new_search_keys(record, known if has_keys else None):
            self._table.put(search_key)
        is_unmoved = version_is(expected_version)
        if len(changed) > MAX_TOGETHER:
            self._save_with_many(item, changed, is_unmoved)
        elif changed:
            items = [payment_item(payment, version=expected_version + 1) for payment in changed]
            self._table.transact([Write(item, condition=is_unmoved), *map(Write, items)])
        else:
            self._table.put(item, is_unmoved)
        return expected_version + 1

    def _save_with_many(
        self, item: Item, changed: Sequence[Payment], is_unmoved: Condition
    ) -> None:
        version = int(str(item["version"]))
        self._table.put(with_unlisted(item, changed), is_unmoved)
        write_payments(self._table, changed, version=version)
        with suppress(ConflictError):
            # Whoever wrote the invoice meanwhile saw the payments listed first.
            self._table.put(item, version_is(version))

    def save_tombstone(
        self, partner_id: str, connection_id: str, kind: RecordKind, source_id: int
    ) -> None:
        key = keys.mirrored_key(partner_id, connection_id, kind, source_id)
        try:
            self._table.put(tombstone_item(key), IS_NEW)
        except ConflictError:
            # Somebody stored the record meanwhile; it has a version of its own to conflict on.
            return

    def list_mirrored(
        self,
        partner_id: str,
        connection_id: str,
        kind: RecordKind,
        *,
        after_id: int,
        through_id: int | None,
        limit: int,
    ) -> tuple[ListedRecord, ...]:
        first_id = max(after_id + 1, 0)
        last_id = keys.MAX_SOURCE_ID if through_id is None else min(through_id, keys.MAX_SOURCE_ID)
        if first_id > last_id:
            return ()
        wanted = Range(
            keys.mirrored_pk(partner_id, connection_id, kind),
            keys.mirrored_sk(first_id),
            keys.mirrored_sk(last_id),
            condition=_IS_NO_TOMBSTONE,
            attributes=_LISTED_ATTRIBUTES,
        )
        items = self._table.walk(wanted, max_pages=MAX_RANGE_PAGES)
        return tuple(map(_listed, islice(items, limit)))

    def list_lacking_payments(
        self, partner_id: str, connection_id: str, *, below_id: int | None, limit: int
    ) -> tuple[int, ...]:
        last_id = keys.MAX_SOURCE_ID if below_id is None else below_id - 1
        if last_id < 0:
            return ()
        wanted = Range(
            keys.mirrored_pk(partner_id, connection_id, RecordKind.INVOICE),
            keys.mirrored_sk(0),
            keys.mirrored_sk(last_id),
            condition=_LACKS_PAYMENTS,
            attributes=("sk",),
            is_descending=True,
        )
        items = self._table.walk(wanted, max_pages=MAX_RANGE_PAGES)
        return tuple(keys.source_id_of(str(item["sk"])) for item in islice(items, limit))

    def count_mirrored(self, partner_id: str, connection_id: str, kind: RecordKind) -> int:
        wanted = Range(
            keys.mirrored_pk(partner_id, connection_id, kind),
            keys.mirrored_sk(0),
            keys.mirrored_sk(keys.MAX_SOURCE_ID),
            condition=_IS_ACTIVE,
        )
        return self._table.count(wanted, max_pages=MAX_RANGE_PAGES)

    def list_invoices(
        self, partner_id: str, query: InvoiceQuery, *, limit: int, cursor: str | None = None
    ) -> Page[Invoice]:
        return self._lists.invoices(partner_id, query, limit=limit, cursor=cursor)

    def list_customers(
        self, partner_id: str, query: CustomerQuery, *, limit: int, cursor: str | None = None
    ) -> Page[Customer]:
        return self._lists.customers(partner_id, query, limit=limit, cursor=cursor)

    def list_payments(
        self, partner_id: str, query: PaymentQuery, *, limit: int, cursor: str | None = None
    ) -> Page[Payment]:
        return self._lists.payments(partner_id, query, limit=limit, cursor=cursor)

    def _finished(self, next_item: Item, version: int) -> Item:
        """Return the stored item of this version, after the payments that it names were listed."""
        item = self._table.get(Key(str(next_item["pk"]), str(next_item["sk"])))
        if item is None or item["version"] != version:
            raise ConflictError("the stored record moved on")
        write_payments(self._table, unlisted_payments(item), version=version)
        return item

    def _get(self, kind: MirroredKind[R], key: Key | None) -> Stored[R]:
        return read_stored(kind.record_type, self._table.get(key) if key else None)


def _changed_payments(record: MirroredRecord, known: MirroredRecord | None) -> tuple[Payment, ...]:
    """Return the payments that differ from those of the stored record."""
    written, gone = changed_payments(payments_of(known) if known else (), payments_of(record))
    return (*written, *(replace(payment, is_deleted=True) for payment in gone))


def _listed(item: Item) -> ListedRecord:
    return ListedRecord(
        source_id=keys.source_id_of(str(item["sk"])),
        change_fingerprint=stored_fingerprint(item),
        has_balance=item.get("has_balance") is True,
        is_archived=item.get("is_archived") is True,
        lacks_payments=item.get("lacks_payments") is True,
    )
