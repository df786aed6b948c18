"""Invoice models show invoices with their lines and payments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import AwareDatetime, Field, StringConstraints

from bridge.domain.identity import Origin
from bridge.domain.invoice import (
    Invoice,
    InvoiceState,
    InvoiceType,
    LineItem,
    LineKind,
)
from bridge.domain.money import MAX_AMOUNT_MINOR, Currency
from bridge.domain.write_back import WriteBack
from bridge.platform_records.records import InvoiceDetails
from dashboard_api.models.billing_statuses import StatusView
from dashboard_api.models.psa_payments import PsaPaymentView
from dashboard_api.models.selection_sums import SelectionSumsView
from dashboard_api.models.values import (
    AmountView,
    ArchiveView,
    CalendarDate,
    CurrencyCode,
    FoundPage,
    Input,
    Line,
    Name,
    NamedRefView,
    View,
    plain,
)

MAX_LINES = 200

AmountMinor = Annotated[int, Field(strict=True, ge=-MAX_AMOUNT_MINOR, le=MAX_AMOUNT_MINOR)]
SignedDecimalText = Annotated[str, StringConstraints(pattern=r"^-?[0-9]{1,12}(\.[0-9]{1,6})?$")]
InvoiceNumber = Annotated[Name, Field(max_length=50)]
LineItems = Annotated[tuple["LineItemInput", ...], Field(min_length=1, max_length=MAX_LINES)]


class LineItemInput(Input):
    """A line's amount counts; quantity and unit price only explain it."""

    description: Annotated[Line, Field(min_length=1)]
    amount_minor: AmountMinor
    quantity: SignedDecimalText | None = None
    unit_price: SignedDecimalText | None = None

    def to_domain(self) -> LineItem:
        return LineItem(
            kind=LineKind.PRODUCT,
            description=self.description,
            amount_minor=self.amount_minor,
            quantity=None if self.quantity is None else Decimal(self.quantity),
            unit_price=None if self.unit_price is None else Decimal(self.unit_price),
        )


class InvoiceInput(Input):
    """A new invoice lives on the platform only. Amounts are minor units of its currency."""

    customer_id: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    number: InvoiceNumber
    currency: CurrencyCode = Field(description="ISO 4217.")
    issued_on: CalendarDate
    due_on: CalendarDate | None = None
    reference: Line | None = None
    purchase_order: Line | None = None
    line_items: LineItems

    def to_details(self) -> InvoiceDetails:
        return InvoiceDetails(
            customer_id=self.customer_id,
            number=self.number,
            currency_code=self.currency,
            issued_on=self.issued_on,
            due_on=self.due_on,
            reference=self.reference or "",
            purchase_order=self.purchase_order or "",
            line_items=tuple(line.to_domain() for line in self.line_items),
        )


class InvoicePatch(Input):
    """A patch changes a platform-only invoice: a field left out stays.

    A null takes the value away where it is optional for the invoice.
    """

    number: InvoiceNumber | None = None
    issued_on: CalendarDate | None = None
    due_on: CalendarDate | None = None
    reference: Line | None = None
    purchase_order: Line | None = None
    line_items: LineItems | None = None

    def apply_to(self, invoice: Invoice) -> Invoice:
        lines = tuple(line.to_domain() for line in self.line_items or ())
        return replace(
            invoice,
            number=self.number or invoice.number,
            issued_on=self.issued_on or invoice.issued_on,
            due_on=self.sent("due_on", invoice.due_on),
            reference=self.sent("reference", invoice.reference) or "",
            purchase_order=self.sent("purchase_order", invoice.purchase_order) or "",
            line_items=lines or invoice.line_items,
        )


class LineItemView(View):
    """A line explains a part of the invoice's total."""

    kind: LineKind
    description: str
    amount: AmountView
    quantity: str | None
    unit_price: str | None

    @classmethod
    def of(cls, line: LineItem, currency: Currency) -> LineItemView:
        return cls(
            kind=line.kind,
            description=line.description,
            amount=AmountView.of(line.amount_minor, currency),
            quantity=plain(line.quantity),
            unit_price=plain(line.unit_price),
        )


@dataclass(frozen=True, slots=True)
class Beside:
    """Views of invoices show these facts beside the invoice itself."""

    today: date
    """In UTC."""
    customer_names: Mapping[str, str]
    """By the customers' ids."""
    outside_filters: frozenset[str] = frozenset()
    """The ids of invoices that lie outside the import filters."""


class InvoiceView(View):
    """An invoice is listed as one row, and its lines are read with the single invoice."""

    id: str
    connection_id: str | None
    source_id: int | None
    origin: Origin
    customer_id: str
    customer_name: str | None = Field(
        None, description="The customer's name; null where only the invoice is known."
    )
    number: str
    type: InvoiceType
    state: InvoiceState = Field(description="It follows the balance, whatever the status says.")
    status: StatusView | None
    total: AmountView
    balance: AmountView
    is_overdue: bool = Field(
        description="A customer owes a part of it that was due before today (UTC); a credit memo "
        "is never overdue."
    )
    paid: AmountView
    credited: AmountView
    issued_on: date
    due_on: date | None
    archive: ArchiveView | None
    outside_filters: bool = Field(
        description="It lies outside the import filters, and stays until it is archived."
    )

    @classmethod
    def of(cls, invoice: Invoice, beside: Beside) -> InvoiceView:
        money = invoice.currency
        return cls(
            id=invoice.invoice_id,
            connection_id=invoice.connection_id,
            source_id=invoice.source_id,
            origin=invoice.origin,
            customer_id=invoice.customer_id,
            customer_name=beside.customer_names.get(invoice.customer_id),
            number=invoice.number,
            type=invoice.type,
            state=invoice.state,
            status=StatusView.of(invoice.status),
            total=AmountView.of(invoice.total_minor, money),
            balance=AmountView.of(invoice.balance_minor, money),
            is_overdue=invoice.is_overdue(beside.today),
            paid=AmountView.of(invoice.paid_minor, money),
            credited=AmountView.of(invoice.credited_minor, money),
            issued_on=invoice.issued_on,
            due_on=invoice.due_on,
            archive=ArchiveView.of(invoice.archive),
            outside_filters=invoice.invoice_id in beside.outside_filters,
        )


class PdfReference(View):
    """A reference tells where to ask for the PDF, which may have to be fetched first."""

    url: str


class InvoiceDetail(InvoiceView):
    """A single invoice is shown with its lines, its payments and the way to its PDF."""

    subtotal: AmountView
    tax: AmountView
    billing_terms: NamedRefView | None
    agreement: NamedRefView | None
    agreement_type: str | None
    location_id: int | None
    department_id: int | None
    reference: str | None
    purchase_order: str | None
    line_items: list[LineItemView]
    payments: list[PsaPaymentView]
    payments_complete: bool = Field(
        description="False: its payments are still to be read; total and balance are right."
    )
    pdf: PdfReference | None

    @classmethod
    def of(
        cls,
        invoice: Invoice,
        beside: Beside,
        write_backs: Mapping[str, WriteBack] | None = None,
    ) -> InvoiceDetail:
        """Return the view; the write-backs are those that own the invoice's payments."""
        owning = write_backs or {}
        money = invoice.currency
        has_pdf = invoice.origin is Origin.CONNECTWISE
        return cls(
            **dict(InvoiceView.of(invoice, beside)),
            subtotal=AmountView.of(invoice.subtotal_minor, money),
            tax=AmountView.of(invoice.tax_minor, money),
            billing_terms=NamedRefView.of(invoice.billing_terms),
            agreement=NamedRefView.of(invoice.agreement),
            agreement_type=invoice.agreement_type or None,
            location_id=invoice.location_id,
            department_id=invoice.department_id,
            reference=invoice.reference or None,
            purchase_order=invoice.purchase_order or None,
            line_items=[LineItemView.of(line, money) for line in invoice.line_items],
            payments=[
                PsaPaymentView.of(
                    payment,
                    owning.get(payment.payment_id),
                    invoice_number=invoice.number,
                    customer_name=beside.customer_names.get(payment.customer_id),
                )
                for payment in invoice.payments
            ],
            payments_complete=invoice.payments_complete,
            pdf=PdfReference(url=pdf_path(invoice.invoice_id)) if has_pdf else None,
        )


class InvoicePage(FoundPage[InvoiceView]):
    """A page of invoices holds unpaid ones first, then goes by due date."""

    sums: SelectionSumsView | None = Field(
        None, description="Of the whole selection, where `with_sums` asks for it."
    )


class PdfLinkView(View):
    """A link lets its holder download the PDF until it expires."""

    url: str
    expires_at: AwareDatetime


class PdfPendingView(View):
    """The PDF is being fetched."""

    status_url: str = Field(description="Where to ask again after Retry-After seconds.")


def pdf_path(invoice_id: str) -> str:
    return f"/v1/invoices/{invoice_id}/pdf"
