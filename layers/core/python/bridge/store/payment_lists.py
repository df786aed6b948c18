"""The platform's payments are listed by partner, customer or invoice, latest recorded first.

Indexes hold a partner's and a customer's payments by the time of their recording; an invoice's
partition names its payments. Other restrictions are asked of each payment that is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from bridge.domain.identity import parse_mirrored_id
from bridge.domain.platform_payment import PlatformPayment
from bridge.ports import Page, PlatformPaymentQuery
from bridge.store import keys
from bridge.store.attributes import Item, Plain
from bridge.store.cursors import Position, check_limit, read_cursor, write_cursor
from bridge.store.expressions import Condition
from bridge.store.items import read_record
from bridge.store.listing import read_page
from bridge.store.table import Range, Table

MAX_PAYMENTS_READ = 2_000
"""A page for which more would have to be read ends early, with a cursor."""
MAX_PAGES_OF_INVOICE = 10
_READ_AT_ONCE = 500
_KEYS_AT_ONCE = 100
_NAMED = ("data.payment_id", "data.created_at")


def read_payments(
    table: Table,
    partner_id: str,
    query: PlatformPaymentQuery,
    *,
    limit: int,
    cursor: str | None,
) -> Page[PlatformPayment]:
    """Return a page of a partner's payments that match the query."""
    check_limit(limit)
    after = read_cursor(cursor, partner_id, query)
    if query.invoice_id is not None:
        candidates = _of_invoice(table, partner_id, query.invoice_id, after)
    else:
        candidates = _of_index(table, partner_id, query, after, limit)
    found: list[PlatformPayment] = []
    for number, payment in enumerate(candidates, start=1):
        if query.matches(payment):
            if len(found) == limit:
                return _page(found, found[-1], partner_id, query)
            found.append(payment)
        if number == MAX_PAYMENTS_READ:
            return _page(found, payment, partner_id, query)
    return Page(tuple(found))


def _page(
    found: list[PlatformPayment],
    last: PlatformPayment,
    partner_id: str,
    query: PlatformPaymentQuery,
) -> Page[PlatformPayment]:
    """Return a page that goes on behind the payment that was read last."""
    place = Position(0, keys.platform_payment_index_keys(last)[_sort_name(query)])
    return Page(tuple(found), write_cursor(place, partner_id, query))


def _sort_name(query: PlatformPaymentQuery) -> str:
    is_by_customer = query.customer_id is not None and query.invoice_id is None
    return "gsi2sk" if is_by_customer else "gsi1sk"


def _of_index(
    table: Table,
    partner_id: str,
    query: PlatformPaymentQuery,
    after: Position | None,
    limit: int,
) -> Iterator[PlatformPayment]:
    wanted = _range(partner_id, query)
    narrowed = PlatformPaymentQuery(
        customer_id=query.customer_id, recorded_from=query.recorded_from
    )
    size = limit + 1 if query == narrowed else max(limit, _READ_AT_ONCE)
    while True:
        items, after = read_page(
            table,
            [wanted],
            after=after,
            limit=size,
            key_of=lambda payment_id: keys.platform_payment_key(partner_id, payment_id),
        )
        yield from (read_record(PlatformPayment, item) for item in items)
        if after is None:
            return


def _range(partner_id: str, query: PlatformPaymentQuery) -> Range:
    low = keys.timestamp(query.recorded_from) if query.recorded_from else ""
    if query.customer_id is None:
        pk = keys.platform_payments_pk(partner_id)
        prefix, index = "", keys.LISTING_INDEX
    else:
        pk = keys.of_customer_pk(partner_id, query.customer_id)
        prefix, index = keys.PLATFORM_PAYMENT_PREFIX, keys.CUSTOMER_INDEX
    return Range(pk, prefix + low or keys.FIRST, prefix + keys.LAST, index, is_descending=True)


def _of_invoice(
    table: Table, partner_id: str, invoice_id: str, after: Position | None
) -> Iterator[PlatformPayment]:
    """Yield the partner's payments that have a write-back to the invoice."""
    invoice = parse_mirrored_id(invoice_id)
    if invoice is None:
        return
    prefix = keys.WRITE_BACK_PREFIX
    wanted = Range(
        keys.ledger_invoice_pk(invoice.connection_id, invoice.source_id),
        prefix,
        prefix + keys.LAST,
        condition=Condition("#data.partner_id = :partner_id", {"partner_id": partner_id}),
        attributes=_NAMED,
    )
    places = sorted(_place(item) for item in table.walk(wanted, max_pages=MAX_PAGES_OF_INVOICE))
    wanted_keys = [
        keys.platform_payment_key(partner_id, keys.listed_id(place))
        for place in reversed(places)
        if after is None or place < after.sort_key
    ]
    for start in range(0, len(wanted_keys), _KEYS_AT_ONCE):
        batch = wanted_keys[start : start + _KEYS_AT_ONCE]
        stored = table.get_many(batch)
        yield from (read_record(PlatformPayment, stored[key]) for key in batch if key in stored)


def _place(write_back: Item) -> str:
    """Return where the payment of a write-back stands in the list by time."""
    data = cast("Mapping[str, Plain]", write_back["data"])
    return f"{data['created_at']!s}#{data['payment_id']!s}"
