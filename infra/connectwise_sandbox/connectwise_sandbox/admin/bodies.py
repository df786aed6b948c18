"""Commands of the admin interface take these bodies; `by` names the acting member."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from connectwise_sandbox.kinds import PATHS, Kind
from connectwise_sandbox.money import MAX_AMOUNT
from connectwise_sandbox.people import OTHER_SYNC, PERSON
from connectwise_sandbox.permissions import Action
from connectwise_sandbox.switches import Switches

MAX_MUTATIONS = 100_000
MAX_LINES = 100_000
MAX_RAW_CHARACTERS = 900_000

Amount = Annotated[Decimal, Field(ge=-MAX_AMOUNT, le=MAX_AMOUNT)]
Email = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=250)]
RawText = Annotated[str, Field(max_length=MAX_RAW_CHARACTERS)]


def _with_decimals(properties: dict[str, Any]) -> dict[str, Any]:
    """Return properties whose numbers with a fraction are exact, as those of the books are."""
    return {
        name: Decimal(repr(value)) if isinstance(value, float) else value
        for name, value in properties.items()
    }


class Body(BaseModel):
    """A body is the JSON object of one command."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class ByPerson(Body):
    """This command acts as a member of ConnectWise would."""

    by: Annotated[str, Field(min_length=1, max_length=30)] = PERSON


class Line(Body):
    """A line bills one product."""

    description: Annotated[str, Field(max_length=200)] = "Service"
    amount: Amount
    quantity: Annotated[Amount, Field(gt=0)] = Decimal(1)


class NewInvoice(ByPerson):
    """A new invoice bills lines to a company."""

    company_id: int
    lines: list[Line] = []
    type: Literal[
        "Agreement", "CreditMemo", "DownPayment", "Miscellaneous", "Progress", "Standard"
    ] = "Standard"
    due_on: date | None = None
    """By default in 30 days."""


class InvoiceChange(ByPerson):
    """A change of an invoice names its new values."""

    due_on: date | None = None
    total: Amount | None = None
    """Billed by one more line."""
    status: str | None = None
    """The name of a billing status."""


class NewLines(ByPerson):
    """Many equal lines are added to an invoice at once."""

    count: Annotated[int, Field(ge=1, le=MAX_LINES)]
    amount: Amount = Decimal("0.01")
    """Of each line."""


class NewPayment(ByPerson):
    """A new payment is money received."""

    amount: Annotated[Amount, Field(gt=0)]
    on: date | None = None
    """By default today."""


class NewCredit(ByPerson):
    """A new credit applies a credit memo."""

    amount: Annotated[Amount, Field(gt=0)]
    credit_memo_id: int | None = None
    """By default a new memo over the amount."""


class Rewriting(Body):
    """A rewriting deletes payments and enters them anew."""

    by: str = OTHER_SYNC


class Mutation(ByPerson):
    """A mutation changes invoices at random."""

    count: Annotated[int, Field(ge=1, le=MAX_MUTATIONS)]
    what: Literal["due_date", "total"] = "due_date"


class NewCompany(ByPerson):
    """A new company can be billed."""

    identifier: Annotated[str, Field(min_length=1, max_length=30)]
    name: Annotated[str, Field(min_length=1, max_length=50)]
    email: str | None = None


class CompanyChange(ByPerson):
    """A change of a company names its new values."""

    name: Annotated[str, Field(min_length=1, max_length=50)] | None = None
    invoice_email: str | None = None
    phone_number: str | None = None


class Merge(ByPerson):
    """A merge names the company that stays."""

    into: int


class NewEmail(ByPerson):
    """A new e-mail address becomes a contact's default one."""

    email: Email


class BillingStatusChange(ByPerson):
    """A change of a billing status shows on every invoice that has it."""

    name: Annotated[str, Field(min_length=1, max_length=30)] | None = None
    closes: bool | None = None
    """If true, invoices with the status count as closed."""


class RecordChange(ByPerson):
    """A change of any record replaces properties, as they stand in the API."""

    resource: str = PATHS[Kind.INVOICE]
    id: int
    changes: Annotated[dict[str, Any], AfterValidator(_with_decimals)]
    """Properties by name; null removes one, and a reference needs only its id."""
    silent: bool = False
    """If true, `lastUpdated` stays and callbacks stay out of it."""


class Cell(Body):
    """A cell of the security matrix grants an action or denies it."""

    module: str
    row: str
    action: Action
    level: Literal["None", "All"]


class Codebase(Body):
    """A codebase is the one after an upgrade; by default it is the next one."""

    codebase: Annotated[str, Field(pattern=r"^v[0-9]{4}_[0-9]+/$")] | None = None


class CorruptRow(Body):
    """A corrupt row breaks the answers that hold it, or shows nonsense."""

    resource: str = PATHS[Kind.INVOICE]
    id: int
    flavour: Literal["breaks_page", "bad_total", "bad_type", "missing_currency"] | None = None
    fails_above_rows: Annotated[int, Field(ge=0)] | None = None
    """Pages of more rows than this fail."""
    overrides: dict[str, Any] = {}
    """Properties that the row shows instead of its own; null leaves one out."""
    raw_overrides: dict[str, RawText] = {}
    """Properties with their JSON as a text, sent as it stands, such as `1e1000000`."""
    raw_row: RawText | None = None
    """The JSON of the whole row as a text, sent as it stands."""


class SwitchChange(BaseModel):
    """Any switches by name; `Switches` itself checks names and values."""

    model_config = ConfigDict(
        extra="allow", json_schema_extra=lambda schema: schema.update(Switches.model_json_schema())
    )
