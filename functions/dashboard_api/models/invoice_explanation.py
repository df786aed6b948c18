"""Standing models tell why an invoice is as it is, in a person's words, with the next step."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from pydantic import Field

from bridge.domain.invoice import Invoice
from bridge.domain.platform_payment import PlatformPayment, PlatformPaymentState
from bridge.domain.write_back import WriteBack
from bridge.figures.invoice_explanation import InvoiceStanding, Why
from dashboard_api.models.platform_payments import WriteBackView
from dashboard_api.models.problems import ProblemView
from dashboard_api.models.values import AmountView, View

_SENTENCES: Final[dict[Why, tuple[str, str]]] = {
    Why.DELETED_THERE: (
        "It was deleted in ConnectWise; that was found on {archived}.",
        "Nothing is to be done. An invoice that is made there again comes over by itself.",
    ),
    Why.LEFT_FILTER: (
        "It lies outside the import filters and was archived on {archived}.",
        "Change the filters to have it back, or undo the archiving.",
    ),
    Why.ARCHIVED: (
        "A person archived it on {archived}.",
        "Nothing is to be done.",
    ),
    Why.UNREADABLE: (
        "It is shown as it was read last; ConnectWise gives it away in a form that cannot be read.",
        "Look at its problem, mend the invoice in ConnectWise, and fetch it again.",
    ),
    Why.PAYMENT_WAITS_FOR_PERSON: (
        "A payment that the platform collected is not in ConnectWise as it should be.",
        "Open the payment's problem and choose one of its actions.",
    ),
    Why.PAYMENT_ON_ITS_WAY: (
        "A payment that the platform collected is on its way between both sides.",
        "Wait some minutes and look again.",
    ),
    Why.PAYMENTS_INCOMPLETE: (
        "Its total and balance are right, and its list of payments is still being read.",
        "Wait for the import to end, or fetch the invoice again.",
    ),
    Why.PAYMENTS_DIFFER: (
        "The payments and credits that ConnectWise lists do not add up to what its balance says.",
        "Fetch the invoice again; if it stays so, look at its payments in ConnectWise.",
    ),
    Why.CREDIT_OPEN: (
        "It is a credit of {balance} that is not used up.",
        "Apply it to an invoice in ConnectWise; it is never overdue.",
    ),
    Why.CREDIT_USED: ("It is a credit that is used up.", "Nothing is to be done."),
    Why.OVERPAID: (
        "It is paid, and {balance} more than that.",
        "Give the money back, or apply it to another invoice in ConnectWise.",
    ),
    Why.PAID: ("It is paid.", "Nothing is to be done."),
    Why.OUTSIDE_FILTERS: (
        "It lies outside the import filters, and stays until it is archived; {balance} is open.",
        "Archive what the filters left, or change the filters.",
    ),
    Why.OVERDUE: (
        "{balance} is open and was due on {due}.",
        "Remind the customer, or record the payment.",
    ),
    Why.CLOSED_UNPAID: (
        "ConnectWise's status “{status}” closes it, and {balance} is open.",
        "Set another status in ConnectWise if it is still to be paid, or enter the payment there.",
    ),
    Why.PARTLY_PAID: (
        "A part of it is paid, and {balance} is open.",
        "Wait for the rest; nothing is overdue.",
    ),
    Why.OPEN: (
        "{balance} is open, and nothing of it was paid.",
        "Wait for the payment; nothing is overdue.",
    ),
}


class InvoicePaymentView(View):
    """A payment of the platform pays a part of the invoice."""

    payment_id: str = Field(description="The platform's own id of the payment.")
    state: PlatformPaymentState | None = Field(
        description="How far the money is; null for one that is too old to be shown in full."
    )
    received_on: date | None = Field(description="The day on which the money was received.")
    recorded_at: datetime = Field(description="When the platform recorded it (UTC).")
    write_back: WriteBackView = Field(
        description="How far the invoice's part of it is in ConnectWise."
    )

    @classmethod
    def of(cls, write_back: WriteBack, payment: PlatformPayment | None) -> InvoicePaymentView:
        return cls(
            payment_id=write_back.payment_id,
            state=payment.state if payment else None,
            received_on=payment.received_on if payment else None,
            recorded_at=write_back.created_at,
            write_back=WriteBackView.of(write_back),
        )


class InvoiceStandingView(View):
    """An invoice's standing explains it, with the next step."""

    why: Why = Field(description="What explains it; of several it is the gravest.")
    sentence: str = Field(description="The same for a person.")
    next_step: str = Field(description="What to do about it.")
    platform_payments: list[InvoicePaymentView] = Field(
        description="The platform's latest 100 payments of it, the latest first."
    )
    problems: list[ProblemView] = Field(description="Open problems about the invoice itself.")

    @classmethod
    def of(cls, invoice: Invoice, standing: InvoiceStanding) -> InvoiceStandingView:
        sentence, next_step = _SENTENCES[standing.why]
        return cls(
            why=standing.why,
            sentence=sentence.format(**_facts(invoice)),
            next_step=next_step,
            platform_payments=[
                InvoicePaymentView.of(each, standing.payments.get(each.payment_id))
                for each in standing.write_backs
            ],
            problems=[ProblemView.of(each, each.actions) for each in standing.problems],
        )


class RecordFetchView(View):
    """A record is fetched again within moments."""

    asked_at: datetime = Field(description="When it was asked for (UTC).")


def _facts(invoice: Invoice) -> dict[str, str]:
    balance = AmountView.of(abs(invoice.balance_minor), invoice.currency)
    return {
        "balance": f"{balance.display} {balance.currency}",
        "due": invoice.due_on.isoformat() if invoice.due_on else "",
        "archived": f"{invoice.archive.at:%Y-%m-%d}" if invoice.archive else "",
        "status": invoice.status.name if invoice.status else "",
    }
