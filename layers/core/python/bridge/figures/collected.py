"""Payments of the platform are summed up by day and currency."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from bridge.domain.money import Currency
from bridge.domain.platform_payment import PlatformPayment
from bridge.figures.bounded_list import BoundedList, read_list
from bridge.ports import LedgerStore, PlatformPaymentQuery

MAX_PAYMENTS = 5_000
"""So many payments are summed at most, the latest recorded ones."""
_MAX_PAGES = 10
_RECORDED_AHEAD = timedelta(days=2)
"""A payment is recorded a day before it is received at most; another day is for time zones."""


@dataclass(frozen=True, slots=True)
class CollectedDay:
    """A day's sum adds up the money of one currency that was received on it and stayed."""

    received_on: date
    currency: Currency
    amount_minor: int
    payment_count: int


def payments_received(
    ledger: LedgerStore,
    partner_id: str,
    first: date,
    last: date,
    *,
    connection_id: str | None = None,
) -> BoundedList[PlatformPayment]:
    """Return the platform's payments that were received on these days, both inclusive."""
    query = PlatformPaymentQuery(
        connection_id=connection_id,
        received_from=first,
        received_to=last,
        recorded_from=datetime.combine(first, time(), UTC) - _RECORDED_AHEAD,
    )
    return read_list(
        lambda limit, cursor: ledger.list_payments(partner_id, query, limit=limit, cursor=cursor),
        most=MAX_PAYMENTS,
        max_pages=_MAX_PAGES,
    )


def by_day(payments: Iterable[PlatformPayment]) -> tuple[CollectedDay, ...]:
    """Return the sums by day and currency of the payments whose money stayed."""
    amounts: Counter[tuple[date, str, int]] = Counter()
    counts: Counter[tuple[date, str, int]] = Counter()
    for payment in payments:
        if payment.is_over:
            continue
        place = payment.received_on, payment.currency.code, payment.currency.decimals
        amounts[place] += payment.amount_minor
        counts[place] += 1
    return tuple(
        CollectedDay(day, Currency(code, decimals), amounts[place], counts[place])
        for place in sorted(counts)
        for day, code, decimals in [place]
    )
