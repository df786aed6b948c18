"""Problem models show open matters and the actions of people about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from pydantic import Field

from bridge.domain.money import Currency
from bridge.domain.problem import Action, Problem, ProblemCode, ProblemState
from bridge.domain.write_back import ShownPayment, WriteBack
from bridge.domain.write_back.decisions import MAX_REFERENCE_LENGTH
from dashboard_api.models.values import AmountView, FoundPage, Input, View

TITLES: dict[ProblemCode, str] = {
    ProblemCode.RECORD_MALFORMED: "A record of ConnectWise cannot be read",
    ProblemCode.RECORD_PARKED: "A record could not be brought over",
    ProblemCode.PAYER_UNREADABLE: "An invoice's customer cannot be read",
    ProblemCode.CONNECTWISE_UNREACHABLE: "ConnectWise does not answer",
    ProblemCode.RECORD_INCOMPLETE: "Some lines of an invoice cannot be read",
    ProblemCode.RIGHT_MISSING: "A right is missing in ConnectWise",
    ProblemCode.CREDENTIALS_REJECTED: "ConnectWise rejects the credentials",
    ProblemCode.MASS_ARCHIVE_STOPPED: "Many records seem to be gone from ConnectWise",
    ProblemCode.RUN_FAILED: "A run failed",
    ProblemCode.CALLBACKS_BROKEN: "ConnectWise cannot notify us of changes",
    ProblemCode.PDF_UNAVAILABLE: "A PDF could not be fetched",
    ProblemCode.PAYMENT_NOT_WRITTEN: "A payment is not in ConnectWise as it should be",
    ProblemCode.PAYMENT_SURPLUS: "ConnectWise shows a payment that the bridge did not make",
    ProblemCode.PAYMENT_UNAPPLIED: "A part of a payment is allocated to no invoice",
    ProblemCode.MESSAGE_UNREADABLE: "A message inside the bridge could not be read",
    ProblemCode.COMPANY_CONNECTED_TWICE: "This ConnectWise company is connected twice",
    ProblemCode.ANOTHER_BRIDGE: "Another installation of the bridge uses this ConnectWise",
    ProblemCode.UNUSUALLY_MANY_PAYMENTS: "More payments than ever came within an hour",
    ProblemCode.MEMBER_SHARED: "The bridge shares its API member with somebody",
    ProblemCode.PAYMENT_DISPUTED: "Two payments of the platform claim one in ConnectWise",
    ProblemCode.PAYMENTS_UNREAD: "Payments of paid invoices are still to be read",
    ProblemCode.COUNT_DIFFERS: "ConnectWise's list is shorter or longer than its count",
    ProblemCode.ROWS_UNREADABLE: "ConnectWise lists records whose id cannot be read",
    ProblemCode.JOB_FAILED: "A scheduled job failed",
    ProblemCode.BOOKS_PARTLY_HIDDEN: "ConnectWise hides a part of the books from the bridge",
}


class ActionInput(Input):
    """A choice names one of the actions that the problem offers."""

    action: Action
    connectwise_payment_id: int | None = Field(
        None,
        ge=1,
        description="The one payment that `adopt` takes for ours, or `dismiss` for another's.",
    )
    reference: str | None = Field(
        None,
        max_length=MAX_REFERENCE_LENGTH,
        description="The entry in your books that `reverse_in_books` is about.",
    )


class ShownPaymentView(View):
    """A payment as ConnectWise listed it when the problem was found."""

    connectwise_payment_id: int
    amount_minor: int
    amount: AmountView | None = Field(
        None, description="The same with its currency; null where the invoice is gone."
    )
    paid_on: date | None
    applied_by: str

    @classmethod
    def of(cls, payment: ShownPayment, currency: Currency | None) -> ShownPaymentView:
        return cls(
            connectwise_payment_id=payment.psa_payment_id,
            amount_minor=payment.amount_minor,
            amount=AmountView.of(payment.amount_minor, currency) if currency else None,
            paid_on=payment.paid_on,
            applied_by=payment.applied_by,
        )


class ProblemView(View):
    """A problem stands until a person acts or its cause is gone."""

    id: str
    connection_id: str
    code: ProblemCode
    title: str
    detail: str
    subject: str
    record_id: str | None = Field(description="The customer or invoice that it is about, if any.")
    payment_id: str | None = Field(description="The platform's payment that it is about, if any.")
    state: ProblemState
    actions: list[Action] = Field(
        description="What a person may do now; it changes with how far a payment is."
    )
    payments: list[ShownPaymentView] = Field(
        description="The payments of the invoice that it is about; an action names one of them."
    )
    amount: AmountView | None = Field(
        None, description="The amount that should be in ConnectWise, where it is about a payment."
    )
    refusal: str | None = Field(description="ConnectWise's own words, where it refused something.")
    times_seen: int
    opened_at: datetime
    last_seen_at: datetime
    resolved_at: datetime | None

    @classmethod
    def of(
        cls,
        problem: Problem,
        actions: Sequence[Action],
        payments: Sequence[ShownPayment] = (),
        currency: Currency | None = None,
    ) -> ProblemView:
        """Return the view, with payments that ConnectWise shows in the invoice's currency."""
        return cls(
            id=problem.problem_id,
            connection_id=problem.connection_id,
            code=problem.code,
            title=TITLES.get(problem.code, problem.code.value),
            detail=problem.detail,
            subject=problem.subject,
            record_id=problem.record_id,
            payment_id=problem.payment_id,
            state=problem.state,
            actions=list(actions),
            payments=[ShownPaymentView.of(payment, currency) for payment in payments],
            refusal=None,
            times_seen=problem.times_seen,
            opened_at=problem.opened_at,
            last_seen_at=problem.last_seen_at,
            resolved_at=problem.resolved_at,
        )

    @classmethod
    def of_write_back(
        cls, problem: Problem, actions: Sequence[Action], write_back: WriteBack
    ) -> ProblemView:
        """Return the view of a payment's problem."""
        money = write_back.currency
        return cls.of(problem, actions, write_back.shown, money).model_copy(
            update={
                "refusal": write_back.refusal or None,
                "amount": AmountView.of(write_back.amount_minor, money),
            }
        )


class ProblemPage(FoundPage[ProblemView]):
    """A page of problems follows the state that was asked for."""
