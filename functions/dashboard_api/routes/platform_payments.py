"""Platform payments are the ones that the platform collected: partners read, services write.

The services' routes name a stored connection, whose partner becomes the payment's partner. A body
may not name one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query

from bridge.domain.errors import NotFoundError
from bridge.domain.platform_payment import PlatformPayment, PlatformPaymentState
from bridge.entrypoints.dashboard_services import DashboardServices
from bridge.payments.platform_payments import is_payment_id
from bridge.payments.unapplied_sums import unapplied_sums
from bridge.ports import PlatformPaymentQuery
from dashboard_api.dependencies import Partner, PartnerAccess, Recorder, Services
from dashboard_api.models.platform_payments import (
    PlatformPaymentDetail,
    PlatformPaymentInput,
    PlatformPaymentPage,
    PlatformPaymentView,
    StepInput,
    UnappliedSumsView,
)
from dashboard_api.models.values import (
    DEFAULT_PAGE_SIZE,
    ConnectionIdQuery,
    Cursor,
    DateQuery,
    Flag,
    Limit,
    RecordId,
    RecordIdQuery,
    refuse_reversed,
)
from dashboard_api.resource import JSON, Resource, answer

resource = Resource("platform-payments")
_SERVICES_PATH = "/v1/connections/<connection_id>/payments/<payment_id>"
_STEPS = (
    ("settle", PlatformPaymentState.SETTLED, "State that the money has arrived."),
    ("fail", PlatformPaymentState.FAILED, "State that the money failed to come."),
    ("return", PlatformPaymentState.RETURNED, "State that the payer's bank took the money back."),
    ("refund", PlatformPaymentState.REFUNDED, "State that the partner gave the money back."),
    ("charge-back", PlatformPaymentState.CHARGED_BACK, "State that the payer took the money back."),
    ("void", PlatformPaymentState.VOIDED, "Call the payment off before it settled."),
)

NewPaymentId = Annotated[
    str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="The caller's own id of the payment.")
]


@resource.route("GET", "/v1/platform-payments")
def list_platform_payments(
    *,
    partner: Partner,
    connection_id: ConnectionIdQuery = None,
    customer_id: RecordIdQuery = None,
    invoice_id: RecordIdQuery = None,
    state: Annotated[PlatformPaymentState | None, Query(description="Only in this state.")] = None,
    received_from: DateQuery = None,
    received_to: DateQuery = None,
    unapplied_only: Annotated[
        Flag, Query(description="Only payments of which a part is allocated to no invoice.")
    ] = False,
    limit: Limit = DEFAULT_PAGE_SIZE,
    cursor: Cursor = None,
) -> PlatformPaymentPage:
    """List payments that the platform collected, latest recorded first."""
    refuse_reversed(received_from, received_to, "received_from")
    query = PlatformPaymentQuery(
        connection_id=connection_id,
        customer_id=customer_id,
        invoice_id=invoice_id,
        state=state,
        received_from=received_from,
        received_to=received_to,
        is_unapplied=unapplied_only,
    )
    page = partner.services.ledger.list_payments(partner.id, query, limit=limit, cursor=cursor)
    beside = _beside(partner, page.items)
    return PlatformPaymentPage.of(page, lambda each: PlatformPaymentView.of(each, *beside))


@resource.route("GET", "/v1/connections/<connection_id>/platform-payments/unapplied")
def sum_unapplied(
    partner: Partner, connection_id: RecordId, customer_id: RecordIdQuery = None
) -> UnappliedSumsView:
    """Sum up collected money that lies outside every invoice, by customer and currency."""
    connection = partner.connection(connection_id)
    return UnappliedSumsView.of(
        unapplied_sums(partner.services.ledger, partner.id, connection.connection_id, customer_id)
    )


@resource.route("GET", "/v1/platform-payments/<payment_id>")
def get_platform_payment(partner: Partner, payment_id: RecordId) -> PlatformPaymentDetail:
    """Return a payment with its write-backs into ConnectWise."""
    payment = None
    if is_payment_id(payment_id):
        payment = partner.services.ledger.get_payment(partner.id, payment_id).value
    if payment is None:
        raise NotFoundError("no such payment")
    return _detail(partner.services, payment, *_beside(partner, [payment]))


@resource.route(
    "PUT",
    _SERVICES_PATH,
    answers={
        200: answer("It was recorded before, with the same content.", PlatformPaymentView),
        201: answer("Recorded now.", PlatformPaymentView),
    },
)
def record_payment(
    recorder: Recorder,
    connection_id: RecordId,
    payment_id: NewPaymentId,
    payment: PlatformPaymentInput,
) -> Response[PlatformPaymentView]:
    """Record a payment that was collected.

    The same content again is answered as before, however far the payment has moved since.
    """
    recorded, is_new = recorder.record(connection_id, payment_id, payment.to_details())
    status = HTTPStatus.CREATED if is_new else HTTPStatus.OK
    return Response(status.value, JSON, PlatformPaymentView.of(recorded))


@resource.route("GET", _SERVICES_PATH)
def read_payment(
    recorder: Recorder, services: Services, connection_id: RecordId, payment_id: RecordId
) -> PlatformPaymentDetail:
    """Return a payment with its write-backs, to a service."""
    return _detail(services, recorder.get(connection_id, payment_id))


def _add_step(name: str, state: PlatformPaymentState, summary: str) -> None:
    def move_payment(
        recorder: Recorder,
        connection_id: RecordId,
        payment_id: RecordId,
        step: Annotated[StepInput | None, Body()] = None,
    ) -> PlatformPaymentView:
        reason = (step.reason if step else None) or ""
        moved = recorder.move(connection_id, payment_id, state, reason=reason)
        return PlatformPaymentView.of(moved)

    move_payment.__name__ = f"{name.replace('-', '')}_payment"
    move_payment.__doc__ = f"{summary}\n\nRepeating it leaves the payment as it is."
    resource.route("POST", f"{_SERVICES_PATH}/{name}")(move_payment)


for _step in _STEPS:
    _add_step(*_step)


def _detail(
    services: DashboardServices, payment: PlatformPayment, *beside: Mapping[str, str]
) -> PlatformPaymentDetail:
    stored = services.ledger.write_backs_of_payment(payment.partner_id, payment.payment_id)
    return PlatformPaymentDetail.with_write_backs(
        payment, [entry.value for entry in stored if entry.value], *beside
    )


def _beside(
    partner: PartnerAccess, payments: Sequence[PlatformPayment]
) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return the numbers of the payments' invoices and the names of their customers."""
    parts = (part for payment in payments for part in payment.allocations)
    numbers = partner.invoice_numbers(part.invoice_id for part in parts)
    return numbers, partner.customer_names(payment.customer_id for payment in payments)
