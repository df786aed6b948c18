"""The rows are ConnectWise's records as they come over the wire, with the few properties we use.

ConnectWise leaves null properties out, adds properties at any time and is loose with types. So
other properties are ignored, an absent property equals a null one, and only the properties that
decide about money, time or identity must have their type. A row that breaks this raises
MalformedRecordError and leaves the other rows as they are.
Source of the facts: ConnectWise public interface 2025.1 and recorded answers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from bridge.domain.errors import MalformedRecordError
from bridge.domain.invoice import InvoiceType

MAX_ID = 2**31 - 1
MAX_TEXT_CHARACTERS = 500

_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(?:T.*)?")
_MAX_NUMBER_CHARACTERS = 40
_MAX_EXPONENT = 20


def _text(value: object) -> str:
    """Return a text that only informs, made storable whatever came.

    Another type becomes an empty text, length is cut, and halves of characters are replaced.
    """
    text = value[:MAX_TEXT_CHARACTERS] if isinstance(value, str) else ""
    return text.encode(errors="replace").decode()


def _day(value: object) -> str:
    """Return a calendar day, which ConnectWise writes as midnight UTC; its zone is cut off."""
    match = _DAY.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("not a day")
    return match[1]


def _amount(value: object) -> object:
    """Return a number, which may come as a text. Raises ValueError for true and false."""
    if isinstance(value, bool | float) or (
        isinstance(value, str) and len(value) > _MAX_NUMBER_CHARACTERS
    ):
        raise ValueError("not a number")
    return value


def _plausible(value: Decimal) -> Decimal:
    if value.adjusted() > _MAX_EXPONENT:
        raise ValueError("out of range")
    return value


def _explaining_amount(value: object) -> Decimal | None:
    """Return a number that only explains a line, or None for an unreadable one."""
    if isinstance(value, bool | float) or not isinstance(value, int | str | Decimal):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() and number.adjusted() <= _MAX_EXPONENT else None


def _mapping(value: object) -> object:
    return value if isinstance(value, Mapping) else None


def _flag(value: object) -> bool:
    return value is True


Id = Annotated[int, Field(ge=1, le=MAX_ID, strict=True)]
Text = Annotated[str, BeforeValidator(_text)]
Day = Annotated[date, BeforeValidator(_day)]
Amount = Annotated[Decimal, BeforeValidator(_amount), AfterValidator(_plausible)]
ExplainingAmount = Annotated[Decimal | None, BeforeValidator(_explaining_amount)]
Flag = Annotated[bool, BeforeValidator(_flag)]
Billable = Literal["Billable", "DoNotBill", "NoCharge", "NoDefault"]


class Row(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True
    )


class RefRow(Row):
    """A reference points to another record, by its id and the tenant's name for it."""

    id: Id
    name: Text = ""


OptionalRef = Annotated[RefRow | None, BeforeValidator(_mapping)]


class IdRow(Row):
    id: Id


class NameRow(Row):
    name: Text = ""


OptionalName = Annotated[NameRow | None, BeforeValidator(_mapping)]


class StatusRow(RefRow):
    is_closed: Flag = False


class AgreementRow(RefRow):
    type: Text = ""


class CurrencyRow(Row):
    currency_code: str
    number_of_decimals: Annotated[int, Field(strict=True)] = 2


class InvoiceRow(Row):
    """The row is the header of an invoice, with money in the currency's major unit."""

    id: Id
    type: InvoiceType
    invoice_number: Text = ""
    status: StatusRow | None = None
    company: IdRow | None = None
    bill_to_company: IdRow | None = None
    date: Day
    due_date: Day | None = None
    currency: CurrencyRow
    total: Amount
    balance: Amount
    payments: Amount | None = None
    credits: Amount | None = None
    subtotal: Amount | None = None
    sales_tax: Amount | None = None
    agreement_amount: Amount | None = None
    agreement: Annotated[AgreementRow | None, BeforeValidator(_mapping)] = None
    location_id: Id | None = None
    department_id: Id | None = None
    reference: Text = ""
    customer_po: Text = Field(default="", alias="customerPO")
    billing_terms: OptionalRef = None
    gl_batch: IdRow | None = None


class LineRow(Row):
    id: Id
    invoice: IdRow
    billable_option: Billable = "Billable"


class ProductRow(LineRow):
    """The row is a product on an invoice."""

    description: Text = ""
    customer_description: Text = ""
    quantity: ExplainingAmount = None
    price: ExplainingAmount = None
    ext_price: Amount | None = None
    """The price of the whole quantity."""
    cancelled_flag: Flag = False


class TimeRow(LineRow):
    """The row is a time entry on an invoice."""

    notes: Text = ""
    """The customer reads these notes on the invoice."""
    work_type: OptionalName = None
    invoice_hours: ExplainingAmount = None
    hourly_rate: ExplainingAmount = None
    extended_invoice_amount: Amount | None = None


class ExpenseRow(LineRow):
    notes: Text = ""
    type: OptionalName = None
    invoice_amount: Amount | None = None


class PaymentRow(Row):
    """The row is a payment of an invoice."""

    id: Id
    amount: Amount
    payment_date: Day | None = None
    applied_by: Text = ""
    credit: IdRow | None = None
    """The credit memo that was applied to the invoice in place of money."""


class CustomerCurrencyRow(Row):
    currency_code: Text = ""


class CompanyRow(Row):
    id: Id
    name: Annotated[str, Field(min_length=1, max_length=MAX_TEXT_CHARACTERS)]
    identifier: Text = ""
    status: RefRow | None = None
    types: tuple[RefRow, ...] | None = None
    territory: RefRow | None = None
    account_number: Text = ""
    phone_number: Text = ""
    address_line_1: Text = Field(default="", alias="addressLine1")
    address_line_2: Text = Field(default="", alias="addressLine2")
    city: Text = ""
    state: Text = ""
    zip: Text = ""
    country: OptionalName = None
    billing_terms: OptionalRef = None
    currency: Annotated[CustomerCurrencyRow | None, BeforeValidator(_mapping)] = None
    default_contact: Annotated[IdRow | None, BeforeValidator(_mapping)] = None
    billing_contact: Annotated[IdRow | None, BeforeValidator(_mapping)] = None
    invoice_to_email_address: Text = ""
    deleted_flag: Flag = False
    date_deleted: Text = ""


class CommunicationRow(Row):
    value: Text = ""
    communication_type: Text = ""
    default_flag: Flag = False


class ContactRow(Row):
    id: Id
    communication_items: tuple[CommunicationRow, ...] | None = None


class MemberRow(Row):
    id: Id
    identifier: Text = ""


class CallbackRow(Row):
    """The row is a callback registration."""

    id: Id
    url: Text = ""
    type: Text = ""
    level: Text = ""
    member_id: int | None = None
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
        field = ".".join(str(step) for step in first["loc"]) or "record"
        raise MalformedRecordError(
            f"{field} {_COMPLAINTS.get(first['type'], 'cannot be read')}", field=field
        ) from None


def complaint(error: MalformedRecordError) -> str:
    """Return the complaint about a record, with the property's name."""
    if error.field is None or error.reason.startswith(error.field):
        return error.reason
    return f"{error.field}: {error.reason}"


_COMPLAINTS = {
    "missing": "is missing",
    "enum": "has an unknown value",
    "literal_error": "has an unknown value",
    "finite_number": "is not a number",
}


# --- change fingerprints -----------------------------------------------------------------------

INVOICE_FINGERPRINT_FIELDS = (
    "_info/lastUpdated",
    "balance",
    "total",
    "payments",
    "credits",
    "status/id",
    "dueDate",
)
COMPANY_FINGERPRINT_FIELDS = (
    "_info/lastUpdated",
    "deletedFlag",
    "status/id",
    "territory/id",
)


def fingerprint(row: Mapping[str, Any], fields: tuple[str, ...]) -> str:
    """Return the named properties of a row as one text that is equal when they are.

    The same record gives the same fingerprint from a list and from a whole record, because both
    ask for these fields.
    """
    values = [_at(row, path) for path in fields]
    return json.dumps(values, default=_mark, separators=(",", ":"))


def _at(row: Mapping[str, Any], path: str) -> object:
    value: object = row
    for name in path.split("/"):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _mark(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value.normalize()) if value.is_finite() else str(value)
    return ""
