"""The last net compares the payments that we own with ConnectWise, and wakes due write-backs.

Posts and adoptions are forbidden here. A hole (ours is gone, or written anew by another tool) and
a surplus (an unowned one by our member) are shown to a person.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta

from bridge.domain.connection import Connection
from bridge.domain.errors import ConflictError, NotFoundError
from bridge.domain.hint import Hint, HintReason
from bridge.domain.identity import RecordKind, mirrored_id
from bridge.domain.invoice import Invoice
from bridge.domain.mirrored_kinds import INVOICES
from bridge.domain.payment import PaymentKind
from bridge.domain.platform_payment import Target
from bridge.domain.problem import Problem, ProblemCode, ProblemReport, record_subject
from bridge.domain.write_back import MAYBE_SENT_STATES, Reason, Timings, WriteBack, WriteBackState
from bridge.domain.write_back.changes import try_again
from bridge.domain.write_back.comparison import (
    find_again,
    has_idle_deletions,
    miss,
    note_reason,
    read_back_again,
    see_late,
    see_returned,
    see_returned_changed,
    see_reversed_once,
    see_reversed_twice,
    see_undeleted,
)
from bridge.payments.payment_matching import (
    copies_of,
    find,
    is_as_large,
    is_still_ours,
    may_be_of_any,
    post_that_may_have_made,
    shown,
    surplus_by,
)
from bridge.payments.retry_rules import is_retried_automatically, is_retry_due, may_succeed_now
from bridge.payments.unowned_payments import owned_among, unowned_among
from bridge.payments.write_back_problems import WriteBackProblems, write_back_report
from bridge.ports import (
    Clock,
    ConnectionStore,
    HintQueue,
    LedgerStore,
    ProblemStore,
    PsaGateway,
    PsaPayment,
    PsaPayments,
    RecordStore,
    WriteBackQueue,
)

_S = WriteBackState
# The comparison finds these itself, and takes them back once they are over.
RECONSIDERED = frozenset(
    {
        Reason.PAYMENT_GONE,
        Reason.PAYMENT_CHANGED,
        Reason.PAYMENT_REWRITTEN,
        Reason.REVERSED_TWICE,
        Reason.DELETION_IGNORED,
    }
)
_ENDED_WITHOUT_OURS = frozenset({_S.DONE_BY_HAND, _S.CANCELLED, _S.REVERSED})
_MISSED = frozenset({Reason.PAYMENT_GONE, Reason.PAYMENT_REWRITTEN})
_MAY_BE_PUT_RIGHT = frozenset(
    {
        Reason.PAYMENT_CHANGED,
        Reason.PAYMENT_REWRITTEN,
        Reason.PAYMENT_HIDDEN,
        Reason.DELETION_IGNORED,
    }
)

_logger = logging.getLogger(__name__)


class PaymentReconciler:
    """The reconciler compares the payments of one connection's touched invoices."""

    def __init__(
        self,
        *,
        ledger: LedgerStore,
        gateway: PsaGateway,
        records: RecordStore,
        connections: ConnectionStore,
        problems: ProblemStore,
        write_back_problems: WriteBackProblems,
        queue: WriteBackQueue,
        hints: HintQueue,
        clock: Clock,
        timings: Timings,
    ) -> None:
        self._timings = timings
        self._hints = hints
        self._ledger = ledger
        self._gateway = gateway
        self._records = records
        self._connections = connections
        self._problems = problems
        self._write_back_problems = write_back_problems
        self._queue = queue
        self._clock = clock

    def reconcile(self, connection: Connection, invoice_source_id: int) -> None:
        """Compare one invoice; a conflict is left to the writer that moved the write-back."""
        write_backs = self._ledger.write_backs_of_invoice(
            connection.connection_id, invoice_source_id
        )
        if not write_backs:
            return
        psa = self._gateway.open_payments(connection)
        rows = _rows(psa, invoice_source_id, write_backs[0])
        for write_back in write_backs:
            others = [each for each in write_backs if each is not write_back]
            try:
                self._compare(connection, write_back, rows, others)
            except ConflictError:
                _logger.info("write-back moved", extra={"id": write_back.write_back_id})
        self._report_surplus(connection, invoice_source_id, rows)
        self._refresh_mirror(connection, invoice_source_id, rows)

    def open_problems(self, connection: Connection) -> Mapping[str, Problem]:
        """Return a connection's open problems by their ids."""
        return self._problems.open_of_connection(connection.partner_id, connection.connection_id)

    def keep_in_step(self, write_back: WriteBack, known: Mapping[str, Problem]) -> None:
        """Open, change or close the problem if the write-back's last writer ran out of time."""
        report = write_back_report(write_back)
        problem = known.get(report.problem_id)
        told = problem.detail if problem else ""
        if told != report.detail:
            self._write_back_problems.show_stored(
                self._ledger, write_back.connection_id, write_back.write_back_id
            )

    def heal(self, write_back: WriteBack, problem: Problem) -> bool:
        """Try a write-back again if its obstacle seems gone, and tell whether it was tried.

        The driver looks at ConnectWise before it posts; here the mirror is asked, so that a
        waiting write-back saves its calls until something changed. If the mirror fails to tell, a
        call or two a day are spent on it.
        """
        if not is_retried_automatically(write_back) or not is_retry_due(
            write_back, problem, self._clock.now()
        ):
            return False
        stored = self._ledger.get_write_back(write_back.connection_id, write_back.write_back_id)
        waited = self._clock.now() - problem.last_seen_at
        if stored.value != write_back or not self._has_healed(write_back, waited):
            return False
        again = try_again(write_back, self._clock.now())
        self._ledger.save_write_back(again, expected_version=stored.version)
        self._queue.send(again)
        return True

    def read_back(self, write_back: WriteBack) -> None:
        """Have a written payment read back once more."""
        again = read_back_again(write_back, self._clock.now())
        self._save(write_back, again)
        self._queue.send(again)

    def _has_healed(self, write_back: WriteBack, waited: timedelta) -> bool:
        connection = self._connections.get(write_back.connection_id).value
        invoice = self._records.get(INVOICES, write_back.partner_id, write_back.invoice_id).value
        return may_succeed_now(write_back, connection, invoice, waited=waited)

    def _compare(
        self,
        connection: Connection,
        write_back: WriteBack,
        rows: Sequence[PsaPayment],
        others: Sequence[WriteBack],
    ) -> None:
        """Compare one write-back with the listed payments.

        A young one is left alone: the list may lag behind its post.
        """
        now = self._clock.now()
        if write_back.is_young(now, self._timings):
            return
        row = find(rows, write_back.psa_payment_id)
        if write_back.state is _S.CONFIRMED and write_back.target is Target.POSTED:
            unowned = unowned_among(self._ledger, connection.books, rows)
            foreign = [r for r in unowned if not may_be_of_any(others, r)]
            self._compare_row(write_back, row, foreign)
        elif write_back.state is _S.MANUAL and row and _is_missed(write_back):
            self._save(write_back, find_again(write_back))
        elif write_back.state is _S.REVERSED and row:
            self._take_out_again(connection, write_back, row)
        elif write_back.state is _S.REVERSED_BY_HAND and row is None:
            self._save(write_back, see_reversed_twice(write_back))
        elif write_back.reason is Reason.REVERSED_TWICE and row:
            self._save(write_back, see_reversed_once(write_back))
        elif write_back.state in _ENDED_WITHOUT_OURS and write_back.has_ended:
            self._see_late(connection, write_back, rows)
        elif self._is_put_right(connection, write_back, row, rows):
            self._save(write_back, try_again(write_back, now))

    def _see_late(
        self, connection: Connection, write_back: WriteBack, rows: Sequence[PsaPayment]
    ) -> None:
        """Show a person a payment that an unproven post may have made after all."""
        made = {post.psa_payment_id for post in write_back.known_history.posts()}
        late = [row for row in rows if row.psa_payment_id in made]
        late = [row for row in late if is_still_ours(write_back, row)]
        if write_back.unproven_posts:
            unowned = unowned_among(self._ledger, connection.books, rows)
            late += [row for row in unowned if post_that_may_have_made(write_back, row)]
        if late:
            self._save(write_back, see_late(write_back, self._clock.now(), shown(late)))

    def _take_out_again(
        self, connection: Connection, write_back: WriteBack, row: PsaPayment
    ) -> None:
        """Have a payment taken out once more, unless it was given up to another write-back,
        somebody edited it or deletions are in vain: the list was wrong when it was thought to be
        gone, or a person was mistaken."""
        owner = self._ledger.owners(connection.books, [row.psa_payment_id])
        if owner and not owned_among(self._ledger, connection, [write_back]):
            return
        if not is_still_ours(write_back, row):
            self._save(write_back, see_returned_changed(write_back, shown([row])))
        elif has_idle_deletions(write_back):
            self._save(write_back, see_undeleted(write_back, shown([row])))
        else:
            self._save(write_back, see_returned(write_back, self._clock.now()))

    def _is_put_right(
        self,
        connection: Connection,
        write_back: WriteBack,
        row: PsaPayment | None,
        rows: Sequence[PsaPayment],
    ) -> bool:
        """Tell whether a payment that was edited is as we made it again, or gone as it should."""
        if not write_back.needs_person or write_back.reason not in _MAY_BE_PUT_RIGHT:
            return False
        if write_back.psa_payment_id is None:
            unowned = unowned_among(self._ledger, connection.books, rows)
            return any(post_that_may_have_made(write_back, each) for each in unowned)
        if write_back.reason is Reason.DELETION_IGNORED:
            return row is None
        is_to_go = write_back.target is Target.ABSENT
        is_edited = write_back.reason is Reason.PAYMENT_CHANGED
        stands_changed = row is not None and not is_still_ours(write_back, row)
        return is_to_go and is_edited and not stands_changed

    def _compare_row(
        self, write_back: WriteBack, row: PsaPayment | None, foreign: Sequence[PsaPayment]
    ) -> None:
        """Check that ours is there with its amount and day; other edits of it are let be."""
        if row is None:
            copies = [
                each for each in copies_of(write_back, foreign) if is_as_large(write_back, each)
            ]
            reason = Reason.PAYMENT_REWRITTEN if copies else Reason.PAYMENT_GONE
            self._save(write_back, miss(write_back, reason, shown(copies)))
        elif write_back.reason is Reason.NONE and not is_as_large(write_back, row):
            self._save(write_back, note_reason(write_back, Reason.PAYMENT_CHANGED, shown([row])))
        elif write_back.reason is Reason.PAYMENT_CHANGED and is_as_large(write_back, row):
            self._save(write_back, note_reason(write_back, Reason.NONE))

    def _save(self, before: WriteBack, after: WriteBack) -> None:
        stored = self._ledger.get_write_back(before.connection_id, before.write_back_id)
        if stored.value != before:
            return
        self._ledger.save_write_back(after, expected_version=stored.version)
        self._write_back_problems.show(after)

    def _report_surplus(
        self,
        connection: Connection,
        invoice_source_id: int,
        rows: Sequence[PsaPayment],
    ) -> None:
        """Show unowned payments by our API members, once every post of the invoice is over.

        The write-backs are read afresh: a post is stated before its payment is listed, and may
        have led to an owner since.
        """
        write_backs = self._ledger.write_backs_of_invoice(
            connection.connection_id, invoice_source_id
        )
        ours = surplus_by(write_backs, rows, connection.member_identifier)
        surplus = [
            row.psa_payment_id for row in unowned_among(self._ledger, connection.books, ours)
        ]
        is_moving = any(w.state in MAYBE_SENT_STATES for w in write_backs)
        report = surplus_report(connection, invoice_source_id, surplus)
        if surplus and not is_moving:
            self._problems.report(report, self._clock.now())
        elif not surplus:
            self._problems.resolve(connection.partner_id, report.problem_id, self._clock.now())

    def _refresh_mirror(
        self, connection: Connection, invoice_source_id: int, rows: Sequence[PsaPayment]
    ) -> None:
        """Have the invoice fetched anew if the mirror shows other payments than ConnectWise."""
        connection_id = connection.connection_id
        invoice = self._records.get(
            INVOICES, connection.partner_id, mirrored_id(connection_id, invoice_source_id)
        ).value
        if invoice is None or invoice.archive is not None:
            return
        mirrored = {
            (payment.source_id, payment.amount_minor, payment.paid_on)
            for payment in invoice.payments
            if payment.kind is PaymentKind.MONEY
        }
        shown = {
            (row.psa_payment_id, row.amount_minor, row.paid_on) for row in rows if not row.is_credit
        }
        if mirrored != shown:
            hint = Hint(connection_id, RecordKind.INVOICE, invoice_source_id, HintReason.COMPARISON)
            self._hints.send([hint])


def _is_missed(write_back: WriteBack) -> bool:
    return write_back.target is Target.POSTED and write_back.reason in _MISSED


def overpaid_anew(write_backs: Sequence[WriteBack], invoice: Invoice) -> WriteBack | None:
    """Return the latest written payment, if the mirror shows another overpayment than it knows."""
    is_written = (w for w in write_backs if w.is_written and w.has_ended)
    written = [w for w in is_written if w.state is _S.CONFIRMED]
    overpaid_minor = max(0, -invoice.balance_minor)
    if not written or written[-1].overpaid_minor == overpaid_minor:
        return None
    return written[-1]


def surplus_report(
    connection: Connection, invoice_source_id: int, psa_payment_ids: Sequence[int] = ()
) -> ProblemReport:
    """Return the report of unowned payments by our API member."""
    listed = ", ".join(map(str, sorted(psa_payment_ids)[:10]))
    return ProblemReport(
        connection.partner_id,
        connection.connection_id,
        ProblemCode.PAYMENT_SURPLUS,
        record_subject(RecordKind.INVOICE, invoice_source_id),
        f"ConnectWise shows payments by our API member that the bridge did not make: {listed}.",
    )


def _rows(
    psa: PsaPayments, invoice_source_id: int, write_back: WriteBack
) -> tuple[PsaPayment, ...]:
    try:
        return psa.list_payments(invoice_source_id, write_back.currency)
    except NotFoundError:
        return ()
