"""Payments that the platform collected, and what became of them in ConnectWise."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from bridge.domain.identity import parse_mirrored_id
from bridge.domain.money import MAX_AMOUNT_MINOR, MAX_DECIMALS, Currency
from bridge.domain.platform_payment import (
    MAX_ALLOCATIONS,
    Allocation,
    PlatformPayment,
    PlatformPaymentState,
    Target,
)
from bridge.domain.problem import Action
from bridge.domain.write_back import Reason, WriteBack, WriteBackState
from bridge.payments.collecting import PaymentDetails
from bridge.payments.deciding import actions_of
from bridge.payments.troubles import REASON_TEXTS, write_back_trouble
from bridge.sync.platform_records import currency_of
from dashboard_api.models.values import AmountView, CalendarDate, CurrencyCode, Input, Line, View

AmountMinor = Annotated[int, Field(strict=True, ge=1, le=MAX_AMOUNT_MINOR)]
FeeMinor = Annotated[int, Field(strict=True, ge=0, le=MAX_AMOUNT_MINOR)]
Decimals = Annotated[int, Field(strict=True, ge=0, le=MAX_DECIMALS)]
RecordIdText = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}(-[1-9][0-9]{0,9})?$")]
Method = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,39}$")]
Note = Annotated[Line, Field(max_length=200)]
ReceivedOn = Annotated[CalendarDate, Field(ge=date(2000, 1, 1), lt=date(2100, 1, 1))]


class AllocationInput(Input):
    """The part of the payment that one invoice of the connection gets."""

    invoice_id: RecordIdText
    amount_minor: AmountMinor


class PaymentInput(Input):
    """A payment as it begins. Amounts are minor units of ``currency`` (ISO 4217).

    ``decimals`` are needed only where a ConnectWise counts the currency with others than ISO
    4217: those that the invoice shows. ``fee_minor`` is kept beside the amount and written
    nowhere. The customer is the first invoice's when it is left out.
    """

    customer_id: RecordIdText | None = None
    amount_minor: AmountMinor
    currency: CurrencyCode
    decimals: Decimals | None = None
    method: Method
    received_on: ReceivedOn
    state: Literal[PlatformPaymentState.PENDING, PlatformPaymentState.SETTLED]
    allocations: Annotated[
        tuple[AllocationInput, ...], Field(min_length=1, max_length=MAX_ALLOCATIONS)
    ]
    fee_minor: FeeMinor = 0
    reference: Note | None = None

    def to_details(self) -> PaymentDetails:
        currency = currency_of(self.currency)
        if self.decimals is not None:
            currency = Currency(self.currency, self.decimals)
        return PaymentDetails(
            amount_minor=self.amount_minor,
            currency=currency,
            method=self.method,
            received_on=self.received_on,
            state=self.state,
            allocations=tuple(
                Allocation(part.invoice_id, part.amount_minor) for part in self.allocations
            ),
            customer_id=self.customer_id,
            fee_minor=self.fee_minor,
            reference=self.reference or "",
        )


class StepInput(Input):
    """Why the payment moves on, for people to read."""

    reason: Note | None = None


class AllocationView(View):
    invoice_id: str
    amount: AmountView


class PlatformPaymentView(View):
    """A payment that the platform collected. ``fee`` is beside the amount, on no invoice."""

    id: str
    connection_id: str | None
    customer_id: str
    amount: AmountView
    fee: AmountView
    method: str
    received_on: date
    state: PlatformPaymentState
    state_reason: str | None
    state_changed_at: datetime | None
    recorded_at: datetime
    reference: str | None
    allocations: list[AllocationView]

    @classmethod
    def of(cls, payment: PlatformPayment) -> PlatformPaymentView:
        return cls(**_common(payment))


class PlatformPaymentPage(View):
    items: list[PlatformPaymentView]
    next_cursor: str | None


class WriteBackView(View):
    """One allocation's way into ConnectWise, and out again.

    ``target`` is what ConnectWise should show: ``none`` (nothing yet), ``posted`` or ``absent``.
    ``reason`` says why it waits for a person, ``detail`` says it in words, and ``actions`` are
    what a person may do about it through the problem ``problem_id``.
    """

    invoice_id: str
    amount: AmountView
    target: Target
    state: WriteBackState
    connectwise_payment_id: int | None
    reason: Reason | None
    detail: str | None
    problem_id: str | None
    actions: list[Action]
    created_at: datetime
    last_sent_at: datetime | None
    next_look_at: datetime | None

    @classmethod
    def of(cls, write_back: WriteBack) -> WriteBackView:
        trouble = write_back_trouble(write_back) if write_back.reason else None
        return cls(
            invoice_id=write_back.invoice_id,
            amount=AmountView.of(write_back.amount_minor, write_back.currency),
            target=write_back.target,
            state=write_back.state,
            connectwise_payment_id=write_back.psa_payment_id,
            reason=write_back.reason or None,
            detail=REASON_TEXTS.get(write_back.reason),
            problem_id=trouble.problem_id if trouble else None,
            actions=list(actions_of(write_back)),
            created_at=write_back.created_at,
            last_sent_at=write_back.intent_at,
            next_look_at=write_back.due_at,
        )


class PlatformPaymentDetail(PlatformPaymentView):
    write_backs: list[WriteBackView]

    @classmethod
    def with_write_backs(
        cls, payment: PlatformPayment, write_backs: Iterable[WriteBack]
    ) -> PlatformPaymentDetail:
        return cls(
            **_common(payment),
            write_backs=[WriteBackView.of(write_back) for write_back in write_backs],
        )


def _common(payment: PlatformPayment) -> dict[str, object]:
    money = payment.currency
    invoice = parse_mirrored_id(payment.allocations[0].invoice_id)
    return {
        "id": payment.payment_id,
        "connection_id": invoice.connection_id if invoice else None,
        "customer_id": payment.customer_id,
        "amount": AmountView.of(payment.amount_minor, money),
        "fee": AmountView.of(payment.fee_minor, money),
        "method": payment.method,
        "received_on": payment.received_on,
        "state": payment.state,
        "state_reason": payment.state_reason or None,
        "state_changed_at": payment.state_changed_at,
        "recorded_at": payment.recorded_at,
        "reference": payment.reference or None,
        "allocations": [
            AllocationView(
                invoice_id=part.invoice_id, amount=AmountView.of(part.amount_minor, money)
            )
            for part in payment.allocations
        ],
    }
