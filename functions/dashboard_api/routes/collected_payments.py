"""Payments of one connection, for the platform's services: recorded, moved on and read.

The tenant is that of the stored connection which the path names, never one from a body.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path

from bridge.domain.platform_payment import PlatformPaymentState
from dashboard_api.dependencies import Payments, Services, new_router
from dashboard_api.models.platform_payments import (
    PaymentInput,
    PlatformPaymentDetail,
    PlatformPaymentView,
    StepInput,
)
from dashboard_api.models.values import RecordId
from dashboard_api.routes.platform_payments import detail

router = new_router()
_PATH = "/v1/connections/<connection_id>/payments/<payment_id>"
_TAGS = ["platform-payments"]
_STEPS = (
    ("settle", PlatformPaymentState.SETTLED, "The money has arrived"),
    ("fail", PlatformPaymentState.FAILED, "The money never came"),
    ("return", PlatformPaymentState.RETURNED, "The payer's bank took the money back"),
    ("refund", PlatformPaymentState.REFUNDED, "The partner gave the money back"),
    ("charge-back", PlatformPaymentState.CHARGED_BACK, "The payer took the money back"),
    ("void", PlatformPaymentState.VOIDED, "The payment is called off before it settled"),
)

NewPaymentId = Annotated[
    str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="The caller's own id of the payment.")
]


@router.put(
    _PATH,
    operation_id="recordPayment",
    summary="Record a payment that was collected",
    description="The same content again answers as before, whatever became of the payment since.",
    tags=_TAGS,
    responses={
        200: {
            "description": "It was recorded before, with the same content.",
            "content": {"application/json": {"model": PlatformPaymentView}},
        },
        201: {
            "description": "Recorded now.",
            "content": {"application/json": {"model": PlatformPaymentView}},
        },
    },
)
def record_payment(
    payments: Payments, connection_id: RecordId, payment_id: NewPaymentId, payment: PaymentInput
) -> Response[PlatformPaymentView]:
    recorded, is_new = payments.record(connection_id, payment_id, payment.to_details())
    status = HTTPStatus.CREATED if is_new else HTTPStatus.OK
    return Response(status.value, "application/json", PlatformPaymentView.of(recorded))


@router.get(
    _PATH,
    operation_id="readPayment",
    summary="A payment and its write-backs",
    tags=_TAGS,
)
def read_payment(
    payments: Payments, services: Services, connection_id: RecordId, payment_id: RecordId
) -> PlatformPaymentDetail:
    return detail(services, payments.get(connection_id, payment_id))


def _add_step(name: str, state: PlatformPaymentState, summary: str) -> None:
    @router.post(
        f"{_PATH}/{name}",
        operation_id=f"{name.replace('-', '')}Payment",
        summary=summary,
        description="Repeating it changes nothing.",
        tags=_TAGS,
    )
    def move_payment(
        payments: Payments,
        connection_id: RecordId,
        payment_id: RecordId,
        step: Annotated[StepInput | None, Body()] = None,
    ) -> PlatformPaymentView:
        reason = (step.reason if step else None) or ""
        moved = payments.move(connection_id, payment_id, state, reason=reason)
        return PlatformPaymentView.of(moved)


for _step in _STEPS:
    _add_step(*_step)
