"""Payments as they stand on an invoice in ConnectWise."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from bridge.domain.identity import Origin
from bridge.domain.money import Currency


class PaymentKind(StrEnum):
    """A payment of money, or a credit memo applied to the invoice."""

    MONEY = "money"
    CREDIT = "credit"


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment row of one invoice. ``paid_on`` is a calendar date; it has no time zone.

    ``applied_by`` is the ConnectWise member who entered it. ``credit_source_id`` is the credit
    memo's invoice id where a credit was applied. ``is_deleted`` marks a row that is gone from
    ConnectWise and kept as history.
    """

    payment_id: str
    partner_id: str
    connection_id: str
    invoice_id: str
    customer_id: str
    source_id: int
    origin: Origin
    kind: PaymentKind
    amount_minor: int
    currency: Currency
    paid_on: date | None
    applied_by: str = ""
    credit_source_id: int | None = None
    is_deleted: bool = False


def changed_payments(
    before: tuple[Payment, ...], after: tuple[Payment, ...]
) -> tuple[tuple[Payment, ...], tuple[Payment, ...]]:
    """Return (payments to write, payments to mark deleted) that lead from one set to the other."""
    old = {payment.payment_id: payment for payment in before}
    new = {payment.payment_id: payment for payment in after}
    written = tuple(p for key, p in new.items() if old.get(key) != p)
    deleted = tuple(p for key, p in old.items() if key not in new)
    return written, deleted
