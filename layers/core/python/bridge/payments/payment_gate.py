"""The gate lets a post or a deletion through, or says why it has to wait.

People and the on-call engineer stop payments; a connection that suddenly posts many more than ever
stops itself; and until one payment of a connection was proven in full, its payments go one at a
time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bridge.connections.payment_stops import PaymentStops
from bridge.domain.connection import Connection, PaymentsStop
from bridge.domain.errors import LeaseTakenError
from bridge.domain.payment_control import PaymentRate, hour_of
from bridge.domain.write_back import AttemptKind, Lease, Reason, WriteBack
from bridge.domain.write_back.changes import delay, postpone, wait_with_reason
from bridge.payments.held_write_back import HeldWriteBack
from bridge.ports import (
    Clock,
    ConnectionStore,
    LedgerStore,
    PaymentControlStore,
    PsaPayment,
    until_saved,
)

FIRST_CONTACT = 0
"""Invoices leave this id free: its lease stands for the first payment of a connection."""


@dataclass(slots=True)
class PaymentGate:
    """A gate guards the posts and deletions of one visit."""

    connections: ConnectionStore
    stops: PaymentStops
    ledger: LedgerStore
    control: PaymentControlStore
    clock: Clock
    first_contact: Lease | None = None
    """The lease that this visit holds while the connection is unproven."""

    def holds_back(self, held: HeldWriteBack) -> bool:
        """Tell whether payments are stopped for now, and store when to look again."""
        if self._is_stopped(held.connection):
            later = delay(held.write_back, held.now, held.timings)
            due_at = later.due_at or held.now
            held.save(wait_with_reason(later, Reason.STOPPED, due_at))
            return True
        return False

    def holds_back_post(self, held: HeldWriteBack) -> bool:
        """Tell whether a post has to wait: it is counted, and follows the first payment's proof."""
        if self.holds_back(held):
            return True
        if held.connection.payment_facts.proven_at is None:
            try:
                self.first_contact = self._take_first_contact(held)
            except LeaseTakenError as error:
                held.save(postpone(held.write_back, error.until))
                return True
        if was_posted_before(held.write_back) or self._is_counted(held.connection):
            return False
        return self.holds_back(held)

    def let_go(self, held: HeldWriteBack) -> None:
        """Let the next payment go once this one is at rest."""
        is_moving = held.write_back.may_be_in_flight or held.write_back.wants_follow_up
        if self.first_contact is not None and not is_moving:
            self.ledger.release_lease(self.first_contact)

    def rows_to_explain(self, held: HeldWriteBack, unowned: list[PsaPayment]) -> list[PsaPayment]:
        """Return the unowned payments by our members, if the ledger was restored and may lack
        that we made them."""
        if self.control.restore_mark() is None:
            return []
        known = (held.connection.member_identifier, *held.connection.past_members, "")
        names = {name.casefold() for name in known}
        return [row for row in unowned if row.applied_by.casefold() in names]

    def _is_stopped(self, connection: Connection) -> bool:
        stored = self.connections.get(connection.connection_id).value
        may_write = stored is not None and stored.may_write
        return not may_write or self.control.stop_of(connection.partner_id) is not None

    def _take_first_contact(self, held: HeldWriteBack) -> Lease:
        return self.ledger.take_lease(
            books=held.connection.books,
            invoice_source_id=FIRST_CONTACT,
            holder_id=held.write_back.write_back_id,
            now=held.now,
            until=held.timings.quarantine_end(held.now),
        )

    # --- the brake ------------------------------------------------------------------------------

    def _is_counted(self, connection: Connection) -> bool:
        """Count one more payment; return False when it is one too many, which stops them all."""
        now = self.clock.now()
        rate = until_saved(
            read=lambda: self._rate(connection.connection_id, now),
            change=lambda known: known.with_one_more(now),
            save=lambda known, version: self.control.save_rate(known, expected_version=version),
        )
        if rate.is_unusual:
            self.stops.stop(connection, PaymentsStop.UNUSUALLY_MANY)
        return not rate.is_unusual

    def _rate(self, connection_id: str, now: datetime) -> tuple[PaymentRate, int]:
        stored = self.control.get_rate(connection_id)
        return stored.value or PaymentRate(connection_id, hour_of(now)), stored.version


def was_posted_before(write_back: WriteBack) -> bool:
    """Tell whether a post of it was stated before: it is counted once, however often it is sent."""
    history = write_back.known_history
    is_tallied = any(tally.kind is AttemptKind.POST for tally in history.tallies)
    return is_tallied or any(history.posts())
