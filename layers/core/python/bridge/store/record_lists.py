"""Lists of customers, invoices and payments in DynamoDB.

A list that is searched by words, a number or an amount reads search keys, and then the records
that they lead to, as they stand now. Any other one reads an index, which follows within moments
and holds the records' own fields alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Generic, TypeVar

from bridge.domain.customer import Customer
from bridge.domain.identity import RecordKind
from bridge.domain.invoice import Invoice
from bridge.domain.mirrored_kinds import CUSTOMERS, INVOICES, MirroredKind, R
from bridge.domain.payment import Payment
from bridge.ports import CustomerQuery, InvoiceQuery, Page, PaymentQuery
from bridge.store import keys
from bridge.store.attributes import Item
from bridge.store.cursors import check_limit, read_cursor, write_cursor
from bridge.store.items import read_record, read_stored
from bridge.store.listing import read_chosen
from bridge.store.queries import (
    customer_ranges,
    holds_other_customers,
    holds_other_invoices,
    holds_other_payments,
    invoice_ranges,
    payment_ranges,
)
from bridge.store.search_keys import SEARCH_IS_COMPLETE, SearchPath, customer_path, invoice_path
from bridge.store.table import Range, Table

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Asked(Generic[T]):
    """A caller asks a list for a page."""

    partner_id: str
    query: object
    matches: Callable[[T], bool]
    limit: int
    cursor: str | None


class RecordLists:
    """The lists of the records table."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._search_is_complete = False

    def invoices(
        self, partner_id: str, query: InvoiceQuery, *, limit: int, cursor: str | None
    ) -> Page[Invoice]:
        asked = _Asked(partner_id, query, query.matches, limit, cursor)
        path = invoice_path(partner_id, query)
        if path and self._may_search():
            page = self._search(INVOICES, path, asked)
        else:
            ranges = invoice_ranges(partner_id, query)
            drops_many = holds_other_invoices(query)
            page = self._list(Invoice, RecordKind.INVOICE, ranges, asked, drops_many=drops_many)
        bare = (replace(each, line_items=(), payments=()) for each in page.items)
        return replace(page, items=tuple(bare))

    def customers(
        self, partner_id: str, query: CustomerQuery, *, limit: int, cursor: str | None
    ) -> Page[Customer]:
        asked = _Asked(partner_id, query, query.matches, limit, cursor)
        ranges = customer_ranges(partner_id, query)
        path = customer_path(partner_id, query)
        if path and self._may_search():
            return self._search(CUSTOMERS, path, asked)
        drops_many = holds_other_customers(query)
        return self._list(Customer, RecordKind.CUSTOMER, ranges, asked, drops_many=drops_many)

    def payments(
        self, partner_id: str, query: PaymentQuery, *, limit: int, cursor: str | None
    ) -> Page[Payment]:
        """Return payments; those of an invoice are looked for among its customer's."""
        asked = _Asked(partner_id, query, query.matches, limit, cursor)
        narrowed = query
        if query.invoice_id is not None and query.customer_id is None:
            invoice = self._invoice(partner_id, query.invoice_id)
            if invoice is None:
                return Page(())
            narrowed = replace(query, customer_id=invoice.customer_id)
        ranges = payment_ranges(partner_id, narrowed)
        drops_many = holds_other_payments(query)
        return self._list(Payment, RecordKind.PAYMENT, ranges, asked, drops_many=drops_many)

    def _invoice(self, partner_id: str, invoice_id: str) -> Invoice | None:
        key = keys.record_key(partner_id, RecordKind.INVOICE, invoice_id)
        return read_stored(Invoice, self._table.get(key) if key else None).value

    def _may_search(self) -> bool:
        """Tell whether all records have their search keys, which stays so once it is."""
        if not self._search_is_complete:
            self._search_is_complete = self._table.get(SEARCH_IS_COMPLETE) is not None
        return self._search_is_complete

    def _search(self, kind: MirroredKind[R], path: SearchPath[R], asked: _Asked[R]) -> Page[R]:
        def as_found(place: str, item: Item | None) -> R | None:
            """Return the record unless its search key is an old one of it."""
            record = read_stored(kind.record_type, item).value
            if record is None or path.place_of(record) != place or not asked.matches(record):
                return None
            return record

        def choose(found: Sequence[Item]) -> Sequence[R | None]:
            places = [str(each["sk"]) for each in found]
            record_keys = [
                keys.record_key(asked.partner_id, kind.record_kind, keys.listed_id(place))
                for place in places
            ]
            items = self._table.get_many([key for key in record_keys if key])
            return [
                as_found(place, items.get(key) if key else None)
                for place, key in zip(places, record_keys, strict=True)
            ]

        wanted = Range(path.pk, path.low, path.high, attributes=("pk", "sk"))
        return self._page(kind.record_kind, [wanted], asked, choose, bound_to=path.pk)

    def _list(
        self,
        record_type: type[T],
        kind: RecordKind,
        ranges: Sequence[Range],
        asked: _Asked[T],
        *,
        drops_many: bool,
    ) -> Page[T]:
        def choose(found: Sequence[Item]) -> Sequence[T | None]:
            records = (read_record(record_type, each) for each in found)
            return [record if asked.matches(record) else None for record in records]

        return self._page(kind, ranges, asked, choose, drops_many=drops_many)

    def _page(
        self,
        kind: RecordKind,
        ranges: Sequence[Range],
        asked: _Asked[T],
        choose: Callable[[Sequence[Item]], Sequence[T | None]],
        *,
        bound_to: str = "",
        drops_many: bool = False,
    ) -> Page[T]:
        check_limit(asked.limit)
        binding = (asked.partner_id, asked.query, bound_to)
        chosen = read_chosen(
            self._table,
            ranges,
            after=read_cursor(asked.cursor, *binding),
            limit=asked.limit,
            key_of=partial(keys.record_key, asked.partner_id, kind),
            choose=choose,
            drops_many=drops_many,
        )
        return Page(chosen.values, write_cursor(chosen.last, *binding), chosen.is_partial)
