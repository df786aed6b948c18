"""The rows are ConnectWise's records as they come over the wire, with the few properties we use.

ConnectWise leaves null properties out, adds properties at any time and is loose with types. So
other properties are ignored, and an absent property equals a null one. What decides about money,
identity or time must be right: ids, total, balance, the amounts of payments, currency, dates, payer
and type of an invoice. A row that breaks this raises MalformedRecordError and leaves the other rows
as they are. All other properties explain: an unreadable one is left out.
Source of the facts: ConnectWise public interface 2025.1 and recorded answers.
"""

from __future__ import annotations

from typing import Annotated, TypeVar

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)
from pydantic.alias_generators import to_camel

from bridge.connectwise.wire_values import (
    Addresses,
    Amount,
    Day,
    ExplainingAmount,
    ExplainingDay,
    Flag,
    Id,
    MemberName,
    OptionalDay,
    OptionalId,
    Text,
    currency_code_of,
    deciding_reference_of,
    mapping_of,
    mappings_of,
    named_currency_of,
    reference_of,
    references_of,
)
from bridge.domain.currencies import currency_of
from bridge.domain.errors import MalformedRecordError
from bridge.domain.invoice import InvoiceType
from bridge.domain.money import Currency


class Row(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="ignore",
        frozen=True,
        defer_build=True,  # A function reads few kinds of rows.
    )


class RefRow(Row):
    """A reference points to another record, by its id and the tenant's name for it."""

    id: Id
    name: Text = ""


class IdRow(Row):
    id: Id


class NameRow(Row):
    name: Text = ""


class StatusRow(RefRow):
    is_closed: Flag = False


class AgreementRow(RefRow):
    type: Text = ""


OptionalRef = Annotated[RefRow | None, BeforeValidator(reference_of)]
OptionalStatus = Annotated[StatusRow | None, BeforeValidator(reference_of)]
OptionalIdRef = Annotated[IdRow | None, BeforeValidator(reference_of)]
OptionalName = Annotated[NameRow | None, BeforeValidator(mapping_of)]
DecidingIdRef = Annotated[IdRow | None, BeforeValidator(deciding_reference_of)]
DecidingRef = Annotated[RefRow | None, BeforeValidator(deciding_reference_of)]


class CurrencyRow(Row):
    """The row names a currency; older servers call its code ``isoCode``.

    Source: ConnectWise public interface 2025.1 and samples of on-premise servers before it.
    """

    currency_code: str = Field(validation_alias=AliasChoices("currencyCode", "isoCode"))
    number_of_decimals: Annotated[int | None, Field(strict=True)] = None

    def as_currency(self) -> Currency:
        """Return the currency, with its official decimals where ConnectWise leaves them out.

        Raises MalformedRecordError for an impossible code or number of decimals.
        """
        if self.number_of_decimals is None:
            return currency_of(self.currency_code)
        return Currency(self.currency_code, self.number_of_decimals)


CurrencyCode = Annotated[Text, BeforeValidator(currency_code_of)]
OptionalCurrency = Annotated[CurrencyRow | None, BeforeValidator(named_currency_of)]


class InvoiceRow(Row):
    """The row is the header of an invoice, with money in the currency's major unit."""

    id: Id
    type: InvoiceType
    invoice_number: Text = ""
    status: OptionalStatus = None
    company: DecidingRef = None
    bill_to_company: DecidingRef = None
    date: Day
    due_date: OptionalDay = None
    currency: OptionalCurrency = None
    total: Amount
    balance: Amount
    payments: ExplainingAmount = None
    credits: ExplainingAmount = None
    subtotal: ExplainingAmount = None
    sales_tax: ExplainingAmount = None
    agreement_amount: ExplainingAmount = None
    previous_progress_applied: ExplainingAmount = None
    downpayment_applied: ExplainingAmount = None
    agreement: Annotated[AgreementRow | None, BeforeValidator(reference_of)] = None
    location_id: OptionalId = None
    department_id: OptionalId = None
    reference: Text = ""
    customer_po: Text = Field(default="", alias="customerPO")
    billing_terms: OptionalRef = None
    gl_batch: OptionalIdRef = None


class LineRow(Row):
    """The row is a line, which explains its invoice; the invoice's total decides."""

    id: OptionalId = None
    invoice: IdRow
    billable_option: Text = ""


class LineSums(Row):
    """The sums of an invoice's lines, by kind, stand in its header."""

    product_total: ExplainingAmount = None
    service_total: ExplainingAmount = None
    expense_total: ExplainingAmount = None


class ProductRow(LineRow):
    """The row is a product on an invoice."""

    description: Text = ""
    customer_description: Text = ""
    quantity: ExplainingAmount = None
    price: ExplainingAmount = None
    ext_price: ExplainingAmount = None
    """The price of the whole quantity."""
    cancelled_flag: Flag = False


class TimeRow(LineRow):
    """The row is a time entry on an invoice."""

    notes: Text = ""
    """The customer reads these notes on the invoice."""
    work_type: OptionalName = None
    invoice_hours: ExplainingAmount = None
    hourly_rate: ExplainingAmount = None
    extended_invoice_amount: ExplainingAmount = None


class ExpenseRow(LineRow):
    notes: Text = ""
    type: OptionalName = None
    invoice_amount: ExplainingAmount = None


class PaymentRow(Row):
    """The row is a payment of an invoice."""

    id: Id
    amount: Amount
    payment_date: ExplainingDay = None
    applied_by: MemberName = ""
    credit: OptionalIdRef = None
    """The credit memo that was applied to the invoice in place of money."""


class CompanyRow(Row):
    """The row is a company; its id decides, and everything else explains."""

    id: Id
    name: Text = ""
    identifier: Text = ""
    status: OptionalRef = None
    types: Annotated[tuple[RefRow, ...], BeforeValidator(references_of)] = ()
    territory: OptionalRef = None
    account_number: Text = ""
    phone_number: Text = ""
    address_line_1: Text = Field(default="", alias="addressLine1")
    address_line_2: Text = Field(default="", alias="addressLine2")
    city: Text = ""
    state: Text = ""
    zip: Text = ""
    country: OptionalName = None
    billing_terms: OptionalRef = None
    currency_code: Annotated[Text, BeforeValidator(currency_code_of)] = Field(
        default="", alias="currency"
    )
    default_contact: OptionalIdRef = None
    billing_contact: OptionalIdRef = None
    invoice_to_email_address: Addresses = ()
    invoice_cc_email_address: Addresses = Field(default=(), alias="invoiceCCEmailAddress")
    deleted_flag: Flag = False
    date_deleted: Text = ""


class CommunicationRow(Row):
    value: Addresses = ()
    communication_type: Text = ""
    default_flag: Flag = False


class ContactRow(Row):
    id: Id
    inactive_flag: Flag = False
    communication_items: Annotated[tuple[CommunicationRow, ...], BeforeValidator(mappings_of)] = ()


class MemberRow(Row):
    id: Id
    identifier: Text = ""


class CallbackRow(Row):
    """The row is a callback registration."""

    id: Id
    url: Text = ""
    type: Text = ""
    level: Text = ""
    member_id: OptionalId = None
    inactive_flag: Flag = False


AnyRow = TypeVar("AnyRow", bound=Row)


def parse_row(model: type[AnyRow], row: object) -> AnyRow:
    """Return the row as its model.

    Raises MalformedRecordError with a fixed text and the property's name. The value is never
    told.
    """
    try:
        return model.model_validate(row)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        field = str(first["loc"][0]) if first["loc"] else "record"
        reason = _COMPLAINTS.get(first["type"], "cannot be read")
        raise MalformedRecordError(reason, field=field) from None


_COMPLAINTS = {
    "missing": "is missing",
    "enum": "has an unknown value",
    "finite_number": "is not a number",
}
