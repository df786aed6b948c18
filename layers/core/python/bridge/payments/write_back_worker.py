"""A worker drives one write-back as far as it goes, and stores the next step after a failure."""

from __future__ import annotations

import logging
import math
from dataclasses import replace
from datetime import datetime, timedelta

from bridge.connections.payment_stops import PaymentStops
from bridge.connections.visit import Visit, visit_that_ended_with
from bridge.domain.connection import Connection
from bridge.domain.errors import (
    ConflictError,
    LeaseTakenError,
    OutcomeUnknownError,
    PermanentError,
    RetryableError,
)
from bridge.domain.hint import Hint, HintReason
from bridge.domain.identity import RecordKind
from bridge.domain.platform_payment import Target
from bridge.domain.read_mark import SETTLING
from bridge.domain.write_back import IN_FLIGHT_STATES, Reason, Timings, WriteBack, WriteBackState
from bridge.domain.write_back.changes import (
    FIRST_WAIT,
    LONGEST_WAIT,
    delay,
    finish_late_look,
    follow_up,
    hand_over,
    postpone,
    wait_with_reason,
)
from bridge.payments.billing_status import BillingStatusChange
from bridge.payments.first_contact import FirstContact
from bridge.payments.held_write_back import HeldWriteBack
from bridge.payments.payment_gate import PaymentGate
from bridge.payments.payment_matching import refusal_reason
from bridge.payments.payment_post import PaymentPost
from bridge.payments.payment_read_back import PaymentReadBack
from bridge.payments.payment_reconciler import PaymentReconciler
from bridge.payments.payment_reversal import PaymentReversal
from bridge.payments.write_back_problems import WriteBackProblems
from bridge.ports import (
    Clock,
    ConnectionStore,
    HintQueue,
    LedgerStore,
    Measure,
    Metrics,
    PaymentControlStore,
    PsaGateway,
    WriteBackQueue,
)

DISCONNECTED_RETRY = timedelta(hours=1)
MAX_STATUS_RETRIES = 5
MAX_DELAY = timedelta(minutes=15)
"""A queue holds a message back for so long; a later look is found by its time."""
HINT_DELAY_SECONDS = math.ceil(SETTLING.total_seconds()) + 1
"""ConnectWise calls back for our own changes, too: the read for that callback then serves both."""

_logger = logging.getLogger(__name__)


class WriteBackWorker:
    """The worker takes a write-back to its target: the payment posted once, or removed again."""

    def __init__(
        self,
        *,
        ledger: LedgerStore,
        connections: ConnectionStore,
        stops: PaymentStops,
        gateway: PsaGateway,
        hints: HintQueue,
        queue: WriteBackQueue,
        reconciler: PaymentReconciler,
        first_contact: FirstContact,
        control: PaymentControlStore,
        write_back_problems: WriteBackProblems,
        metrics: Metrics,
        clock: Clock,
        timings: Timings,
    ) -> None:
        self._ledger = ledger
        self._connections = connections
        self._stops = stops
        self._gateway = gateway
        self._hints = hints
        self._queue = queue
        self._reconciler = reconciler
        self._first_contact = first_contact
        self._control = control
        self._write_back_problems = write_back_problems
        self._metrics = metrics
        self._clock = clock
        self._timings = timings

    def drive(self, connection_id: str, write_back_id: str) -> Visit:
        """Drive the write-back as far as it goes; its ``next_look_at`` finds it again for the rest.

        A conflict means that another worker moved the write-back: it is left to that worker.
        """
        stored = self._ledger.get_write_back(connection_id, write_back_id)
        write_back = stored.value
        now = self._clock.now()
        if write_back is None:
            return Visit.UNASKED
        is_drivable = _is_drivable(write_back, now)
        if not is_drivable and not _is_late_look_due(write_back, now):
            # Its last writer may have died before the problem list was in step.
            self._write_back_problems.keep_in_step(write_back)
            return Visit.UNASKED
        connection = self._connections.get(connection_id).value
        if connection is None or not connection.is_syncing:
            self._wait_for_person(write_back, stored.version, Reason.DISCONNECTED)
            return Visit.UNASKED
        if not connection.member_identifier:
            # The name is needed to tell our own payments from other people's.
            self._wait_for_person(write_back, stored.version, Reason.MEMBER_UNKNOWN)
            return Visit.UNASKED
        if not is_drivable:
            return self._look_late(connection, write_back, stored.version)
        return self._hold_and_run(connection, write_back, stored.version)

    def _hold_and_run(self, connection: Connection, write_back: WriteBack, version: int) -> Visit:
        now = self._clock.now()
        try:
            lease = self._ledger.take_lease(
                books=connection.books,
                invoice_source_id=write_back.invoice_source_id,
                holder_id=write_back.write_back_id,
                now=now,
                until=now + self._timings.attempt,
            )
        except LeaseTakenError as error:
            self._save(postpone(write_back, error.until), version)
            return Visit.UNASKED
        except ConflictError:
            _logger.info("the invoice's lease is contended; the next sweep tries again")
            return Visit.UNASKED
        held = HeldWriteBack(
            ledger=self._ledger,
            psa=self._gateway.open_payments(connection),
            connection=connection,
            lease=lease,
            clock=self._clock,
            timings=self._timings,
            write_back=write_back,
            version=version,
        )
        return self._run(held)

    def _run(self, held: HeldWriteBack) -> Visit:
        visit = Visit.ANSWERED
        was_written = held.write_back.is_written
        gate = self._open_gate()
        try:
            visit = self._advance(held, gate)
        except ConflictError:
            # The other writer shows it, and our copy of it is stale.
            _logger.info("write-back moved elsewhere", extra=held.ids)
            self._put_off_unmoved(held)
        else:
            self._finish(held, gate, was_written=was_written)
        if held.has_written:
            self._hints.send([_hint(held)], delay_seconds=HINT_DELAY_SECONDS)
        return visit

    def _finish(self, held: HeldWriteBack, gate: PaymentGate, *, was_written: bool) -> None:
        held.let_go()
        gate.let_go(held)
        self._write_back_problems.show(held.write_back)
        self._send_next_look(held.write_back)
        if held.write_back.is_written and not was_written:
            self._note_arrival(held.write_back)

    def _note_arrival(self, write_back: WriteBack) -> None:
        """Measure how long a payment took from the platform to ConnectWise."""
        took = self._clock.now() - write_back.created_at
        self._metrics.note(
            Measure.PAYMENT_TO_CONNECTWISE,
            took.total_seconds(),
            partner_id=write_back.partner_id,
            connection_id=write_back.connection_id,
            write_back_id=write_back.write_back_id,
        )

    def _put_off_unmoved(self, held: HeldWriteBack) -> None:
        """Look again later at a write-back that nobody moved: an owner stood in its way."""
        ids = (held.connection.connection_id, held.write_back.write_back_id)
        stored = self._ledger.get_write_back(*ids)
        if stored.value is not None and stored.version == held.version:
            later = delay(stored.value, self._clock.now(), self._timings)
            if self._save(later, stored.version):
                self._write_back_problems.show(later)

    def _advance(self, held: HeldWriteBack, gate: PaymentGate) -> Visit:
        """Go as far as it goes, and store the next step after a failure."""
        try:
            return self._try_advance(held, gate)
        except ConflictError:
            # An answer of ConnectWise holds even if the payment was returned while it was posted.
            if not held.store_answer():
                raise
        return self._try_advance(held, gate)

    def _try_advance(self, held: HeldWriteBack, gate: PaymentGate) -> Visit:
        try:
            self._run_steps(held, gate)
        except RetryableError as error:
            held.retry_later()
            return visit_that_ended_with(error)
        except OutcomeUnknownError:
            # Only a change of status can be unclear here, and that may be made twice.
            _retry_status(held)
            return Visit.UNANSWERED
        except PermanentError as error:
            _give_to_person(held, refusal_reason(error))
        return Visit.UNANSWERED if held.is_unanswered else Visit.ANSWERED

    def _run_steps(self, held: HeldWriteBack, gate: PaymentGate) -> None:
        held.connection = self._first_contact.look(held.connection)
        status = BillingStatusChange(held)
        post = PaymentPost(held, gate)
        if held.write_back.target is Target.POSTED:
            post.bring_in()
        else:
            PaymentReversal(held, post, status, gate).take_out()
        if held.write_back.wants_follow_up and held.write_back.is_at_target:
            is_unproven = held.connection.payment_facts.proven_at is None
            read_back = PaymentReadBack(held, status, lists_always=is_unproven)
            read_back.follow_up()
            if read_back.proven is not None:
                self._first_contact.prove(held.connection, held.write_back, read_back.proven)

    def _open_gate(self) -> PaymentGate:
        return PaymentGate(
            connections=self._connections,
            stops=self._stops,
            ledger=self._ledger,
            control=self._control,
            clock=self._clock,
        )

    def _send_next_look(self, write_back: WriteBack) -> None:
        """Let the queue hold the next look if it is near; the due list finds the others."""
        look_at = write_back.next_look_at
        if look_at is None or write_back.target is Target.NONE:
            return
        wait = look_at - self._clock.now()
        if timedelta(0) <= wait <= MAX_DELAY:
            self._queue.send(write_back, delay_seconds=math.ceil(wait.total_seconds()))

    def _look_late(self, connection: Connection, write_back: WriteBack, version: int) -> Visit:
        """Compare the invoice once more, long after an attempt that stayed unproven."""
        try:
            self._reconciler.reconcile(connection, write_back.invoice_source_id)
        except (RetryableError, PermanentError) as error:
            self._save(replace(write_back, late_look_at=self._later(write_back)), version)
            is_answered = isinstance(error, PermanentError)
            return Visit.ANSWERED if is_answered else Visit.UNANSWERED
        stored = self._ledger.get_write_back(connection.connection_id, write_back.write_back_id)
        if stored.value is not None and self._is_moving(write_back):
            # A surplus is told once nothing of the invoice is under way.
            later = replace(stored.value, late_look_at=self._later(write_back))
            self._save(later, stored.version)
        elif stored.value is not None:
            now = self._clock.now()
            self._save(finish_late_look(stored.value, now, self._timings), stored.version)
        return Visit.ANSWERED

    def _is_moving(self, write_back: WriteBack) -> bool:
        place = (write_back.connection_id, write_back.invoice_source_id)
        every = self._ledger.write_backs_of_invoice(*place)
        return any(each.state in IN_FLIGHT_STATES for each in every)

    def _later(self, write_back: WriteBack) -> datetime:
        """Return when to try the late look again: each time after half of its wait so far, and
        after an hour at most."""
        now = self._clock.now()
        waited = now - self._timings.late_look(write_back.last_stated_at or write_back.created_at)
        return now + min(max(FIRST_WAIT, waited / 2), LONGEST_WAIT)

    def _wait_for_person(self, write_back: WriteBack, version: int, reason: Reason) -> None:
        """Show why ConnectWise is out of reach; a request that may have been sent stays unclear."""
        if write_back.state is WriteBackState.DONE_BY_HAND and not write_back.has_ended:
            # A person entered it, so a person takes it out; ConnectWise is not asked for that.
            waiting = hand_over(write_back, Reason.REVERSE_BY_HAND)
        elif write_back.state is WriteBackState.PENDING and not write_back.unproven_posts:
            waiting = hand_over(write_back, reason)
        elif _is_drivable(write_back, self._clock.now()):
            later = self._clock.now() + DISCONNECTED_RETRY
            waiting = wait_with_reason(write_back, reason, later)
        else:
            waiting = replace(write_back, late_look_at=self._clock.now() + DISCONNECTED_RETRY)
        if self._save(waiting, version):
            self._write_back_problems.show(waiting)

    def _save(self, write_back: WriteBack, version: int) -> bool:
        try:
            self._ledger.save_write_back(write_back, expected_version=version)
        except ConflictError:
            return False
        return True


def _retry_status(held: HeldWriteBack) -> None:
    """Make a change of status with an unclear answer again, a few times: some installations
    answer so for an invoice that is locked."""
    if held.write_back.waits < MAX_STATUS_RETRIES:
        held.retry_later()
    elif held.write_back.is_at_target:
        held.save(follow_up(held.write_back, Reason.STATUS_REFUSED))
    else:
        held.hand_over(Reason.INVOICE_LOCKED)


def _give_to_person(held: HeldWriteBack, reason: Reason) -> None:
    """Show that a read was refused. A request that may have been sent stays unclear, and is asked
    for later; so is the invoice of a payment that was taken out."""
    is_out = held.write_back.state is WriteBackState.REVERSED
    if is_out or held.write_back.may_be_in_flight or held.is_quarantined:
        later = held.now + held.timings.quarantine
        held.save(wait_with_reason(held.write_back, reason, later))
    else:
        held.hand_over(reason)


def _is_drivable(write_back: WriteBack, now: datetime) -> bool:
    if write_back.has_ended or write_back.target is Target.NONE:
        return False
    if write_back.needs_person and (
        write_back.target is Target.POSTED or write_back.due_at is None
    ):
        # A person decides; only a payment that was undone since then is looked at once more.
        return False
    return write_back.acts_at is None or write_back.acts_at <= now


def _is_late_look_due(write_back: WriteBack, now: datetime) -> bool:
    is_moving = write_back.state in IN_FLIGHT_STATES
    return not is_moving and write_back.late_look_at is not None and write_back.late_look_at <= now


def _hint(held: HeldWriteBack) -> Hint:
    """Return a hint that ends where the mirror read the invoice since.

    A read settles hints that came a while before it, since ConnectWise may show a change late. One
    that began after ours had shown the change needs no such while.
    """
    write_back, shown_at = held.write_back, held.shown_at
    return Hint(
        write_back.connection_id,
        RecordKind.INVOICE,
        write_back.invoice_source_id,
        HintReason.WRITE_BACK,
        partner_id=write_back.partner_id,
        came_at=(shown_at - SETTLING) if shown_at else held.now,
    )
