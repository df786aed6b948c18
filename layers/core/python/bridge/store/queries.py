"""This module chooses the ranges of an index that hold the records that a list is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

from bridge.domain.errors import InvalidInputError
from bridge.domain.identity import RecordKind
from bridge.domain.invoice import InvoiceState
from bridge.domain.search_terms import MAX_NAME_LENGTH
from bridge.ports import CustomerQuery, InvoiceQuery, PaymentQuery
from bridge.store import keys
from bridge.store.keys import LAST
from bridge.store.table import Range

_LISTED = ("pk", "sk", "schema", "data")
_DATE_LIMIT = "9999-12-31"


def invoice_ranges(partner_id: str, query: InvoiceQuery) -> tuple[Range, ...]:
    """Return unpaid, paid and archived invoices, or one of them, by due date."""
    low, high = _due_range(query.due_from, _last_due(query))
    buckets = _buckets(query)
    return tuple(
        _listed(
            replace(
                part,
                low=part.low + low,
                high=part.low + high,
                is_descending=query.is_latest_due_first,
            )
        )
        for part in _invoice_buckets(partner_id, query.customer_id, buckets)
    )


def holds_other_invoices(query: InvoiceQuery) -> bool:
    """Tell whether the ranges hold many invoices beside those that are asked for."""
    is_partial_bucket = query.state in (InvoiceState.OPEN, InvoiceState.PARTIALLY_PAID)
    return is_partial_bucket or any(
        restriction is not None
        for restriction in (
            query.connection_id,
            query.currency_code,
            query.number,
            query.amount_minor,
            query.type,
            query.status_id,
            query.origin,
        )
    )


def _buckets(query: InvoiceQuery) -> tuple[str, ...]:
    if query.state:
        return (keys.invoice_bucket(query.state),)
    is_of_unpaid = query.is_unpaid or query.overdue_on is not None
    return (keys.UNPAID,) if is_of_unpaid else keys.INVOICE_BUCKETS


def _last_due(query: InvoiceQuery) -> date | None:
    """Return the last due day that is asked for; overdue invoices were due before their day."""
    if query.overdue_on is None or query.overdue_on == date.min:
        return query.due_to
    return min(query.overdue_on - timedelta(days=1), query.due_to or date.max)


def _invoice_buckets(
    partner_id: str, customer_id: str | None, buckets: tuple[str, ...]
) -> Iterator[Range]:
    """Yield the buckets with the common beginning of their sort keys as ``low``."""
    for bucket in buckets:
        if customer_id is None:
            pk = keys.invoice_listing_pk(partner_id, bucket)
            yield Range(pk, "", "", keys.LISTING_INDEX)
        else:
            pk = keys.of_customer_pk(partner_id, customer_id)
            prefix = keys.of_customer_prefix(RecordKind.INVOICE, bucket)
            yield Range(pk, prefix, "", keys.CUSTOMER_INDEX)


def _due_range(due_from: date | None, due_to: date | None) -> tuple[str, str]:
    """Return the bounds of due dates; open bounds also take in invoices that lack a due date."""
    if due_from is None and due_to is None:
        return "0", LAST
    return _date_range(due_from, due_to)


def customer_ranges(partner_id: str, query: CustomerQuery) -> tuple[Range, ...]:
    """Return customers by name."""
    if query.name and len(query.name) > MAX_NAME_LENGTH:
        raise InvalidInputError("name is too long", field="name")
    bucket = keys.ARCHIVED if query.is_archived else keys.ACTIVE
    pk = keys.customer_listing_pk(partner_id, bucket)
    return (_listed(Range(pk, keys.FIRST, LAST, keys.LISTING_INDEX)),)


def holds_other_customers(query: CustomerQuery) -> bool:
    """Tell whether the range holds many customers beside those that are asked for."""
    return query.connection_id is not None or query.name is not None


def payment_ranges(partner_id: str, query: PaymentQuery) -> tuple[Range, ...]:
    """Return payments, latest first."""
    low, high = _date_range(query.paid_from, query.paid_to)
    if query.paid_from is None and query.paid_to is None:
        low = keys.NO_PAID_DATE
    if query.customer_id is None:
        part = Range(keys.payment_listing_pk(partner_id), low, high, keys.LISTING_INDEX)
    else:
        prefix = keys.of_customer_prefix(RecordKind.PAYMENT)
        pk = keys.of_customer_pk(partner_id, query.customer_id)
        part = Range(pk, prefix + low, prefix + high, keys.CUSTOMER_INDEX)
    return (_listed(replace(part, is_descending=True)),)


def holds_other_payments(query: PaymentQuery) -> bool:
    """Tell whether the range holds many payments beside those that are asked for."""
    return query.connection_id is not None or query.invoice_id is not None


def _date_range(first: date | None, last: date | None) -> tuple[str, str]:
    low = (first or date.min).isoformat()
    return low, f"{last.isoformat() if last else _DATE_LIMIT}#{LAST}"


def _listed(part: Range) -> Range:
    return replace(part, attributes=(*_LISTED, *part.key_names))
