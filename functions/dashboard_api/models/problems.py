"""Problem models show open matters and the actions of people about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from pydantic import Field

from bridge.domain.identity import mirrored_id, parse_write_back_id
from bridge.domain.problem import Action, Problem, ProblemCode, ProblemState, record_of_subject
from bridge.domain.write_back import ShownPayment
from bridge.domain.write_back.decisions import MAX_REFERENCE_LENGTH
from dashboard_api.models.values import Input, Page, View

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
    paid_on: date | None
    applied_by: str

    @classmethod
    def of(cls, payment: ShownPayment) -> ShownPaymentView:
        return cls(
            connectwise_payment_id=payment.psa_payment_id,
            amount_minor=payment.amount_minor,
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
        refusal: str = "",
    ) -> ProblemView:
        payment_id, record_id = _about(problem)
        return cls(
            id=problem.problem_id,
            connection_id=problem.connection_id,
            code=problem.code,
            title=TITLES.get(problem.code, problem.code.value),
            detail=problem.detail,
            subject=problem.subject,
            record_id=record_id,
            payment_id=payment_id,
            state=problem.state,
            actions=list(actions),
            payments=[ShownPaymentView.of(payment) for payment in payments],
            refusal=refusal or None,
            times_seen=problem.times_seen,
            opened_at=problem.opened_at,
            last_seen_at=problem.last_seen_at,
            resolved_at=problem.resolved_at,
        )


class ProblemPage(Page[ProblemView]):
    """A page of problems follows the state that was asked for."""


def _about(problem: Problem) -> tuple[str | None, str | None]:
    """Return the ids of the platform's payment and of the record that a subject names."""
    if record := record_of_subject(problem.subject):
        return None, mirrored_id(problem.connection_id, record[1])
    kind, _, name = problem.subject.partition("/")
    if kind == "write_back" and (parsed := parse_write_back_id(name)):
        payment_id, invoice_source_id = parsed
        return payment_id, mirrored_id(problem.connection_id, invoice_source_id)
    return (name, None) if kind == "platform_payment" else (None, None)
