"""Invoices and their PDFs are read here; invoices made on the platform are also written here."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from bridge.domain.errors import NotFoundError
from bridge.domain.invoice import InvoiceState
from bridge.domain.mirrored_kinds import INVOICES
from bridge.ports import InvoiceQuery
from dashboard_api.dependencies import Partner
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
from dashboard_api.models.psa_payments import PsaPaymentView
from dashboard_api.models.values import (
    DEFAULT_PAGE_SIZE,
    AmountQuery,
    ConnectionIdQuery,
    Cursor,
    DateQuery,
    Limit,
    RecordId,
    RecordIdQuery,
    refuse_reversed,
)
from dashboard_api.resource import JSON, Resource, answer

PDF_RETRY_AFTER_SECONDS = 3

resource = Resource("invoices")


@resource.route("GET", "/v1/invoices")
def list_invoices(
    *,
    partner: Partner,
    state: Annotated[InvoiceState | None, Query(description="Only in this state.")] = None,
    connection_id: ConnectionIdQuery = None,
    customer_id: RecordIdQuery = None,
    currency: Annotated[str | None, Query(pattern=r"^[A-Z]{3}$")] = None,
    number: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=100,
            description="How the number begins, in any case and without leading zeros.",
        ),
    ] = None,
    amount_minor: AmountQuery = None,
    due_from: DateQuery = None,
    due_to: DateQuery = None,
    limit: Limit = DEFAULT_PAGE_SIZE,
    cursor: Cursor = None,
) -> InvoicePage:
    """List invoices, unpaid ones first, then by due date.

    Those of a number or an amount come in its order.
    """
    refuse_reversed(due_from, due_to, "due_from")
    query = InvoiceQuery(
        state=state,
        connection_id=connection_id,
        customer_id=customer_id,
        currency_code=currency,
        number=number,
        amount_minor=amount_minor,
        due_from=due_from,
        due_to=due_to,
    )
    page = partner.services.records.list_invoices(partner.id, query, limit=limit, cursor=cursor)
    outside = partner.outside_filters(page.items)
    return InvoicePage.of(page, lambda invoice: InvoiceView.of(invoice, outside))


@resource.route("POST", "/v1/invoices", status=HTTPStatus.CREATED)
def create_invoice(partner: Partner, invoice: InvoiceInput) -> InvoiceDetail:
    """Create an invoice on the platform, which stays unknown to ConnectWise."""
    return InvoiceDetail.of(
        partner.services.platform_records.create_invoice(partner.id, invoice.to_details())
    )


@resource.route("GET", "/v1/invoices/<invoice_id>")
def get_invoice(partner: Partner, invoice_id: RecordId) -> InvoiceDetail:
    """Return one invoice with its lines and payments."""
    invoice = partner.record(INVOICES, invoice_id)
    outside = partner.outside_filters([invoice])
    return InvoiceDetail.of(invoice, outside, partner.write_backs_behind(invoice.payments))


@resource.route("PATCH", "/v1/invoices/<invoice_id>")
def change_invoice(partner: Partner, invoice_id: RecordId, patch: InvoicePatch) -> InvoiceDetail:
    """Change an invoice that was made on the platform."""
    return InvoiceDetail.of(
        partner.services.platform_records.change_invoice(partner.id, invoice_id, patch.apply_to)
    )


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
            return PsaPaymentView.of(payment, partner.write_backs_behind([payment]).get(payment_id))
    raise NotFoundError("no such payment")


@resource.route(
    "GET",
    "/v1/invoices/<invoice_id>/pdf",
    answers={
        200: answer("A link that lives for minutes.", PdfLinkView),
        202: answer("The PDF is on its way.", PdfPendingView),
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
