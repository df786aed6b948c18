"""Invoices and their PDFs."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from bridge.domain.errors import NotFoundError
from bridge.domain.identity import is_record_id
from bridge.domain.invoice import Invoice, InvoiceState
from bridge.ports import InvoiceQuery
from bridge.runtime.dashboard_services import DashboardServices
from dashboard_api.dependencies import Partner, Services, new_router
from dashboard_api.models.invoices import (
    InvoiceDetail,
    InvoiceInput,
    InvoicePage,
    InvoicePatch,
    InvoiceView,
    PdfLinkView,
    PdfPendingView,
    pdf_path,
)
from dashboard_api.models.payments import PaymentView
from dashboard_api.models.values import (
    DEFAULT_PAGE_SIZE,
    ConnectionIdQuery,
    Cursor,
    DateQuery,
    Limit,
    RecordId,
    RecordIdQuery,
)

PDF_RETRY_AFTER_SECONDS = 3

router = new_router()
_TAGS = ["invoices"]


@router.get(
    "/v1/invoices",
    operation_id="listInvoices",
    summary="Invoices, unpaid ones first, then by due date",
    tags=_TAGS,
)
def list_invoices(
    *,
    partner: Partner,
    services: Services,
    state: Annotated[InvoiceState | None, Query(description="Only in this state.")] = None,
    connection_id: ConnectionIdQuery = None,
    customer_id: RecordIdQuery = None,
    currency: Annotated[str | None, Query(pattern=r"^[A-Z]{3}$")] = None,
    number: Annotated[
        str | None, Query(min_length=1, max_length=100, description="The whole number.")
    ] = None,
    due_from: DateQuery = None,
    due_to: DateQuery = None,
    limit: Limit = DEFAULT_PAGE_SIZE,
    cursor: Cursor = None,
) -> InvoicePage:
    query = InvoiceQuery(
        state=state,
        connection_id=connection_id,
        customer_id=customer_id,
        currency_code=currency,
        number=number,
        due_from=due_from,
        due_to=due_to,
    )
    page = services.records.list_invoices(partner.partner_id, query, limit=limit, cursor=cursor)
    return InvoicePage(
        items=[InvoiceView.of(invoice) for invoice in page.items], next_cursor=page.next_cursor
    )


@router.post(
    "/v1/invoices",
    operation_id="createInvoice",
    summary="Create an invoice on the platform; ConnectWise never hears of it",
    tags=_TAGS,
    status_code=HTTPStatus.CREATED.value,
)
def create_invoice(partner: Partner, services: Services, invoice: InvoiceInput) -> InvoiceDetail:
    return InvoiceDetail.of(
        services.platform_records.create_invoice(partner.partner_id, invoice.to_details())
    )


@router.get(
    "/v1/invoices/<invoice_id>",
    operation_id="getInvoice",
    summary="One invoice with its lines and payments",
    tags=_TAGS,
)
def get_invoice(partner: Partner, services: Services, invoice_id: RecordId) -> InvoiceDetail:
    return InvoiceDetail.of(_existing(services, partner.partner_id, invoice_id))


@router.patch(
    "/v1/invoices/<invoice_id>",
    operation_id="changeInvoice",
    summary="Change an invoice that was made on the platform",
    tags=_TAGS,
)
def change_invoice(
    partner: Partner, services: Services, invoice_id: RecordId, patch: InvoicePatch
) -> InvoiceDetail:
    return InvoiceDetail.of(
        services.platform_records.change_invoice(partner.partner_id, invoice_id, patch.apply_to)
    )


@router.delete(
    "/v1/invoices/<invoice_id>",
    operation_id="archiveInvoice",
    summary="Archive an invoice that was made on the platform",
    tags=_TAGS,
    status_code=HTTPStatus.NO_CONTENT.value,
)
def archive_invoice(partner: Partner, services: Services, invoice_id: RecordId) -> Response[None]:
    services.platform_records.archive_invoice(partner.partner_id, invoice_id)
    return Response(HTTPStatus.NO_CONTENT.value)


@router.get(
    "/v1/invoices/<invoice_id>/payments/<payment_id>",
    operation_id="getPayment",
    summary="One payment of an invoice",
    tags=_TAGS,
)
def get_payment(
    partner: Partner, services: Services, invoice_id: RecordId, payment_id: RecordId
) -> PaymentView:
    invoice = _existing(services, partner.partner_id, invoice_id)
    for payment in invoice.payments:
        if payment.payment_id == payment_id:
            return PaymentView.of(payment)
    raise NotFoundError("no such payment")


@router.get(
    "/v1/invoices/<invoice_id>/pdf",
    operation_id="getInvoicePdf",
    summary="A link to the PDF, or the promise of one",
    description="202 means that ConnectWise is being asked for the PDF: repeat the request.",
    tags=_TAGS,
    responses={
        200: {
            "description": "A link that lives for minutes.",
            "content": {"application/json": {"model": PdfLinkView}},
        },
        202: {
            "description": "Not there yet.",
            "content": {"application/json": {"model": PdfPendingView}},
        },
    },
)
def get_invoice_pdf(
    partner: Partner, services: Services, invoice_id: RecordId
) -> Response[PdfLinkView | PdfPendingView]:
    link = services.pdf_links.link(partner.partner_id, invoice_id)
    if link:
        return Response(HTTPStatus.OK.value, "application/json", PdfLinkView.of(link))
    return Response(
        HTTPStatus.ACCEPTED.value,
        "application/json",
        PdfPendingView(status_url=pdf_path(invoice_id)),
        headers={"Retry-After": str(PDF_RETRY_AFTER_SECONDS)},
    )


def _existing(services: DashboardServices, partner_id: str, invoice_id: str) -> Invoice:
    invoice = None
    if is_record_id(invoice_id):
        invoice = services.records.get_invoice(partner_id, invoice_id).value
    if invoice is None:
        raise NotFoundError("no such invoice")
    return invoice
