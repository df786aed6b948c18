"""An invoice has lines, payments, and a state that the platform derives from its balance."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from bridge.domain.customer import Archive, ArchiveReason, NamedRef
from bridge.domain.identity import Origin
from bridge.domain.money import Currency
from bridge.domain.payment import Payment, PaymentKind


class InvoiceType(StrEnum):
    """ConnectWise's closed list of invoice types (public interface, 2025.1)."""

    AGREEMENT = "Agreement"
    CREDIT_MEMO = "CreditMemo"
    DOWN_PAYMENT = "DownPayment"
    MISCELLANEOUS = "Miscellaneous"
    PROGRESS = "Progress"
    STANDARD = "Standard"


class InvoiceState(StrEnum):
    """The state that the platform shows beside ConnectWise's own status."""

    OPEN = "open"
    PARTIALLY_PAID = "partially_paid"
    PAID = "paid"
    ARCHIVED = "archived"


class LineKind(StrEnum):
    PRODUCT = "product"
    TIME = "time"
    EXPENSE = "expense"
    AGREEMENT = "agreement"
    PROGRESS = "progress"
    """An earlier invoice billed this part of the work already."""
    DOWN_PAYMENT = "down_payment"
    """The customer paid this part ahead, on an invoice of its own."""
    TAX = "tax"
    ADJUSTMENT = "adjustment"


@dataclass(frozen=True, slots=True)
class LineItem:
    """One line of an invoice."""

    kind: LineKind
    description: str
    amount_minor: int
    """This amount decides; quantity and unit price only explain it."""
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    source_id: int | None = None
    """The id of the product, time entry, expense or agreement, None for any other line."""


@dataclass(frozen=True, slots=True)
class BillingStatus:
    """The tenant's own billing status."""

    source_id: int
    name: str
    is_closed: bool
    """It locks the invoice in ConnectWise, paid or unpaid."""


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice as the platform shows it.

    Amounts are minor units of ``currency``. Dates are calendar dates, free of time zones.
    """

    invoice_id: str
    partner_id: str
    origin: Origin
    customer_id: str
    number: str
    currency: Currency
    total_minor: int
    balance_minor: int
    """ConnectWise's own figure; the bridge may not recompute it."""
    issued_on: date
    due_on: date | None = None
    connection_id: str | None = None
    source_id: int | None = None
    customer_source_id: int | None = None
    type: InvoiceType = InvoiceType.STANDARD
    subtotal_minor: int = 0
    tax_minor: int = 0
    paid_minor: int = 0
    credited_minor: int = 0
    status: BillingStatus | None = None
    billing_terms: NamedRef | None = None
    agreement: NamedRef | None = None
    agreement_type: str = ""
    location_id: int | None = None
    department_id: int | None = None
    reference: str = ""
    purchase_order: str = ""
    is_batched: bool = False
    line_items: tuple[LineItem, ...] = ()
    """They add up to ``total_minor``."""
    payments: tuple[Payment, ...] = ()
    payments_complete: bool = True
    """False where payments are still to be read: those of settled invoices come after an import's
    open ones. Total and balance are right all the same."""
    archive: Archive | None = None

    @property
    def state(self) -> InvoiceState:
        """Return the state by archive and balance: a status named "Paid" is only a name."""
        if self.archive:
            return InvoiceState.ARCHIVED
        return balance_state(self.total_minor, self.balance_minor)

    @property
    def is_unpaid(self) -> bool:
        return self.state in (InvoiceState.OPEN, InvoiceState.PARTIALLY_PAID)

    def is_overdue(self, today: date) -> bool:
        """Tell whether a customer owes a part of it and should have paid before today."""
        is_late = self.due_on is not None and self.due_on < today
        return is_late and self.is_unpaid and self.balance_minor > 0

    @property
    def balance_agrees(self) -> bool:
        """Tell whether the listed payments explain the balance.

        ConnectWise may show a payment seconds before it is in the balance, or the other way
        round. Where a credit memo is applied, the other invoice lists it: of a memo the money
        alone is compared.
        """
        if self.total_minor <= 0:
            money = (p.amount_minor for p in self.payments if p.kind is PaymentKind.MONEY)
            return sum(money) == self.paid_minor
        listed = sum(payment.amount_minor for payment in self.payments)
        return self.total_minor - listed == self.balance_minor

    def awaiting_payments(self, before: Invoice | None, *, has_same_head: bool) -> Invoice:
        """Return the invoice, read without its payments, with those that were stored before.

        They are complete only if they were, and if the head is the same.
        """
        if before is None:
            return replace(self, payments=(), payments_complete=False)
        is_complete = before.payments_complete and has_same_head
        return replace(self, payments=before.payments, payments_complete=is_complete)

    def archived(self, reason: ArchiveReason, at: datetime) -> Invoice:
        """Return the same invoice archived; one that is archived already stays as it was."""
        return self if self.archive else replace(self, archive=Archive(reason, at))


def balance_state(total_minor: int, balance_minor: int) -> InvoiceState:
    """Tell open, partly paid and paid apart; a credit memo (negative total) works mirrored.

    An overpaid invoice counts as paid. An invoice whose balance exceeds its total is open.
    """
    sign = -1 if total_minor < 0 or (total_minor == 0 and balance_minor < 0) else 1
    total, balance = sign * total_minor, sign * balance_minor
    if balance <= 0:
        return InvoiceState.PAID
    return InvoiceState.PARTIALLY_PAID if balance < total else InvoiceState.OPEN


def with_adjustment(lines: tuple[LineItem, ...], total_minor: int) -> tuple[LineItem, ...]:
    """Return the lines, with one adjustment line more when their sum differs from the total.

    ConnectWise totals hold agreement cover and hand-made adjustments on top of the lines.
    """
    difference = total_minor - sum(line.amount_minor for line in lines)
    if difference == 0:
        return lines
    adjustment = LineItem(LineKind.ADJUSTMENT, "Adjustments", difference)
    return (*lines, adjustment)
