"""An invoice's standing explains it, with the platform's payments and the problems of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import chain

from bridge.domain.customer import ArchiveReason
from bridge.domain.identity import Origin, RecordKind, problem_id
from bridge.domain.invoice import Invoice, InvoiceState
from bridge.domain.platform_payment import PlatformPayment, Target
from bridge.domain.problem import (
    RECORD_PROBLEMS,
    Problem,
    ProblemCode,
    ProblemState,
    record_subject,
)
from bridge.domain.write_back import WriteBack
from bridge.domain.write_back.states import ENDED_STATES
from bridge.ports import Clock, LedgerStore, PlatformPaymentQuery, ProblemStore

MAX_PAYMENTS_SHOWN = 100
"""An invoice is shown with its latest so many payments of the platform."""
_CODES = (
    *RECORD_PROBLEMS,
    ProblemCode.RECORD_INCOMPLETE,
    ProblemCode.PAYER_UNREADABLE,
    ProblemCode.PDF_UNAVAILABLE,
    ProblemCode.PAYMENT_SURPLUS,
)
"""Problems that are about one invoice, beside those of its write-backs."""


class Why(StrEnum):
    """A reason explains an invoice; of several that hold the first one counts."""

    DELETED_THERE = "deleted_there"
    LEFT_FILTER = "left_filter"
    ARCHIVED = "archived"
    UNREADABLE = "unreadable"
    """It is unreadable now, and shown as it was read last."""
    PAYMENT_WAITS_FOR_PERSON = "payment_waits_for_person"
    PAYMENT_ON_ITS_WAY = "payment_on_its_way"
    """A payment of the platform is yet to appear in ConnectWise, or to leave it."""
    PAYMENTS_INCOMPLETE = "payments_incomplete"
    """Its payments are still to be read."""
    PAYMENTS_DIFFER = "payments_differ"
    """Its balance is another one than the listed payments make."""
    CREDIT_OPEN = "credit_open"
    CREDIT_USED = "credit_used"
    OVERPAID = "overpaid"
    PAID = "paid"
    OUTSIDE_FILTERS = "outside_filters"
    OVERDUE = "overdue"
    CLOSED_UNPAID = "closed_unpaid"
    """ConnectWise's status closes it, and a part of it is open."""
    PARTLY_PAID = "partly_paid"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class InvoiceStanding:
    """A standing holds the platform's payments of an invoice, its problems, and the reason."""

    why: Why
    write_backs: tuple[WriteBack, ...]
    """Of the platform's payments, latest made first."""
    payments: Mapping[str, PlatformPayment]
    """The platform's payments of it, by id."""
    problems: tuple[Problem, ...]
    """Open ones about the invoice itself."""


class InvoiceStandings:
    """The standing of one invoice takes a few reads of our own stores."""

    def __init__(self, ledger: LedgerStore, problems: ProblemStore, clock: Clock) -> None:
        self._ledger = ledger
        self._problems = problems
        self._clock = clock

    def of(self, invoice: Invoice, *, is_outside_filters: bool) -> InvoiceStanding:
        """Return an invoice's standing."""
        write_backs = self._write_backs(invoice)
        problems = self._open_problems(invoice)
        query = PlatformPaymentQuery(invoice_id=invoice.invoice_id)
        found = self._ledger.list_payments(invoice.partner_id, query, limit=MAX_PAYMENTS_SHOWN)
        why = why_of(
            invoice,
            write_backs,
            {each.code for each in problems},
            is_outside_filters=is_outside_filters,
            today=self._clock.now().date(),
        )
        payments = {each.payment_id: each for each in found.items}
        return InvoiceStanding(why, write_backs, payments, problems)

    def _write_backs(self, invoice: Invoice) -> tuple[WriteBack, ...]:
        if invoice.connection_id is None or invoice.source_id is None:
            return ()
        found = self._ledger.write_backs_of_invoice(invoice.connection_id, invoice.source_id)
        own = [each for each in found if each.partner_id == invoice.partner_id]
        return tuple(reversed(own[-MAX_PAYMENTS_SHOWN:]))

    def _open_problems(self, invoice: Invoice) -> tuple[Problem, ...]:
        if invoice.connection_id is None or invoice.source_id is None:
            return ()
        subject = record_subject(RecordKind.INVOICE, invoice.source_id)
        ids = (problem_id(invoice.connection_id, code.value, subject) for code in _CODES)
        found = (self._problems.get(invoice.partner_id, each) for each in ids)
        return tuple(each for each in found if each and each.state is ProblemState.OPEN)


def why_of(
    invoice: Invoice,
    write_backs: Sequence[WriteBack],
    problems: Collection[ProblemCode],
    *,
    is_outside_filters: bool,
    today: date,
) -> Why:
    """Return the reason that explains an invoice best: troubles come first."""
    if invoice.archive:
        return _ARCHIVED_AS[invoice.archive.reason]
    by_money = _by_money(invoice, is_outside_filters=is_outside_filters, today=today)
    return next(chain(_troubles(invoice, write_backs, problems), by_money))


def _troubles(
    invoice: Invoice, write_backs: Sequence[WriteBack], problems: Collection[ProblemCode]
) -> Iterator[Why]:
    if any(code in problems for code in RECORD_PROBLEMS):
        yield Why.UNREADABLE
    if any(each.reason for each in write_backs):
        yield Why.PAYMENT_WAITS_FOR_PERSON
    if any(_is_on_its_way(each) for each in write_backs):
        yield Why.PAYMENT_ON_ITS_WAY
    if invoice.origin is Origin.CONNECTWISE and not invoice.payments_complete:
        yield Why.PAYMENTS_INCOMPLETE
    elif invoice.origin is Origin.CONNECTWISE and not invoice.balance_agrees:
        yield Why.PAYMENTS_DIFFER


def _by_money(invoice: Invoice, *, is_outside_filters: bool, today: date) -> Iterator[Why]:
    is_credit = invoice.total_minor < 0 or invoice.balance_minor < 0
    if invoice.state is InvoiceState.PAID:
        if invoice.total_minor < 0:
            yield Why.CREDIT_USED
        yield Why.OVERPAID if invoice.balance_minor < 0 else Why.PAID
    if is_outside_filters:
        yield Why.OUTSIDE_FILTERS
    if is_credit:
        yield Why.CREDIT_OPEN
    if invoice.is_overdue(today):
        yield Why.OVERDUE
    if invoice.status and invoice.status.is_closed:
        yield Why.CLOSED_UNPAID
    yield Why.PARTLY_PAID if invoice.state is InvoiceState.PARTIALLY_PAID else Why.OPEN


def _is_on_its_way(write_back: WriteBack) -> bool:
    return write_back.target is not Target.NONE and write_back.state not in ENDED_STATES


_ARCHIVED_AS: Mapping[ArchiveReason, Why] = {
    ArchiveReason.DELETED_IN_CONNECTWISE: Why.DELETED_THERE,
    ArchiveReason.LEFT_FILTER: Why.LEFT_FILTER,
    ArchiveReason.BY_PERSON: Why.ARCHIVED,
}
