"""Customers, invoices and payments in memory."""

from __future__ import annotations

import copy
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from bridge.domain.customer import Customer
from bridge.domain.errors import ConflictError, InvalidInputError
from bridge.domain.identity import RecordKind, mirrored_id, parse_mirrored_id
from bridge.domain.invoice import Invoice
from bridge.domain.mirrored_kinds import (
    MIRRORED_KINDS,
    MirroredKind,
    MirroredRecord,
    R,
    kind_of,
)
from bridge.domain.payment import Payment, changed_payments
from bridge.domain.search_terms import MAX_NAME_LENGTH
from bridge.ports import CustomerQuery, InvoiceQuery, ListedRecord, Page, PaymentQuery, Stored
from bridge.store.attributes import check_storable
from bridge.store.cursors import Position
from bridge.store.items import as_unlisted, mirrored_item, with_unlisted
from bridge.store.keys import (
    INVOICE_BUCKETS,
    customer_index_keys,
    invoice_bucket,
    invoice_index_keys,
    payment_index_keys,
    record_key,
)
from bridge.store.payment_items import MAX_TOGETHER, payments_of
from bridge.store.search_keys import SearchPath, customer_path, invoice_path
from bridge.store.table import MAX_BATCH
from tests.fakes.pages import cut_page

T = TypeVar("T")
_NOTHING: Stored[Any] = Stored(None, 0)


class _Shelf(dict[tuple[str, str], Stored[T]]):
    """The records of one kind, by partner and record id, and those of each connection by source.

    ``mirrored`` also holds tombstones; ``listed`` is what a list of the connection shows of each
    record, in the order of the source ids.
    """

    def __init__(self) -> None:
        super().__init__()
        self.mirrored: defaultdict[tuple[str, str], dict[int, Stored[T]]] = defaultdict(dict)
        self.listed: defaultdict[tuple[str, str], dict[int, ListedRecord]] = defaultdict(dict)

    def put(self, key: tuple[str, str], stored: Stored[T]) -> None:
        self[key] = stored
        mirrored = parse_mirrored_id(key[1])
        if mirrored is None:
            return
        scope, source_id = (key[0], mirrored.connection_id), mirrored.source_id
        self.mirrored[scope][source_id] = stored
        if stored.value is None:
            return
        listed = self.listed[scope]
        is_last = not listed or source_id in listed or source_id > next(reversed(listed))
        listed[source_id] = _as_listed(source_id, stored.value, stored.change_fingerprint)
        if not is_last:
            self.listed[scope] = dict(sorted(listed.items()))


class InMemoryRecordStore:
    """Each kind is kept by partner and record id; payments follow their invoices.

    Many payments take several writes, as on DynamoDB, and a test may do something before each.
    """

    def __init__(self) -> None:
        self._shelves: dict[RecordKind, _Shelf[Any]] = {
            kind.record_kind: _Shelf() for kind in MIRRORED_KINDS
        }
        self._payments: dict[tuple[str, str], tuple[int, Payment]] = {}
        """With the version of the invoice that each was written with."""
        self._unlisted: dict[tuple[str, str], tuple[Payment, ...]] = {}
        self._lock = threading.Lock()
        self._before_write: Callable[[], None] = lambda: None

    def with_hook(self, before_write: Callable[[], None]) -> InMemoryRecordStore:
        """Return another way to the same records, by which a hook is called before each write."""
        hooked = copy.copy(self)
        hooked._before_write = before_write
        return hooked

    def get(self, kind: MirroredKind[R], partner_id: str, record_id: str) -> Stored[R]:
        stored = self._shelves[kind.record_kind].get((partner_id, record_id))
        if stored is None:
            record_key(partner_id, kind.record_kind, record_id)
            return _NOTHING
        return stored

    def get_bare(
        self, kind: MirroredKind[R], partner_id: str, record_ids: Collection[str]
    ) -> Mapping[str, R]:
        found = {each: self.get(kind, partner_id, each).value for each in record_ids}
        return {each: _bare(record) for each, record in found.items() if record}

    def get_mirrored(
        self,
        kind: MirroredKind[R],
        partner_id: str,
        connection_id: str,
        source_ids: Sequence[int],
    ) -> Mapping[int, Stored[R]]:
        stored = self._shelves[kind.record_kind].mirrored.get((partner_id, connection_id), {})
        return {
            i: stored.get(i) or self.get(kind, partner_id, mirrored_id(connection_id, i))
            for i in source_ids
        }

    def save(
        self, record: MirroredRecord, *, expected_version: int, change_fingerprint: str = ""
    ) -> int:
        version = expected_version + 1
        item = mirrored_item(record, version=version, change_fingerprint=change_fingerprint)
        key = (record.partner_id, kind_of(record).id_of(record))
        changed = self._changed_payments(record, key, expected_version)
        if len(changed) <= MAX_TOGETHER:
            check_storable(item)
            self._put(key, record, expected_version, change_fingerprint, together_with=changed)
            return version
        check_storable(with_unlisted(item, changed))
        marks = as_unlisted(change_fingerprint)
        self._put(key, record, expected_version, marks, unlisted=changed)
        self._list(changed, version)
        self._finish(key, record, version, change_fingerprint)
        return version

    def _changed_payments(
        self, record: MirroredRecord, key: tuple[str, str], expected_version: int
    ) -> tuple[Payment, ...]:
        payments = payments_of(record)
        stored = self._shelves[kind_of(record).record_kind].get(key, _NOTHING)
        if stored.version != expected_version:
            raise ConflictError("the stored record moved on")
        self._list(self._unlisted.get(key, ()), expected_version)
        before = payments_of(stored.value) if stored.value else ()
        written, gone = changed_payments(before, payments)
        return (*written, *(replace(payment, is_deleted=True) for payment in gone))

    def _put(
        self,
        key: tuple[str, str],
        record: MirroredRecord,
        expected_version: int,
        fingerprint: str,
        *,
        together_with: Iterable[Payment] = (),
        unlisted: tuple[Payment, ...] = (),
    ) -> None:
        self._before_write()
        shelf = self._shelves[kind_of(record).record_kind]
        with self._lock:
            _write(shelf, key, record, expected_version, fingerprint)
            self._unlisted[key] = unlisted
            for payment in together_with:
                place = payment.partner_id, payment.payment_id
                self._payments[place] = expected_version + 1, payment

    def _list(self, payments: Sequence[Payment], version: int) -> None:
        """Keep the payments of an invoice's version, where none of a later version stand."""
        for start in range(0, len(payments), MAX_BATCH):
            self._before_write()
            with self._lock:
                for payment in payments[start : start + MAX_BATCH]:
                    place = payment.partner_id, payment.payment_id
                    if _is_older(self._payments.get(place), version, payment):
                        self._payments[place] = version, payment

    def _finish(
        self, key: tuple[str, str], record: MirroredRecord, version: int, fingerprint: str
    ) -> None:
        self._before_write()
        shelf = self._shelves[kind_of(record).record_kind]
        with self._lock:
            if shelf[key].version == version:
                shelf.put(key, Stored(record, version, fingerprint))
                self._unlisted[key] = ()

    def save_tombstone(
        self, partner_id: str, connection_id: str, kind: RecordKind, source_id: int
    ) -> None:
        shelf = self._shelves[kind]
        with self._lock:
            key = (partner_id, mirrored_id(connection_id, source_id))
            if key not in shelf:
                shelf.put(key, Stored(None, 1))

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
        return tuple(
            each
            for each in self._listed(partner_id, connection_id, kind)
            if each.source_id > after_id and (through_id is None or each.source_id <= through_id)
        )[:limit]

    def list_lacking_payments(
        self, partner_id: str, connection_id: str, *, below_id: int | None, limit: int
    ) -> tuple[int, ...]:
        listed = self._listed(partner_id, connection_id, RecordKind.INVOICE)
        lacking = [each.source_id for each in listed if each.lacks_payments]
        below = [i for i in lacking if below_id is None or i < below_id]
        return tuple(sorted(below, reverse=True)[:limit])

    def count_mirrored(self, partner_id: str, connection_id: str, kind: RecordKind) -> int:
        found = self._listed(partner_id, connection_id, kind)
        return sum(1 for each in found if not each.is_archived)

    def list_invoices(
        self, partner_id: str, query: InvoiceQuery, *, limit: int, cursor: str | None = None
    ) -> Page[Invoice]:
        path = invoice_path(partner_id, query)
        entries = [
            (_invoice_position(invoice, query, path), replace(invoice, line_items=(), payments=()))
            for invoice in _values(self._shelves[RecordKind.INVOICE], partner_id)
            if query.matches(invoice)
        ]
        is_descending = query.is_latest_due_first and path is None
        return cut_page(
            entries, partner_id, query, limit=limit, cursor=cursor, is_descending=is_descending
        )

    def list_customers(
        self, partner_id: str, query: CustomerQuery, *, limit: int, cursor: str | None = None
    ) -> Page[Customer]:
        if query.name and len(query.name) > MAX_NAME_LENGTH:
            raise InvalidInputError("name is too long", field="name")
        path = customer_path(partner_id, query)
        entries = [
            (Position(0, _customer_place(customer, path)), customer)
            for customer in _values(self._shelves[RecordKind.CUSTOMER], partner_id)
            if query.matches(customer)
        ]
        return cut_page(entries, partner_id, query, limit=limit, cursor=cursor)

    def list_payments(
        self, partner_id: str, query: PaymentQuery, *, limit: int, cursor: str | None = None
    ) -> Page[Payment]:
        entries = [
            (Position(0, payment_index_keys(payment)["gsi1sk"]), payment)
            for (owner_id, _), (_, payment) in self._payments.items()
            if owner_id == partner_id and query.matches(payment)
        ]
        return cut_page(entries, partner_id, query, limit=limit, cursor=cursor, is_descending=True)

    def _listed(
        self, partner_id: str, connection_id: str, kind: RecordKind
    ) -> Iterable[ListedRecord]:
        """Return the records of a connection in the order of their source ids."""
        return self._shelves[kind].listed.get((partner_id, connection_id), {}).values()


def _bare(record: R) -> R:
    if isinstance(record, Invoice):
        return replace(record, line_items=(), payments=())
    return record


def _as_listed(source_id: int, record: Any, fingerprint: str) -> ListedRecord:
    balance = kind_of(record).balance_of(record)
    return ListedRecord(
        source_id,
        fingerprint,
        has_balance=balance is not None and balance.amount_minor != 0,
        is_archived=record.archive is not None,
        lacks_payments=isinstance(record, Invoice) and not record.payments_complete,
    )


def _write(
    shelf: _Shelf[T], key: tuple[str, str], value: T, expected_version: int, fingerprint: str
) -> int:
    stored = shelf.get(key)
    if (stored.version if stored else 0) != expected_version:
        raise ConflictError("the stored record moved on")
    shelf.put(key, Stored(value, expected_version + 1, fingerprint))
    return expected_version + 1


def _is_older(kept: tuple[int, Payment] | None, version: int, payment: Payment) -> bool:
    """Tell whether a kept payment is missing, of an older version, or of another invoice."""
    return kept is None or kept[0] < version or kept[1].invoice_id != payment.invoice_id


def _values(shelf: _Shelf[T], partner_id: str) -> Iterator[T]:
    for (owner_id, _), stored in shelf.items():
        if owner_id == partner_id and stored.value is not None:
            yield stored.value


def _invoice_position(
    invoice: Invoice, query: InvoiceQuery, path: SearchPath[Invoice] | None
) -> Position:
    if path:
        return Position(0, path.place_of(invoice) or "")
    is_one_bucket = query.state or query.is_unpaid or query.overdue_on
    bucket = 0 if is_one_bucket else INVOICE_BUCKETS.index(invoice_bucket(invoice.state))
    return Position(bucket, invoice_index_keys(invoice)["gsi1sk"])


def _customer_place(customer: Customer, path: SearchPath[Customer] | None) -> str:
    place = path.place_of(customer) if path else None
    return place or customer_index_keys(customer)["gsi1sk"]
