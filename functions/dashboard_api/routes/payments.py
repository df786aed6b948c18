"""Payments as they stand on invoices."""

from __future__ import annotations

from bridge.ports import PaymentQuery
from dashboard_api.dependencies import Partner, Services, new_router
from dashboard_api.models.payments import PaymentPage, PaymentView
from dashboard_api.models.values import (
    DEFAULT_PAGE_SIZE,
    ConnectionIdQuery,
    Cursor,
    DateQuery,
    Flag,
    Limit,
    RecordIdQuery,
)

router = new_router()


@router.get(
    "/v1/payments", operation_id="listPayments", summary="Payments, latest first", tags=["payments"]
)
def list_payments(
    *,
    partner: Partner,
    services: Services,
    connection_id: ConnectionIdQuery = None,
    customer_id: RecordIdQuery = None,
    invoice_id: RecordIdQuery = None,
    paid_from: DateQuery = None,
    paid_to: DateQuery = None,
    with_deleted: Flag = False,
    limit: Limit = DEFAULT_PAGE_SIZE,
    cursor: Cursor = None,
) -> PaymentPage:
    query = PaymentQuery(
        connection_id=connection_id,
        customer_id=customer_id,
        invoice_id=invoice_id,
        paid_from=paid_from,
        paid_to=paid_to,
        with_deleted=with_deleted,
    )
    page = services.records.list_payments(partner.partner_id, query, limit=limit, cursor=cursor)
    return PaymentPage(
        items=[PaymentView.of(payment) for payment in page.items], next_cursor=page.next_cursor
    )
