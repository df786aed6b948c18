"""What ConnectWise's books say, read past the API, in the form in which the mirror is compared.

Written independently of the adapter's mapping, so that the two can disagree.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, timedelta
from decimal import Decimal

from bridge.domain.customer import Customer
from bridge.domain.invoice import Invoice, LineKind
from bridge.domain.payment import Payment
from connectwise_sandbox.clock import day_of
from connectwise_sandbox.engine import Engine
from connectwise_sandbox.finance.balances import payments_of, with_balance
from connectwise_sandbox.finance.invoices import lines_of
from connectwise_sandbox.kinds import Kind, Record
from connectwise_sandbox.sight import is_in_sight
from connectwise_sandbox.tenant import Tenant

_LINE_KINDS = {
    Kind.PRODUCT: LineKind.PRODUCT,
    Kind.TIME_ENTRY: LineKind.TIME,
    Kind.EXPENSE_ENTRY: LineKind.EXPENSE,
}

PaymentFacts = tuple[int, int, date | None, str, int | None]
"""Id, amount in minor units, day, member, credit memo."""


@dataclass(frozen=True)
class InvoiceFacts:
    """Of one invoice, what both sides must agree on. Amounts are minor units."""

    number: str
    type: str
    currency: str
    total_minor: int
    balance_minor: int
    line_sum_minor: int
    due_on: date | None
    status: tuple[int, str, bool] | None
    payer_id: int | None
    lines: frozenset[tuple[LineKind, int]]
    payments: frozenset[PaymentFacts]


@dataclass(frozen=True)
class CustomerFacts:
    """Of one customer, what both sides must agree on."""

    name: str
    identifier: str
    email: str
    status_id: int | None
    is_deleted: bool


def true_invoice(engine: Engine, source_id: int) -> InvoiceFacts | None:
    """Return the facts of an invoice that ConnectWise has and shows to our member, else None."""
    tenant = engine.tenant
    stored = tenant.store[Kind.INVOICE].get(source_id)
    if stored is None or not is_in_sight(tenant.switches, stored):
        return None
    record = with_balance(tenant, stored)
    decimals = int(record["currency"]["numberOfDecimals"])
    payer = record.get("billToCompany") or record.get("company")
    total_minor = _minor(record["total"], decimals)
    return InvoiceFacts(
        number=record["invoiceNumber"],
        type=record["type"],
        currency=record["currency"]["currencyCode"],
        total_minor=total_minor,
        balance_minor=_minor(record["balance"], decimals),
        line_sum_minor=total_minor,
        due_on=day_of(record["dueDate"]) if record.get("dueDate") else None,
        status=_status(record),
        payer_id=payer["id"] if payer else None,
        lines=frozenset(_true_lines(tenant, source_id)),
        payments=frozenset(
            _true_payment(p, decimals, tenant.switches.payment_day_shift)
            for p in payments_of(tenant, source_id)
        ),
    )


def mirrored_invoice(invoice: Invoice) -> InvoiceFacts:
    """Return the facts as the mirror has them."""
    billed = {LineKind.PRODUCT, LineKind.TIME, LineKind.EXPENSE}
    status = invoice.status
    return InvoiceFacts(
        number=invoice.number,
        type=invoice.type.value,
        currency=invoice.currency.code,
        total_minor=invoice.total_minor,
        balance_minor=invoice.balance_minor,
        line_sum_minor=sum(line.amount_minor for line in invoice.line_items),
        due_on=invoice.due_on,
        status=(status.source_id, status.name, status.is_closed) if status else None,
        payer_id=invoice.customer_source_id,
        lines=frozenset(
            (line.kind, line.source_id or 0) for line in invoice.line_items if line.kind in billed
        ),
        payments=frozenset(map(mirrored_payment, invoice.payments)),
    )


def mirrored_payment(payment: Payment) -> PaymentFacts:
    return (
        payment.source_id,
        payment.amount_minor,
        payment.paid_on,
        payment.applied_by,
        payment.credit_source_id,
    )


def true_customer(engine: Engine, source_id: int) -> CustomerFacts | None:
    """Return the facts of a company that ConnectWise has, marked deleted or not, else None."""
    record = engine.tenant.store[Kind.COMPANY].get(source_id)
    if record is None:
        return None
    return CustomerFacts(
        name=record["name"],
        identifier=record["identifier"],
        email=_true_email(engine.tenant, record),
        status_id=record["status"]["id"] if "status" in record else None,
        is_deleted=record.get("deletedFlag") is True,
    )


def mirrored_customer(customer: Customer) -> CustomerFacts:
    """Return the facts as the mirror has them."""
    return CustomerFacts(
        name=customer.name,
        identifier=customer.identifier,
        email=customer.email,
        status_id=customer.status.source_id if customer.status else None,
        is_deleted=customer.archive is not None,
    )


def differences(true: object, mirrored: object) -> str:
    """Name the fields in which two facts differ, with both values."""
    return ", ".join(
        f"{field.name}: ConnectWise {getattr(true, field.name)!r}, "
        f"mirror {getattr(mirrored, field.name)!r}"
        for field in fields(true)  # type: ignore[arg-type]
        if getattr(true, field.name) != getattr(mirrored, field.name)
    )


def last_updated(engine: Engine, kind: Kind, source_id: int) -> str:
    """Return when ConnectWise says a record changed last, as it writes it."""
    record = engine.tenant.store[kind].get(source_id)
    return str(record["_info"]["lastUpdated"]) if record else ""


def _status(record: Record) -> tuple[int, str, bool] | None:
    status = record.get("status")
    return (status["id"], status["name"], status["isClosed"]) if status else None


def _true_lines(tenant: Tenant, invoice_id: int) -> list[tuple[LineKind, int]]:
    return [
        (line_kind, record["id"])
        for kind, line_kind in _LINE_KINDS.items()
        for record in lines_of(tenant, kind, invoice_id)
        if is_in_sight(tenant.switches, record)
        and record.get("billableOption") != "DoNotBill"
        and not record.get("cancelledFlag")
    ]


def _true_payment(record: Record, decimals: int, days_shifted: int) -> PaymentFacts:
    """Return a payment with the day that ConnectWise shows for it."""
    return (
        record["id"],
        _minor(record["amount"], decimals),
        day_of(record["paymentDate"]) + timedelta(days=days_shifted),
        record["appliedBy"],
        record.get("credit", {}).get("id"),
    )


def _true_email(tenant: Tenant, company: Record) -> str:
    own = str(company.get("invoiceToEmailAddress", "")).partition(";")[0].strip()
    if own:
        return own
    for field in ("billingContact", "defaultContact"):
        reference = company.get(field)
        contact = tenant.store[Kind.CONTACT].get(reference["id"]) if reference else None
        is_here = contact is not None and not contact.get("inactiveFlag")
        address = _default_email(contact) if contact and is_here else ""
        if address:
            return address
    return ""


def _default_email(contact: Record) -> str:
    mails = [
        item
        for item in contact.get("communicationItems", [])
        if item.get("communicationType") == "Email" and str(item.get("value", "")).strip()
    ]
    chosen = next((item for item in mails if item.get("defaultFlag")), mails[0] if mails else None)
    return str(chosen["value"]).strip() if chosen else ""


def _minor(amount: Decimal, decimals: int) -> int:
    return int((Decimal(amount) * 10**decimals).to_integral_value())
