"""Two connections reach one ConnectWise company: each payment is written once, and has one owner.

A worker of the release before keeps leases and owners by the connection alone.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from bridge.domain.connection import Connection
from bridge.domain.identity import mirrored_id
from bridge.domain.platform_payment import Allocation, PlatformPaymentState
from bridge.domain.write_back import Books, Reason, WriteBack, WriteBackState
from bridge.domain.write_back.changes import confirm, retarget
from tests.builders.payments import a_platform_payment, write_backs_for
from tests.unit.payments.bench import PAID_ON, TIMINGS, Bench

S = WriteBackState
COMPANY = "a" * 32
OTHER_DOOR = "d" * 32
OTHER_PARTNER = "partner-2"


class TwoDoors(Bench):
    """The bench's invoice, and a second connection to the same company by another partner."""

    def __init__(self) -> None:
        super().__init__()
        self.save_connection(company_key=COMPANY)
        self.other: Connection = replace(
            self.connection, connection_id=OTHER_DOOR, partner_id=OTHER_PARTNER
        )
        self.connections.save(self.other, expected_version=0)
        self.world.vault.put_credentials(OTHER_DOOR, self.world.credentials)

    def collect_elsewhere(self, amount_minor: int, payment_id: str = "other-1") -> WriteBack:
        """Let the other partner collect a payment for the same invoice."""
        payment = a_platform_payment(
            payment_id,
            partner_id=OTHER_PARTNER,
            amount_minor=amount_minor,
            received_on=PAID_ON,
            allocations=(Allocation(mirrored_id(OTHER_DOOR, self.invoice_id), amount_minor),),
            recorded_at=self.clock.now(),
        )
        (write_back,) = write_backs_for(payment)
        self.ledger.record(payment, [write_back])
        return write_back

    def undo_elsewhere(self, write_back: WriteBack) -> None:
        payment = self.ledger.get_payment(OTHER_PARTNER, write_back.payment_id)
        stored = self.ledger.get_write_back(OTHER_DOOR, write_back.write_back_id)
        assert payment.value is not None
        assert stored.value is not None
        moved = payment.value.moved_to(
            PlatformPaymentState.RETURNED, reason="R01", now=self.clock.now()
        )
        target = self.other.write_back.target(moved.state)
        gone = retarget(stored.value, target, self.clock.now())
        self.ledger.move_payment(
            moved, expected_version=payment.version, write_backs=[(gone, stored.version)]
        )

    def owners(self) -> dict[int, str]:
        ids = [row["id"] for row in self.rows()]
        return dict(self.ledger.owners(self.connection.books, ids))


@pytest.fixture
def bench() -> TwoDoors:
    return TwoDoors()


def test_two_equal_payments_through_two_connections_are_both_written(bench: TwoDoors) -> None:
    first, second = bench.collect(1500), bench.collect_elsewhere(1500)
    done = [bench.drive_when_due(each) for each in (first, second)]
    assert [each.state for each in done] == [S.CONFIRMED] * 2
    assert bench.amounts() == [Decimal("15.00")] * 2
    assert bench.owners() == {each.psa_payment_id: each.write_back_id for each in done}


def test_a_return_through_one_connection_leaves_the_others_payment(bench: TwoDoors) -> None:
    first, second = bench.collect(1500), bench.collect_elsewhere(1500)
    kept = bench.drive_when_due(first)
    bench.drive_when_due(second)
    bench.undo_elsewhere(second)
    assert bench.drive_when_due(second).state is S.REVERSED
    assert [row["id"] for row in bench.rows()] == [kept.psa_payment_id]


def test_while_a_post_is_unclear_the_other_connection_waits(bench: TwoDoors) -> None:
    first = bench.lose_post(bench.collect(1500))
    over_at = TIMINGS.quarantine_end(first.unproven_posts[0].stated_at)
    second = bench.drive(bench.collect_elsewhere(1500))
    assert (second.state, second.due_at) == (S.PENDING, over_at)

    assert bench.drive_when_due(first).state is S.CONFIRMED
    assert bench.drive_when_due(second).state is S.CONFIRMED
    assert bench.amounts() == [Decimal("15.00")] * 2
    assert set(bench.owners().values()) == {first.write_back_id, second.write_back_id}


def test_what_a_worker_of_the_release_before_owns_is_not_shown_as_anothers(
    bench: TwoDoors,
) -> None:
    """Given a payment that is owned under the connection's key alone."""
    old = bench.collect(1500)
    row = bench.people.record_payment(
        bench.invoice_id, Decimal("15.00"), PAID_ON, by=bench.connection.member_identifier
    )
    lease = bench.ledger.take_lease(
        books=Books(old.connection_id),
        invoice_source_id=bench.invoice_id,
        holder_id=old.write_back_id,
        now=bench.clock.now(),
        until=bench.clock.now() + TIMINGS.attempt,
    )
    owned = replace(confirm(old, row["id"], bench.clock.now()), wants_follow_up=False)
    bench.ledger.save_write_back(
        owned, expected_version=1, holding=lease, own_psa_payment_id=row["id"]
    )
    bench.ledger.release_lease(lease)

    second = bench.drive(bench.collect(1500, "pay-2"))

    assert (second.state, len(bench.rows())) == (S.CONFIRMED, 2)
    assert bench.owners() == {
        row["id"]: old.write_back_id, second.psa_payment_id: second.write_back_id,
    }  # fmt: skip


def test_a_payment_that_only_the_other_connection_knows_as_its_own_is_asked_about(
    bench: TwoDoors,
) -> None:
    """Given an owner under the other connection's key alone, before owners were moved: an equal
    payment is not posted beside it, nor taken."""
    old = bench.collect_elsewhere(1500)
    row = bench.people.record_payment(
        bench.invoice_id, Decimal("15.00"), PAID_ON, by=bench.connection.member_identifier
    )
    lease = bench.ledger.take_lease(
        books=Books(OTHER_DOOR),
        invoice_source_id=bench.invoice_id,
        holder_id=old.write_back_id,
        now=bench.clock.now(),
        until=bench.clock.now() + TIMINGS.attempt,
    )
    owned = replace(confirm(old, row["id"], bench.clock.now()), wants_follow_up=False)
    bench.ledger.save_write_back(
        owned, expected_version=1, holding=lease, own_psa_payment_id=row["id"]
    )

    waiting = bench.drive(bench.collect(1500))
    assert (waiting.state, waiting.reason) == (S.MANUAL, Reason.LOOKS_WRITTEN)

    assert bench.ledger.move_owners(bench.other.books, {row["id"]: old.write_back_id}) == ()
    second = bench.drive(bench.collect(1500, "pay-2"))
    assert (second.state, len(bench.rows())) == (S.CONFIRMED, 2)
