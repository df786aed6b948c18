"""Invoices with their lines and payments."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import AwareDatetime, Field, StringConstraints

from bridge.domain.identity import Origin
from bridge.domain.invoice import (
    BillingStatus,
    Invoice,
    InvoiceState,
    InvoiceType,
    LineItem,
    LineKind,
)
from bridge.domain.money import MAX_AMOUNT_MINOR, Currency
from bridge.sync.pdf_links import PdfLink
from bridge.sync.platform_records import InvoiceDetails
from dashboard_api.models.payments import PaymentView
from dashboard_api.models.values import (
    AmountView,
    ArchiveView,
    CalendarDate,
    CurrencyCode,
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
LineItems = Annotated[tuple["LineItemInput", ...], Field(min_length=1, max_length=MAX_LINES)]


class LineItemInput(Input):
    """``amount_minor`` counts; quantity and unit price only explain it."""

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
    """A platform-only invoice. Amounts are minor units of ``currency`` (ISO 4217)."""

    customer_id: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    number: Annotated[Name, Field(max_length=50)]
    currency: CurrencyCode
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
    """What may be changed of a platform-only invoice; what is left out stays.

    A null takes the value away where the invoice can be without it.
    """

    number: Annotated[Name, Field(max_length=50)] | None = None
    issued_on: CalendarDate | None = None
    due_on: CalendarDate | None = None
    reference: Line | None = None
    purchase_order: Line | None = None
    line_items: LineItems | None = None

    def apply_to(self, invoice: Invoice) -> Invoice:
        sent = self.model_fields_set
        lines = tuple(line.to_domain() for line in self.line_items or ())
        return replace(
            invoice,
            number=self.number or invoice.number,
            issued_on=self.issued_on or invoice.issued_on,
            due_on=self.due_on if "due_on" in sent else invoice.due_on,
            reference=(self.reference or "") if "reference" in sent else invoice.reference,
            purchase_order=(self.purchase_order or "")
            if "purchase_order" in sent
            else invoice.purchase_order,
            line_items=lines or invoice.line_items,
        )


class StatusView(View):
    """ConnectWise's own billing status. Closed means locked there, not paid."""

    id: int
    name: str
    is_closed: bool

    @classmethod
    def of(cls, status: BillingStatus | None) -> StatusView | None:
        if status is None:
            return None
        return cls(id=status.source_id, name=status.name, is_closed=status.is_closed)


class LineItemView(View):
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


class InvoiceView(View):
    """An invoice without its lines. ``state`` follows the balance, never a status name."""

    id: str
    connection_id: str | None
    source_id: int | None
    origin: Origin
    customer_id: str
    number: str
    type: InvoiceType
    state: InvoiceState
    status: StatusView | None
    total: AmountView
    balance: AmountView
    paid: AmountView
    credited: AmountView
    issued_on: date
    due_on: date | None
    archive: ArchiveView | None

    @classmethod
    def of(cls, invoice: Invoice) -> InvoiceView:
        return cls(**_common(invoice))


class PdfReference(View):
    """Where the PDF can be asked for; it may have to be fetched first."""

    url: str


class InvoiceDetail(InvoiceView):
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
    payments: list[PaymentView]
    pdf: PdfReference | None

    @classmethod
    def of(cls, invoice: Invoice) -> InvoiceDetail:
        money = invoice.currency
        has_pdf = invoice.origin is Origin.CONNECTWISE
        return cls(
            **_common(invoice),
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
            payments=[PaymentView.of(payment) for payment in invoice.payments],
            pdf=PdfReference(url=pdf_path(invoice.invoice_id)) if has_pdf else None,
        )


class InvoicePage(View):
    items: list[InvoiceView]
    next_cursor: str | None


class PdfLinkView(View):
    """Whoever has the URL may download the PDF until it expires."""

    url: str
    expires_at: AwareDatetime

    @classmethod
    def of(cls, link: PdfLink) -> PdfLinkView:
        return cls(url=link.url, expires_at=link.expires_at)


class PdfPendingView(View):
    """The PDF is being fetched; ask again at ``status_url`` after Retry-After seconds."""

    status_url: str


def pdf_path(invoice_id: str) -> str:
    return f"/v1/invoices/{invoice_id}/pdf"


def _common(invoice: Invoice) -> dict[str, object]:
    money = invoice.currency
    return {
        "id": invoice.invoice_id,
        "connection_id": invoice.connection_id,
        "source_id": invoice.source_id,
        "origin": invoice.origin,
        "customer_id": invoice.customer_id,
        "number": invoice.number,
        "type": invoice.type,
        "state": invoice.state,
        "status": StatusView.of(invoice.status),
        "total": AmountView.of(invoice.total_minor, money),
        "balance": AmountView.of(invoice.balance_minor, money),
        "paid": AmountView.of(invoice.paid_minor, money),
        "credited": AmountView.of(invoice.credited_minor, money),
        "issued_on": invoice.issued_on,
        "due_on": invoice.due_on,
        "archive": ArchiveView.of(invoice.archive),
    }
