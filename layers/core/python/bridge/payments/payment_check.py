"""The check goes through one connection's write-backs in steps, to heal and to compare them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from bridge.connections.job_step import JobStep, StepEnd
from bridge.connections.visit import Visit, visit_that_ended_with
from bridge.domain.connection import Connection
from bridge.domain.errors import BridgeError
from bridge.domain.mirrored_kinds import INVOICES
from bridge.domain.problem import Problem, ProblemCode, name_of_subject
from bridge.domain.write_back import WriteBack
from bridge.domain.write_back.rest import may_rest
from bridge.payments.mirrored_payments import disagree
from bridge.payments.owner_move import OwnerMove
from bridge.payments.payment_reconciler import PaymentReconciler, overpaid_anew, surplus_report
from bridge.payments.write_back_walk import WalkPlace, company_mark, invoices_past
from bridge.ports import Clock, LedgerStore, Measure, Metrics, RecordStore

MIN_SECONDS_PER_INVOICE = 30.0
"""ConnectWise is asked about one more invoice only while so much time is left."""
ASKED_DAILY_FOR = timedelta(days=60)
"""So long after something was collected for an invoice ConnectWise itself is asked about it, once a
day."""

_logger = logging.getLogger(__name__)


class PaymentCheck:
    """The check tries waiting write-backs again, and compares the written ones.

    The mirror is in step with ConnectWise and holds every invoice's payments, so it is asked
    first; ConnectWise itself is asked at once about invoices on which the two disagree, and once a
    day about all that were paid lately, since a change of payments may leave the invoice as it is.
    A write-back that was proven long ago rests, and is looked at monthly.
    """

    def __init__(
        self,
        *,
        ledger: LedgerStore,
        records: RecordStore,
        reconciler: PaymentReconciler,
        owner_move: OwnerMove,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._records = records
        self._reconciler = reconciler
        self._owner_move = owner_move
        self._metrics = metrics
        self._clock = clock

    # --- waiting write-backs -------------------------------------------------------------------

    def retry(self, step: JobStep) -> StepEnd:
        """Try write-backs again whose obstacle seems gone, and count them."""
        known = self._reconciler.open_problems(step.connection)
        if step.cursor is None:
            self._count(step.connection, len(known))
        end = StepEnd()
        for problem_id in sorted(each for each in known if each > (step.cursor or "")):
            done = end.done + self._retry(step.connection, known, problem_id)
            end = replace(end, done=done)
            if self._is_over(step):
                return replace(end, cursor=problem_id)
        return end

    def _count(self, connection: Connection, open_problems: int) -> None:
        self._metrics.note(
            Measure.OPEN_PROBLEMS,
            open_problems,
            partner_id=connection.partner_id,
            connection_id=connection.connection_id,
        )

    def _retry(self, connection: Connection, known: Mapping[str, Problem], problem_id: str) -> int:
        """Try the write-back of a problem again; each that waits for a person has one."""
        problem = known[problem_id]
        if problem.code is not ProblemCode.PAYMENT_NOT_WRITTEN:
            return 0
        write_back_id = name_of_subject(problem.subject)
        found = self._ledger.get_write_back(connection.connection_id, write_back_id)
        if found.value is None:
            return 0
        _guarded(partial(self._reconciler.keep_in_step, found.value, known))
        return _guarded(partial(self._reconciler.heal, found.value, problem))

    # --- the comparison ------------------------------------------------------------------------

    def compare(self, step: JobStep) -> StepEnd:
        """Compare all but resting write-backs; count the invoices that ConnectWise itself was asked
        about. A move of owners goes through the resting ones as well."""
        connection = step.connection
        place = WalkPlace.read(step.cursor) if step.cursor else self._start(connection)
        known = self._reconciler.open_problems(connection)
        end = StepEnd()
        if not place.is_among_resting:
            for write_backs in invoices_past(self._ledger, connection.connection_id, place):
                place = self._past(connection, place, write_backs)
                end = self._compare(step, end, write_backs, known)
                if self._is_over(step):
                    return replace(end, cursor=place.write())
        if not place.moving_to:
            return end
        return self._move_resting(step, end, place)

    def _move_resting(self, step: JobStep, end: StepEnd, place: WalkPlace) -> StepEnd:
        """Move the owners of resting write-backs as well, which ends the move."""
        connection = step.connection
        place = place if place.is_among_resting else place.among_resting()
        for write_backs in invoices_past(self._ledger, connection.connection_id, place):
            place = self._past(connection, place, write_backs)
            if self._is_over(step):
                return replace(end, cursor=place.write())
        if place.is_moved(connection):
            _guarded(partial(self._owner_move.finish, connection))
        return end

    def look_at_resting(self, step: JobStep) -> StepEnd:
        """Look whether the mirror agrees with resting write-backs, and count woken invoices: the
        hourly comparison then asks ConnectWise about those."""
        connection = step.connection
        first = WalkPlace().among_resting()
        place = WalkPlace.read(step.cursor) if step.cursor else first
        known = self._reconciler.open_problems(connection)
        end = StepEnd()
        for write_backs in invoices_past(self._ledger, connection.connection_id, place):
            place = self._past(connection, place, write_backs)
            self._keep_in_step(write_backs, known)
            if _guarded(partial(self._is_suspicious, connection, write_backs, known)):
                _guarded(partial(self._wake, write_backs))
                end = replace(end, done=end.done + 1)
            if self._is_over(step):
                return replace(end, cursor=place.write())
        return end

    def _start(self, connection: Connection) -> WalkPlace:
        is_due = self._owner_move.is_due(connection)
        return WalkPlace(moving_to=company_mark(connection) if is_due else "")

    def _past(
        self, connection: Connection, place: WalkPlace, write_backs: Sequence[WriteBack]
    ) -> WalkPlace:
        """Return the place past an invoice, whose owners were moved if they are to be."""
        has_failed = place.has_move_failed
        if place.moving_to:
            has_failed |= not _guarded(partial(self._owner_move.move, connection, write_backs))
        invoice_source_id = write_backs[0].invoice_source_id
        return replace(place, after_invoice=invoice_source_id, has_move_failed=has_failed)

    def _compare(
        self,
        step: JobStep,
        end: StepEnd,
        write_backs: Sequence[WriteBack],
        known: Mapping[str, Problem],
    ) -> StepEnd:
        """Compare one invoice, and let it rest once all of it was proven long ago."""
        self._keep_in_step(write_backs, known)
        look = partial(self._is_suspicious, step.connection, write_backs, known)
        is_suspicious = _guarded(look) > 0
        now = self._clock.now()
        if is_suspicious or _has_its_turn(write_backs, step.hours, now):
            return self._ask(step, end, write_backs[0].invoice_source_id)
        if all(may_rest(each, now) for each in write_backs):
            _guarded(partial(self._let_rest, write_backs[0], now))
        return end

    def _ask(self, step: JobStep, end: StepEnd, invoice_source_id: int) -> StepEnd:
        """Ask ConnectWise about an invoice, unless its server was silent before in this step."""
        if not step.may_ask or end.visit is Visit.UNANSWERED:
            return end
        try:
            self._reconciler.reconcile(step.connection, invoice_source_id)
        except BridgeError as error:
            _logger.warning("payments not compared: %s", type(error).__name__)
            return replace(end, visit=visit_that_ended_with(error))
        return replace(end, visit=Visit.ANSWERED, done=end.done + 1)

    def _is_suspicious(
        self, connection: Connection, write_backs: Sequence[WriteBack], known: Mapping[str, Problem]
    ) -> bool:
        """Tell whether ConnectWise is to be asked about the invoice. Where only some of its
        write-backs rest, all of them are looked at together."""
        if not self._look_at(connection, write_backs, known):
            return False
        first = write_backs[0]
        every = self._ledger.write_backs_of_invoice(
            connection.connection_id, first.invoice_source_id
        )
        return len(every) == len(write_backs) or self._look_at(connection, every, known)

    def _look_at(
        self, connection: Connection, write_backs: Sequence[WriteBack], known: Mapping[str, Problem]
    ) -> bool:
        """Have a payment read back whose invoice is overpaid anew; tell whether the mirror or a
        problem makes the invoice suspicious."""
        first = write_backs[0]
        invoice = self._records.get(INVOICES, first.partner_id, first.invoice_id).value
        overpaid = overpaid_anew(write_backs, invoice) if invoice else None
        if overpaid is not None:
            self._reconciler.read_back(overpaid)
            return True
        surplus = surplus_report(connection, first.invoice_source_id)
        is_known = surplus.problem_id in known
        return is_known or disagree(self._ledger, connection, write_backs, invoice)

    def _keep_in_step(self, write_backs: Sequence[WriteBack], known: Mapping[str, Problem]) -> None:
        for write_back in write_backs:
            _guarded(partial(self._reconciler.keep_in_step, write_back, known))

    def _let_rest(self, first: WriteBack, now: datetime) -> None:
        """Let the write-backs of an invoice rest, if all of them may."""
        place = first.connection_id, first.invoice_source_id
        every = self._ledger.write_backs_of_invoice(*place)
        if all(may_rest(each, now) for each in every):
            for each in every:
                self._ledger.set_resting(each, is_resting=True)

    def _wake(self, write_backs: Sequence[WriteBack]) -> None:
        for each in write_backs:
            self._ledger.set_resting(each, is_resting=False)

    def _is_over(self, step: JobStep) -> bool:
        is_late = self._clock.now() >= step.until
        return is_late or self._clock.remaining_seconds() < MIN_SECONDS_PER_INVOICE


def _has_its_turn(write_backs: Sequence[WriteBack], hours: Collection[int], now: datetime) -> bool:
    """Tell whether an invoice's hour of the day has come, and it was paid for lately."""
    is_recent = any(now - each.created_at < ASKED_DAILY_FOR for each in write_backs)
    return is_recent and write_backs[0].invoice_source_id % 24 in hours


def _guarded(work: Callable[[], object]) -> int:
    """Do one invoice's work; a failure is logged and the others go on."""
    try:
        return int(work() is not False)
    except BridgeError as error:
        _logger.warning("payment check failed: %s", type(error).__name__)
        return 0
