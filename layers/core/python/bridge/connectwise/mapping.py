"""The mapping makes the bridge's customers and invoices of ConnectWise's rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import TypeVar

from bridge.connectwise.wire import (
    CompanyRow,
    ContactRow,
    ExpenseRow,
    InvoiceRow,
    LineRow,
    PaymentRow,
    ProductRow,
    RefRow,
    TimeRow,
)
from bridge.domain.customer import Address, Archive, ArchiveReason, Customer, NamedRef
from bridge.domain.errors import MalformedRecordError
from bridge.domain.identity import Origin, mirrored_id
from bridge.domain.invoice import (
    BillingStatus,
    Invoice,
    LineItem,
    LineKind,
    with_adjustment,
)
from bridge.domain.money import DOUBLE_NOISE, Currency, round_to_minor, to_minor
from bridge.domain.payment import Payment, PaymentKind

T = TypeVar("T")

_NOT_BILLED = "DoNotBill"
_FREE = "NoCharge"
_EMAIL = "Email"


@dataclass(frozen=True, slots=True)
class Owner:
    """The owner is a partner's connection; the rows become its records."""

    partner_id: str
    connection_id: str


# --- invoices ----------------------------------------------------------------------------------


def payer_of(row: InvoiceRow) -> RefRow | None:
    """Return the company that pays: the bill-to company if there is one, our reading of the public
    interface, else the invoice's own."""
    return row.bill_to_company or row.company


def to_invoice(
    owner: Owner,
    row: InvoiceRow,
    *,
    lines: Iterable[LineRow] = (),
    payments: Iterable[PaymentRow] = (),
    payers_currency: Currency | None = None,
) -> Invoice:
    """Return the whole invoice, in ``payers_currency`` where it leaves its own out.

    Raises MalformedRecordError.
    """
    payer_id = _required(payer_of(row), "company").id
    currency = _required(_currency(row) or payers_currency, "currency")
    invoice_id = mirrored_id(owner.connection_id, row.id)
    customer_id = mirrored_id(owner.connection_id, payer_id)
    total_minor = to_minor(row.total, currency, field="total")
    payment_of = partial(_payment, owner, invoice_id, customer_id, currency)
    paid = tuple(map(payment_of, sorted(payments, key=lambda payment: payment.id)))
    return Invoice(
        invoice_id=invoice_id,
        partner_id=owner.partner_id,
        origin=Origin.CONNECTWISE,
        customer_id=customer_id,
        number=row.invoice_number,
        currency=currency,
        total_minor=total_minor,
        balance_minor=to_minor(row.balance, currency, field="balance"),
        issued_on=row.date,
        due_on=row.due_date,
        connection_id=owner.connection_id,
        source_id=row.id,
        customer_source_id=payer_id,
        type=row.type,
        subtotal_minor=_explained_minor(currency, row.subtotal),
        tax_minor=_explained_minor(currency, row.sales_tax),
        paid_minor=_sum_minor(currency, row.payments, paid, PaymentKind.MONEY),
        credited_minor=_sum_minor(currency, row.credits, paid, PaymentKind.CREDIT),
        status=_status(row),
        billing_terms=_named(row.billing_terms),
        agreement=_named(row.agreement),
        agreement_type=row.agreement.type if row.agreement else "",
        location_id=row.location_id,
        department_id=row.department_id,
        reference=row.reference,
        purchase_order=row.customer_po,
        is_batched=row.gl_batch is not None,
        line_items=with_adjustment(_line_items(row, lines, currency), total_minor),
        payments=paid,
    )


def _currency(row: InvoiceRow) -> Currency | None:
    return row.currency.as_currency() if row.currency else None


def _required(value: T | None, field: str) -> T:
    if value is None:
        raise MalformedRecordError("is missing", field=field)
    return value


def hides_all_lines(row: InvoiceRow, lines: Sequence[LineRow]) -> bool:
    """Tell whether an invoice has a subtotal and hides all its lines.

    ConnectWise may hide lines from the API member for a while, and leaves the change fingerprint
    as it is when they show again. So such an invoice is stored with an empty fingerprint, and each
    sweep looks once more.
    """
    return not lines and not row.agreement_amount and bool(row.subtotal)


def has_payments(row: InvoiceRow) -> bool:
    """Tell whether the header shows payments or credits, by their sums or by the balance."""
    return bool(row.payments) or bool(row.credits) or row.balance != row.total


def owes_nothing(row: InvoiceRow) -> bool:
    """Tell whether nothing is left to pay."""
    return abs(row.balance) <= DOUBLE_NOISE


def _explained_minor(currency: Currency, amount: Decimal | None) -> int:
    """Return an amount that only explains, rounded, and 0 for one that is left out."""
    return (0 if amount is None else round_to_minor(amount, currency)) or 0


def _sum_minor(
    currency: Currency, stated: Decimal | None, payments: Sequence[Payment], kind: PaymentKind
) -> int:
    """Return the sum of a kind that the header states, else that of the payments themselves."""
    if stated is not None:
        return _explained_minor(currency, stated)
    return sum(payment.amount_minor for payment in payments if payment.kind is kind)


def _status(row: InvoiceRow) -> BillingStatus | None:
    status = row.status
    return BillingStatus(status.id, status.name, status.is_closed) if status else None


def _named(ref: RefRow | None) -> NamedRef | None:
    return NamedRef(ref.id, ref.name) if ref else None


def _line_items(
    row: InvoiceRow, lines: Iterable[LineRow], currency: Currency
) -> tuple[LineItem, ...]:
    """Return the billed lines by kind and id, then the lines that the header alone has."""
    shown = [_line_item(line, currency) for line in lines if _is_billed(line)]
    shown.sort(key=lambda item: (_LINE_ORDER[item.kind], item.source_id or 0))
    return (*shown, *_header_lines(row, currency))


_LINE_ORDER = {kind: position for position, kind in enumerate(LineKind)}


def _is_billed(line: LineRow) -> bool:
    is_cancelled = isinstance(line, ProductRow) and line.cancelled_flag
    return line.billable_option != _NOT_BILLED and not is_cancelled


def is_charged(line: LineRow) -> bool:
    """Tell whether a line is billed and costs the customer money."""
    return _is_billed(line) and line.billable_option != _FREE


def _line_item(line: LineRow, currency: Currency) -> LineItem:
    match line:
        case ProductRow():
            return LineItem(
                LineKind.PRODUCT,
                line.customer_description or line.description or "Product",
                _billed_minor(line, line.ext_price, currency),
                quantity=line.quantity,
                unit_price=line.price,
                source_id=line.id,
            )
        case TimeRow():
            work_type = line.work_type.name if line.work_type else ""
            return LineItem(
                LineKind.TIME,
                line.notes or work_type or "Time",
                _billed_minor(line, line.extended_invoice_amount, currency),
                quantity=line.invoice_hours,
                unit_price=line.hourly_rate,
                source_id=line.id,
            )
        case ExpenseRow():
            type_name = line.type.name if line.type else ""
            return LineItem(
                LineKind.EXPENSE,
                line.notes or type_name or "Expense",
                _billed_minor(line, line.invoice_amount, currency),
                source_id=line.id,
            )
    raise TypeError(f"{type(line).__name__} is no line of an invoice")


def _billed_minor(line: LineRow, amount: Decimal | None, currency: Currency) -> int:
    """Return a line's amount, which is 0 for a line that is shown free of charge."""
    return 0 if line.billable_option == _FREE else _explained_minor(currency, amount)


def _header_lines(row: InvoiceRow, currency: Currency) -> list[LineItem]:
    """Return the lines for the agreement's fee, for billing and payment ahead, and for the tax.

    ConnectWise states progress and down payments that it applied as positive amounts; they lower
    the total (public interface 2025.1 and a recorded sample).
    """
    agreement = row.agreement
    fee_minor = _explained_minor(currency, row.agreement_amount)
    progress_minor = _explained_minor(currency, row.previous_progress_applied)
    down_payment_minor = _explained_minor(currency, row.downpayment_applied)
    tax_minor = _explained_minor(currency, row.sales_tax)
    fee_name = (agreement.name if agreement else "") or "Agreement"
    fee_id = agreement.id if agreement else None
    lines = [
        LineItem(LineKind.AGREEMENT, fee_name, fee_minor, source_id=fee_id),
        LineItem(LineKind.PROGRESS, "Progress billed before", -abs(progress_minor)),
        LineItem(LineKind.DOWN_PAYMENT, "Down payment applied", -abs(down_payment_minor)),
        LineItem(LineKind.TAX, "Sales tax", tax_minor),
    ]
    return [line for line in lines if line.amount_minor]


def _payment(
    owner: Owner, invoice_id: str, customer_id: str, currency: Currency, row: PaymentRow
) -> Payment:
    return Payment(
        payment_id=mirrored_id(owner.connection_id, row.id),
        partner_id=owner.partner_id,
        connection_id=owner.connection_id,
        invoice_id=invoice_id,
        customer_id=customer_id,
        source_id=row.id,
        origin=Origin.CONNECTWISE,
        kind=PaymentKind.CREDIT if row.credit else PaymentKind.MONEY,
        amount_minor=to_minor(row.amount, currency, field="amount"),
        currency=currency,
        paid_on=row.payment_date,
        applied_by=row.applied_by,
        credit_source_id=row.credit.id if row.credit else None,
    )


# --- customers ---------------------------------------------------------------------------------


def contact_ids_of(row: CompanyRow) -> tuple[int, ...]:
    """Return the contacts that invoices may be sent to, the preferred one first."""
    contacts = (row.billing_contact, row.default_contact)
    return tuple(dict.fromkeys(contact.id for contact in contacts if contact))


def emails_of(row: CompanyRow, contacts: Mapping[int, ContactRow]) -> tuple[str, ...]:
    """Return where invoices go: the company's own addresses, else those of a contact in use."""
    if row.invoice_to_email_address:
        return row.invoice_to_email_address
    known = (contacts.get(contact_id) for contact_id in contact_ids_of(row))
    found = (_contact_emails(each) for each in known if each and not each.inactive_flag)
    return next((addresses for addresses in found if addresses), ())


def _contact_emails(contact: ContactRow) -> tuple[str, ...]:
    """Return the addresses of the default e-mail entry, else of the first one."""
    items = [each for each in contact.communication_items if each.value]
    mails = [each for each in items if each.communication_type == _EMAIL]
    mails.sort(key=lambda each: not each.default_flag)
    return mails[0].value if mails else ()


def to_customer(
    owner: Owner, row: CompanyRow, contacts: Mapping[int, ContactRow], *, server_time: datetime
) -> Customer:
    """Return the customer, archived when ConnectWise marks the company deleted.

    The time of the deletion is ConnectWise's. Companies that were merged into another lack it;
    ``server_time`` takes its place. A nameless company goes by its identifier or id.
    """
    email, *further_emails = emails_of(row, contacts) or ("",)
    return Customer(
        customer_id=mirrored_id(owner.connection_id, row.id),
        partner_id=owner.partner_id,
        origin=Origin.CONNECTWISE,
        name=row.name.strip() or row.identifier or f"Company {row.id}",
        connection_id=owner.connection_id,
        source_id=row.id,
        identifier=row.identifier,
        email=email,
        further_emails=tuple(further_emails),
        cc_emails=row.invoice_cc_email_address,
        phone=row.phone_number,
        account_number=row.account_number,
        address=_address(row),
        status=_named(row.status),
        types=tuple(NamedRef(each.id, each.name) for each in row.types),
        territory=_named(row.territory),
        billing_terms=_named(row.billing_terms),
        currency_code=row.currency_code,
        contact_ids=contact_ids_of(row),
        archive=_archive(row, server_time),
    )


def _address(row: CompanyRow) -> Address:
    return Address(
        line_1=row.address_line_1,
        line_2=row.address_line_2,
        city=row.city,
        state=row.state,
        zip=row.zip,
        country=row.country.name if row.country else "",
    )


def _archive(row: CompanyRow, server_time: datetime) -> Archive | None:
    if not row.deleted_flag:
        return None
    at = _moment(row.date_deleted) or server_time
    return Archive(ArchiveReason.DELETED_IN_CONNECTWISE, at)


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
