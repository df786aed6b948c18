"""Invoices and their PDFs are read here; invoices made on the platform are also written here."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import BeforeValidator

from bridge.domain.errors import NotFoundError
from bridge.domain.identity import Origin
from bridge.domain.invoice import Invoice, InvoiceState, InvoiceType
from bridge.domain.mirrored_kinds import INVOICES
from bridge.figures.selection_sums import SelectionSums, selection_sums
from bridge.ports import InvoiceQuery, Page
from dashboard_api.dependencies import Partner, PartnerAccess
from dashboard_api.models.invoices import (
    Beside,
    InvoiceDetail,
    InvoiceInput,
    InvoicePage,
    InvoicePatch,
    InvoiceView,
    PdfLinkView,
    PdfPendingView,
    pdf_path,
)
from dashboard_api.models.psa_payments import PsaPaymentView
from dashboard_api.models.selection_sums import SelectionSumsView
from dashboard_api.models.values import (
    DEFAULT_PAGE_SIZE,
    AmountQuery,
    ConnectionIdQuery,
    Cursor,
    DateQuery,
    Flag,
    Limit,
    RecordId,
    RecordIdQuery,
    refuse_reversed,
    whole_number,
)
from dashboard_api.resource import JSON, Resource, answer

PDF_RETRY_AFTER_SECONDS = 3

resource = Resource("invoices")


class InvoiceOrder(StrEnum):
    """A list of invoices is in one of these orders."""

    DUE_FIRST = "due_on"
    DUE_LAST = "-due_on"


StateQuery = Annotated[InvoiceState | None, Query(description="Only in this state.")]
UnpaidQuery = Annotated[Flag, Query(description="Only open and partly paid ones.")]
OverdueQuery = Annotated[
    Flag, Query(description="Only those that a customer owes and that were due before today (UTC).")
]
TypeQuery = Annotated[InvoiceType | None, Query(description="Only of this type.")]
StatusQuery = Annotated[
    int | None,
    BeforeValidator(whole_number),
    Query(ge=0, le=2**31 - 1, description="Only with this billing status."),
]
OriginQuery = Annotated[Origin | None, Query(description="Only made there.")]
CurrencyQuery = Annotated[
    str | None, Query(pattern=r"^[A-Z]{3}$", description="Only in this currency, ISO 4217.")
]
NumberQuery = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=100,
        description="How the number begins, in any case and without leading zeros.",
    ),
]
OrderQuery = Annotated[
    InvoiceOrder, Query(description="By due date, rising or (`-due_on`) falling.")
]
SumsQuery = Annotated[
    Flag, Query(description="Also add up the whole selection, up to 2,000 invoices.")
]


@resource.route("GET", "/v1/invoices")
def list_invoices(
    *,
    partner: Partner,
    state: StateQuery = None,
    unpaid_only: UnpaidQuery = False,
    overdue_only: OverdueQuery = False,
    type: TypeQuery = None,  # noqa: A002  # the name that the view has
    status_id: StatusQuery = None,
    origin: OriginQuery = None,
    connection_id: ConnectionIdQuery = None,
    customer_id: RecordIdQuery = None,
    currency: CurrencyQuery = None,
    number: NumberQuery = None,
    amount_minor: AmountQuery = None,
    due_from: DateQuery = None,
    due_to: DateQuery = None,
    sort: OrderQuery = InvoiceOrder.DUE_FIRST,
    with_sums: SumsQuery = False,
    limit: Limit = DEFAULT_PAGE_SIZE,
    cursor: Cursor = None,
) -> InvoicePage:
    """List invoices, unpaid ones first, then by due date.

    Those of a number or an amount come in its order.
    """
    refuse_reversed(due_from, due_to, "due_from")
    query = InvoiceQuery(
        state=state,
        is_unpaid=unpaid_only,
        overdue_on=partner.today if overdue_only else None,
        type=type,
        status_id=status_id,
        origin=origin,
        connection_id=connection_id,
        customer_id=customer_id,
        currency_code=currency,
        number=number,
        amount_minor=amount_minor,
        due_from=due_from,
        due_to=due_to,
        is_latest_due_first=sort is InvoiceOrder.DUE_LAST,
    )
    page = partner.services.records.list_invoices(partner.id, query, limit=limit, cursor=cursor)
    sums = selection_sums(partner.services.records, partner.id, query) if with_sums else None
    return _page(partner, page, sums)


@resource.route("POST", "/v1/invoices", status=HTTPStatus.CREATED)
def create_invoice(partner: Partner, invoice: InvoiceInput) -> InvoiceDetail:
    """Create an invoice on the platform, which stays unknown to ConnectWise."""
    created = partner.services.platform_records.create_invoice(partner.id, invoice.to_details())
    return InvoiceDetail.of(created, _beside(partner, [created]))


@resource.route("GET", "/v1/invoices/<invoice_id>")
def get_invoice(partner: Partner, invoice_id: RecordId) -> InvoiceDetail:
    """Return one invoice with its lines and payments.

    Payments that are still to be read are asked for: they are there some seconds later.
    """
    invoice = partner.record(INVOICES, invoice_id)
    partner.services.record_fetch.ask_for_payments(invoice)
    beside = _beside(partner, [invoice])
    return InvoiceDetail.of(invoice, beside, partner.write_backs_behind(invoice.payments))


@resource.route("PATCH", "/v1/invoices/<invoice_id>")
def change_invoice(partner: Partner, invoice_id: RecordId, patch: InvoicePatch) -> InvoiceDetail:
    """Change an invoice that was made on the platform."""
    change = partner.services.platform_records.change_invoice
    changed = change(partner.id, invoice_id, patch.apply_to)
    return InvoiceDetail.of(changed, _beside(partner, [changed]))


@resource.route("DELETE", "/v1/invoices/<invoice_id>", status=HTTPStatus.NO_CONTENT)
def archive_invoice(partner: Partner, invoice_id: RecordId) -> Response[None]:
    """Archive an invoice that was made on the platform."""
    partner.services.platform_records.archive_invoice(partner.id, invoice_id)
    return Response(HTTPStatus.NO_CONTENT.value)


@resource.route("GET", "/v1/invoices/<invoice_id>/payments/<payment_id>")
def get_payment(partner: Partner, invoice_id: RecordId, payment_id: RecordId) -> PsaPaymentView:
    """Return one payment of an invoice."""
    invoice = partner.record(INVOICES, invoice_id)
    for payment in invoice.payments:
        if payment.payment_id == payment_id:
            write_back = partner.write_backs_behind([payment]).get(payment_id)
            names = partner.customer_names([payment.customer_id])
            return PsaPaymentView.of(
                payment,
                write_back,
                invoice_number=invoice.number,
                customer_name=names.get(payment.customer_id),
            )
    raise NotFoundError("no such payment")


@resource.route(
    "GET",
    "/v1/invoices/<invoice_id>/pdf",
    answers={
        200: answer("A link that lives for minutes.", PdfLinkView),
        202: answer(
            "The PDF is on its way.",
            PdfPendingView,
            headers={"Retry-After": "The seconds to wait before asking again."},
        ),
    },
)
def get_invoice_pdf(
    partner: Partner, invoice_id: RecordId
) -> Response[PdfLinkView | PdfPendingView]:
    """Return a link to the PDF, or the promise of one.

    202 means that ConnectWise is being asked for the PDF: repeat the request.
    """
    link = partner.services.pdf_links.link(partner.id, invoice_id)
    if link:
        view = PdfLinkView(url=link.url, expires_at=link.expires_at)
        return Response(HTTPStatus.OK.value, JSON, view)
    return Response(
        HTTPStatus.ACCEPTED.value,
        JSON,
        PdfPendingView(status_url=pdf_path(invoice_id)),
        headers={"Retry-After": str(PDF_RETRY_AFTER_SECONDS)},
    )


def _beside(partner: PartnerAccess, invoices: Sequence[Invoice]) -> Beside:
    return Beside(
        partner.today,
        partner.customer_names(invoice.customer_id for invoice in invoices),
        partner.outside_filters(invoices),
    )


def _page(partner: PartnerAccess, page: Page[Invoice], sums: SelectionSums | None) -> InvoicePage:
    beside = _beside(partner, page.items)
    shown = InvoicePage.of(page, lambda invoice: InvoiceView.of(invoice, beside))
    if sums is None:
        return shown
    return shown.model_copy(update={"sums": SelectionSumsView.of(sums)})
