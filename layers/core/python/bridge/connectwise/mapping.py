"""The mapping makes the bridge's customers and invoices of ConnectWise's rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from bridge.connectwise.wire import (
    Amount,
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
from bridge.domain.money import Currency, round_to_minor, to_minor
from bridge.domain.payment import Payment, PaymentKind

_NOT_BILLED = "DoNotBill"
_FREE = "NoCharge"
_EMAIL = "Email"


@dataclass(frozen=True, slots=True)
class Owner:
    """The owner is a partner's connection; the rows become its records."""

    partner_id: str
    connection_id: str


# --- invoices ----------------------------------------------------------------------------------


def to_invoice(
    owner: Owner,
    row: InvoiceRow,
    *,
    lines: Iterable[LineRow] = (),
    payments: Iterable[PaymentRow] = (),
) -> Invoice:
    """Return the whole invoice. Raises MalformedRecordError."""
    # The payer is the bill-to company, if there is one: our reading of the public interface.
    payer = row.bill_to_company or row.company
    if payer is None:
        raise MalformedRecordError("company is missing", field="company")
    currency = Currency(row.currency.currency_code, row.currency.number_of_decimals)
    invoice_id = mirrored_id(owner.connection_id, row.id)
    customer_id = mirrored_id(owner.connection_id, payer.id)
    total_minor = _exact(row.total, currency, "total")
    payment_of = partial(_payment, owner, invoice_id, customer_id, currency)
    return Invoice(
        invoice_id=invoice_id,
        partner_id=owner.partner_id,
        origin=Origin.CONNECTWISE,
        customer_id=customer_id,
        number=row.invoice_number,
        currency=currency,
        total_minor=total_minor,
        balance_minor=_exact(row.balance, currency, "balance"),
        issued_on=row.date,
        due_on=row.due_date,
        connection_id=owner.connection_id,
        source_id=row.id,
        customer_source_id=payer.id,
        type=row.type,
        subtotal_minor=_exact(row.subtotal, currency, "subtotal"),
        tax_minor=_exact(row.sales_tax, currency, "salesTax"),
        paid_minor=_exact(row.payments, currency, "payments"),
        credited_minor=_exact(row.credits, currency, "credits"),
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
        payments=tuple(map(payment_of, sorted(payments, key=lambda payment: payment.id))),
    )


def hides_all_lines(row: InvoiceRow, lines: Sequence[LineRow]) -> bool:
    """Tell whether an invoice has a subtotal and hides all its lines.

    ConnectWise may hide lines from the API member for a while, and leaves the change fingerprint
    as it is when they show again. So such an invoice is stored with an empty fingerprint, and each
    sweep looks once more.
    """
    return not lines and not row.agreement_amount and bool(row.subtotal)


def has_payments(row: InvoiceRow) -> bool:
    """Tell whether the header shows payments or credits."""
    return bool(row.payments) or bool(row.credits)


def _exact(amount: Amount | None, currency: Currency, field: str) -> int:
    return 0 if amount is None else to_minor(amount, currency, field=field)


def _status(row: InvoiceRow) -> BillingStatus | None:
    status = row.status
    return BillingStatus(status.id, status.name, status.is_closed) if status else None


def _named(ref: RefRow | None) -> NamedRef | None:
    return NamedRef(ref.id, ref.name) if ref else None


def _line_items(
    row: InvoiceRow, lines: Iterable[LineRow], currency: Currency
) -> tuple[LineItem, ...]:
    """Return the billed lines by kind and id: products, time, expenses, then the agreement fee."""
    shown = [_line_item(line, currency) for line in lines if _is_billed(line)]
    shown.sort(key=lambda item: (_LINE_ORDER[item.kind], item.source_id or 0))
    if row.agreement_amount:
        shown.append(_agreement_line(row, currency))
    return tuple(shown)


_LINE_ORDER = {kind: position for position, kind in enumerate(LineKind)}


def _is_billed(line: LineRow) -> bool:
    is_cancelled = isinstance(line, ProductRow) and line.cancelled_flag
    return line.billable_option != _NOT_BILLED and not is_cancelled


def _line_item(line: LineRow, currency: Currency) -> LineItem:
    match line:
        case ProductRow():
            return LineItem(
                LineKind.PRODUCT,
                line.customer_description or line.description or "Product",
                _billed_minor(line, line.ext_price, currency, "extPrice"),
                quantity=line.quantity,
                unit_price=line.price,
                source_id=line.id,
            )
        case TimeRow():
            work_type = line.work_type.name if line.work_type else ""
            return LineItem(
                LineKind.TIME,
                line.notes or work_type or "Time",
                _billed_minor(
                    line, line.extended_invoice_amount, currency, "extendedInvoiceAmount"
                ),
                quantity=line.invoice_hours,
                unit_price=line.hourly_rate,
                source_id=line.id,
            )
        case ExpenseRow():
            type_name = line.type.name if line.type else ""
            return LineItem(
                LineKind.EXPENSE,
                line.notes or type_name or "Expense",
                _billed_minor(line, line.invoice_amount, currency, "invoiceAmount"),
                source_id=line.id,
            )
    raise TypeError(f"{type(line).__name__} is no line of an invoice")


def _billed_minor(line: LineRow, amount: Amount | None, currency: Currency, field: str) -> int:
    """Return a line's amount, which is 0 for a line that is shown free of charge."""
    if amount is None or line.billable_option == _FREE:
        return 0
    return round_to_minor(amount, currency, field=field)


def _agreement_line(row: InvoiceRow, currency: Currency) -> LineItem:
    name = row.agreement.name if row.agreement else ""
    amount_minor = _exact(row.agreement_amount, currency, "agreementAmount")
    source_id = row.agreement.id if row.agreement else None
    return LineItem(LineKind.AGREEMENT, name or "Agreement", amount_minor, source_id=source_id)


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
        amount_minor=to_minor(row.amount, currency, field="payments.amount"),
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


def email_of(row: CompanyRow, contacts: Mapping[int, ContactRow]) -> str:
    """Return where invoices go: the company's own address, else its contacts' in turn."""
    if row.invoice_to_email_address.strip():
        return row.invoice_to_email_address.strip()
    known = (contacts.get(contact_id) for contact_id in contact_ids_of(row))
    addresses = (_contact_email(contact) for contact in known if contact)
    return next((address for address in addresses if address), "")


def _contact_email(contact: ContactRow) -> str:
    """Return the default e-mail address, else the first one."""
    items = [each for each in contact.communication_items or () if each.value.strip()]
    mails = [each for each in items if each.communication_type == _EMAIL]
    mails.sort(key=lambda each: not each.default_flag)
    return mails[0].value.strip() if mails else ""


def to_customer(
    owner: Owner, row: CompanyRow, contacts: Mapping[int, ContactRow], *, server_time: datetime
) -> Customer:
    """Return the customer, archived when ConnectWise marks the company deleted.

    The time of the deletion is ConnectWise's. Companies that were merged into another lack it;
    ``server_time`` takes its place.
    """
    return Customer(
        customer_id=mirrored_id(owner.connection_id, row.id),
        partner_id=owner.partner_id,
        origin=Origin.CONNECTWISE,
        name=row.name,
        connection_id=owner.connection_id,
        source_id=row.id,
        identifier=row.identifier,
        email=email_of(row, contacts),
        phone=row.phone_number,
        account_number=row.account_number,
        address=_address(row),
        status=_named(row.status),
        types=tuple(NamedRef(each.id, each.name) for each in row.types or ()),
        territory=_named(row.territory),
        billing_terms=_named(row.billing_terms),
        currency_code=row.currency.currency_code if row.currency else "",
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
