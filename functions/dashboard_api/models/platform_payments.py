"""Platform payment models hold payments that the platform collected, and their write-backs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StringConstraints

from bridge.domain.currencies import currency_of
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
from bridge.domain.write_back.decisions import offered_actions
from bridge.payments.platform_payments import PaymentDetails
from bridge.payments.unapplied_sums import UnappliedSum, UnappliedSums
from bridge.payments.write_back_problems import reason_text, write_back_report
from dashboard_api.models.values import (
    AmountView,
    CalendarDate,
    CurrencyCode,
    Input,
    Line,
    Page,
    View,
)

NOTHING_KNOWN: Mapping[str, str] = {}

AmountMinor = Annotated[int, Field(strict=True, ge=1, le=MAX_AMOUNT_MINOR)]
FeeMinor = Annotated[int, Field(strict=True, ge=0, le=MAX_AMOUNT_MINOR)]
Decimals = Annotated[int, Field(strict=True, ge=0, le=MAX_DECIMALS)]
RecordIdText = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}(-[1-9][0-9]{0,9})?$")]
Method = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,39}$")]
Note = Annotated[Line, Field(max_length=200)]
ReceivedOn = Annotated[CalendarDate, Field(ge=date(2000, 1, 1), lt=date(2100, 1, 1))]


class AllocationInput(Input):
    """An allocation is the part of the payment that one invoice of the connection gets."""

    invoice_id: RecordIdText
    amount_minor: AmountMinor


class PlatformPaymentInput(Input):
    """A payment is recorded as it begins. Amounts are minor units of its currency."""

    customer_id: RecordIdText | None = Field(
        None, description="Left out: the customer of the first invoice."
    )
    amount_minor: AmountMinor
    currency: CurrencyCode = Field(description="ISO 4217.")
    decimals: Decimals | None = Field(
        None,
        description="Those that the invoice shows; needed only where a ConnectWise counts the "
        "currency with others than ISO 4217.",
    )
    method: Method
    received_on: ReceivedOn = Field(
        description="When recorded first: at most one day after today (UTC), and five years before."
    )
    state: Literal[PlatformPaymentState.PENDING, PlatformPaymentState.SETTLED]
    allocations: Annotated[
        tuple[AllocationInput, ...], Field(min_length=1, max_length=MAX_ALLOCATIONS)
    ]
    fee_minor: FeeMinor = Field(
        0, description="Kept beside the amount, outside ConnectWise; the amount at most."
    )
    reference: Note | None = None
    is_unapplied_meant: StrictBool = Field(
        False,
        description="True: what the allocations leave of the amount is left on purpose, "
        "and opens no problem.",
    )

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
            is_unapplied_meant=self.is_unapplied_meant,
        )


class StepInput(Input):
    """A step moves a payment on."""

    reason: Note | None = Field(None, description="For people to read.")


class AllocationView(View):
    """An allocation is the part of the payment that one invoice gets."""

    invoice_id: str
    invoice_number: str | None = Field(
        None, description="The invoice's number; null in answers to a service."
    )
    amount: AmountView

    @classmethod
    def of(cls, part: Allocation, currency: Currency, number: str | None = None) -> AllocationView:
        return cls(
            invoice_id=part.invoice_id,
            invoice_number=number,
            amount=AmountView.of(part.amount_minor, currency),
        )


class PlatformPaymentView(View):
    """A platform payment is one that the platform collected."""

    id: str
    connection_id: str | None
    customer_id: str
    customer_name: str | None = Field(
        None, description="The customer's name; null in answers to a service."
    )
    amount: AmountView
    fee: AmountView = Field(description="Beside the amount, apart from every invoice.")
    unapplied: AmountView = Field(
        description="The part that no invoice gets; zero once the money failed or went back."
    )
    is_unapplied_meant: bool = Field(description="It was recorded so on purpose.")
    method: str
    received_on: date
    state: PlatformPaymentState
    state_reason: str | None
    state_changed_at: datetime | None
    recorded_at: datetime
    reference: str | None
    allocations: list[AllocationView]

    @classmethod
    def of(
        cls,
        payment: PlatformPayment,
        numbers: Mapping[str, str] = NOTHING_KNOWN,
        names: Mapping[str, str] = NOTHING_KNOWN,
    ) -> PlatformPaymentView:
        """Return the view, with the numbers of invoices and the names of customers by their ids."""
        money = payment.currency
        return cls(
            id=payment.payment_id,
            connection_id=payment.connection_id,
            customer_id=payment.customer_id,
            customer_name=names.get(payment.customer_id),
            amount=AmountView.of(payment.amount_minor, money),
            fee=AmountView.of(payment.fee_minor, money),
            unapplied=AmountView.of(payment.unapplied_minor, money),
            is_unapplied_meant=payment.is_unapplied_meant,
            method=payment.method,
            received_on=payment.received_on,
            state=payment.state,
            state_reason=payment.state_reason or None,
            state_changed_at=payment.state_changed_at,
            recorded_at=payment.recorded_at,
            reference=payment.reference or None,
            allocations=[
                AllocationView.of(part, money, numbers.get(part.invoice_id))
                for part in payment.allocations
            ],
        )


class PlatformPaymentPage(Page[PlatformPaymentView]):
    """A page of platform payments holds the latest first."""


class UnappliedSumView(View):
    """A sum adds up the unapplied parts of one customer's payments in one currency."""

    customer_id: str
    amount: AmountView
    payment_count: int

    @classmethod
    def of(cls, found: UnappliedSum) -> UnappliedSumView:
        return cls(
            customer_id=found.customer_id,
            amount=AmountView.of(found.amount_minor, found.currency),
            payment_count=found.payment_count,
        )


class UnappliedSumsView(View):
    """The sums show money outside every invoice, by customer and currency."""

    sums: list[UnappliedSumView]
    is_complete: bool = Field(
        description='False: there are more payments than were counted; read "more than".'
    )

    @classmethod
    def of(cls, found: UnappliedSums) -> UnappliedSumsView:
        return cls(
            sums=[UnappliedSumView.of(each) for each in found.sums],
            is_complete=found.is_complete,
        )


class WriteBackView(View):
    """A write-back is one allocation's way into ConnectWise, and out again."""

    invoice_id: str
    amount: AmountView
    target: Target = Field(
        description="What ConnectWise should show: `none` (nothing yet), `posted` or `absent`."
    )
    state: WriteBackState
    connectwise_payment_id: int | None
    reason: Reason | None = Field(description="Why it waits for a person.")
    detail: str | None = Field(description="The reason in words.")
    problem_id: str | None = Field(description="The problem through which a person may act.")
    actions: list[Action] = Field(description="What a person may do about it.")
    created_at: datetime
    last_sent_at: datetime | None
    next_look_at: datetime | None

    @classmethod
    def of(cls, write_back: WriteBack) -> WriteBackView:
        trouble = write_back_report(write_back) if write_back.reason else None
        return cls(
            invoice_id=write_back.invoice_id,
            amount=AmountView.of(write_back.amount_minor, write_back.currency),
            target=write_back.target,
            state=write_back.state,
            connectwise_payment_id=write_back.psa_payment_id,
            reason=write_back.reason or None,
            detail=reason_text(write_back) or None,
            problem_id=trouble.problem_id if trouble else None,
            actions=list(offered_actions(write_back)),
            created_at=write_back.created_at,
            last_sent_at=write_back.intent_at,
            next_look_at=write_back.next_look_at,
        )


class PlatformPaymentDetail(PlatformPaymentView):
    """A single platform payment is shown with its write-backs."""

    write_backs: list[WriteBackView]

    @classmethod
    def with_write_backs(
        cls,
        payment: PlatformPayment,
        write_backs: Iterable[WriteBack],
        numbers: Mapping[str, str] = NOTHING_KNOWN,
        names: Mapping[str, str] = NOTHING_KNOWN,
    ) -> PlatformPaymentDetail:
        return cls(
            **dict(PlatformPaymentView.of(payment, numbers, names)),
            write_backs=[WriteBackView.of(write_back) for write_back in write_backs],
        )
