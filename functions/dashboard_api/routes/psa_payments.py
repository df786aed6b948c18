"""PSA payments are read here: the payments that ConnectWise shows on invoices."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from bridge.ports import PaymentQuery
from dashboard_api.dependencies import Partner
from dashboard_api.models.psa_payments import PsaPaymentPage, PsaPaymentView
from dashboard_api.models.values import (
    DEFAULT_PAGE_SIZE,
    ConnectionIdQuery,
    Cursor,
    DateQuery,
    Flag,
    Limit,
    RecordIdQuery,
    refuse_reversed,
)
from dashboard_api.resource import Resource

resource = Resource("payments")


@resource.route("GET", "/v1/payments")
def list_payments(
    *,
    partner: Partner,
    connection_id: ConnectionIdQuery = None,
    customer_id: RecordIdQuery = None,
    invoice_id: RecordIdQuery = None,
    paid_from: DateQuery = None,
    paid_to: DateQuery = None,
    with_deleted: Annotated[
        Flag, Query(description="Also those that are gone from ConnectWise.")
    ] = False,
    limit: Limit = DEFAULT_PAGE_SIZE,
    cursor: Cursor = None,
) -> PsaPaymentPage:
    """List payments, latest first."""
    refuse_reversed(paid_from, paid_to, "paid_from")
    query = PaymentQuery(
        connection_id=connection_id,
        customer_id=customer_id,
        invoice_id=invoice_id,
        paid_from=paid_from,
        paid_to=paid_to,
        with_deleted=with_deleted,
    )
    page = partner.services.records.list_payments(partner.id, query, limit=limit, cursor=cursor)
    owning = partner.write_backs_behind(page.items)
    numbers = partner.invoice_numbers(each.invoice_id for each in page.items)
    names = partner.customer_names(each.customer_id for each in page.items)
    return PsaPaymentPage.of(
        page,
        lambda payment: PsaPaymentView.of(
            payment,
            owning.get(payment.payment_id),
            invoice_number=numbers.get(payment.invoice_id),
            customer_name=names.get(payment.customer_id),
        ),
    )
