"""The unapplied parts of payments are summed up by customer and currency."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from bridge.domain.money import Currency
from bridge.domain.platform_payment import PlatformPayment
from bridge.ports import LedgerStore, PlatformPaymentQuery

MAX_SUMMED = 1_000
"""So many payments are counted at most, the latest ones."""
MAX_PAGES = 5


@dataclass(frozen=True, slots=True)
class UnappliedSum:
    """A sum adds up the unapplied parts of one customer's payments in one currency."""

    customer_id: str
    currency: Currency
    amount_minor: int
    payment_count: int


@dataclass(frozen=True, slots=True)
class UnappliedSums:
    """A connection has these sums, by customer and currency code."""

    sums: tuple[UnappliedSum, ...]
    is_complete: bool
    """False says that some payments stay uncounted, so that each sum is a least one."""


def unapplied_sums(
    ledger: LedgerStore, partner_id: str, connection_id: str, customer_id: str | None = None
) -> UnappliedSums:
    """Return the sums over the latest payments of a connection, perhaps of one customer alone."""
    query = PlatformPaymentQuery(
        connection_id=connection_id, customer_id=customer_id, is_unapplied=True
    )
    found: list[PlatformPayment] = []
    cursor = None
    for _ in range(MAX_PAGES):
        page = ledger.list_payments(partner_id, query, limit=MAX_SUMMED - len(found), cursor=cursor)
        found += page.items
        cursor = page.next_cursor
        if cursor is None or len(found) == MAX_SUMMED:
            break
    return UnappliedSums(_summed(found), is_complete=cursor is None)


def _summed(payments: list[PlatformPayment]) -> tuple[UnappliedSum, ...]:
    amounts: Counter[tuple[str, str, int]] = Counter()
    counts: Counter[tuple[str, str, int]] = Counter()
    for payment in payments:
        place = payment.customer_id, payment.currency.code, payment.currency.decimals
        amounts[place] += payment.unapplied_minor
        counts[place] += 1
    return tuple(
        UnappliedSum(customer_id, Currency(code, decimals), amounts[place], counts[place])
        for place in sorted(amounts)
        for customer_id, code, decimals in [place]
    )
