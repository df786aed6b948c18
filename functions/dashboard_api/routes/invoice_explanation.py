"""One invoice is explained here, and fetched from ConnectWise again."""

from __future__ import annotations

from http import HTTPStatus

from bridge.domain.mirrored_kinds import INVOICES
from dashboard_api.dependencies import Partner
from dashboard_api.models.invoice_explanation import InvoiceStandingView, RecordFetchView
from dashboard_api.models.values import RecordId
from dashboard_api.resource import Resource

resource = Resource("invoices")


@resource.route("GET", "/v1/invoices/<invoice_id>/standing")
def get_invoice_standing(partner: Partner, invoice_id: RecordId) -> InvoiceStandingView:
    """Explain an invoice, with the platform's payments and the problems of it."""
    invoice = partner.record(INVOICES, invoice_id)
    is_outside = invoice.invoice_id in partner.outside_filters([invoice])
    standings = partner.services.invoice_standings
    return InvoiceStandingView.of(invoice, standings.of(invoice, is_outside_filters=is_outside))


@resource.route("POST", "/v1/invoices/<invoice_id>/fetch", status=HTTPStatus.ACCEPTED)
def fetch_invoice(partner: Partner, invoice_id: RecordId) -> RecordFetchView:
    """Fetch one invoice from ConnectWise again, 20 times a minute for a partner at most.

    It is shown as ConnectWise has it within moments.
    """
    invoice = partner.record(INVOICES, invoice_id)
    return RecordFetchView(asked_at=partner.services.record_fetch.ask(invoice))
