"""Payments that the platform collected, for partner users: to be read, never written."""

from __future__ import annotations

from bridge.domain.errors import NotFoundError
from bridge.domain.platform_payment import PlatformPayment
from bridge.payments.collecting import is_payment_id
from bridge.runtime.dashboard_services import DashboardServices
from dashboard_api.dependencies import Partner, Services, new_router
from dashboard_api.models.platform_payments import (
    PlatformPaymentDetail,
    PlatformPaymentPage,
    PlatformPaymentView,
)
from dashboard_api.models.values import (
    DEFAULT_PAGE_SIZE,
    Cursor,
    Limit,
    RecordId,
    RecordIdQuery,
)

router = new_router()
_TAGS = ["platform-payments"]


@router.get(
    "/v1/platform-payments",
    operation_id="listPlatformPayments",
    summary="Payments that the platform collected, latest first",
    tags=_TAGS,
)
def list_platform_payments(
    *,
    partner: Partner,
    services: Services,
    customer_id: RecordIdQuery = None,
    limit: Limit = DEFAULT_PAGE_SIZE,
    cursor: Cursor = None,
) -> PlatformPaymentPage:
    page = services.ledger.list_payments(
        partner.partner_id, customer_id=customer_id, limit=limit, cursor=cursor
    )
    return PlatformPaymentPage(
        items=[PlatformPaymentView.of(payment) for payment in page.items],
        next_cursor=page.next_cursor,
    )


@router.get(
    "/v1/platform-payments/<payment_id>",
    operation_id="getPlatformPayment",
    summary="A payment, and what became of it in ConnectWise",
    tags=_TAGS,
)
def get_platform_payment(
    partner: Partner, services: Services, payment_id: RecordId
) -> PlatformPaymentDetail:
    payment = None
    if is_payment_id(payment_id):
        payment = services.ledger.get_payment(partner.partner_id, payment_id).value
    if payment is None:
        raise NotFoundError("no such payment")
    return detail(services, payment)


def detail(services: DashboardServices, payment: PlatformPayment) -> PlatformPaymentDetail:
    """Return what is shown of one payment."""
    stored = services.ledger.write_backs_of_payment(payment.partner_id, payment.payment_id)
    return PlatformPaymentDetail.with_write_backs(
        payment, [entry.value for entry in stored if entry.value]
    )
