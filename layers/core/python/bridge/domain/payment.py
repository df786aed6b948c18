"""A payment is a row on an invoice in ConnectWise."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from bridge.domain.identity import Origin
from bridge.domain.money import Currency


class PaymentKind(StrEnum):
    """A payment is made in money or in credit."""

    MONEY = "money"
    CREDIT = "credit"
    """A credit memo is applied to the invoice."""


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment row of one invoice."""

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
    """A calendar date, free of time zones."""
    applied_by: str = ""
    """The ConnectWise member that entered the payment."""
    credit_source_id: int | None = None
    """The credit memo's invoice id where a credit was applied."""
    is_deleted: bool = False
    """The row is gone from ConnectWise and kept as history."""


def changed_payments(
    before: tuple[Payment, ...], after: tuple[Payment, ...]
) -> tuple[tuple[Payment, ...], tuple[Payment, ...]]:
    """Return (payments to write, payments to mark deleted) that lead from one set to the other."""
    old = {payment.payment_id: payment for payment in before}
    new = {payment.payment_id: payment for payment in after}
    written = tuple(p for key, p in new.items() if old.get(key) != p)
    deleted = tuple(p for key, p in old.items() if key not in new)
    return written, deleted
