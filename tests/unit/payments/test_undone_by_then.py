"""A return that meets what people, other tools and lost answers left on the invoice."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from bridge.domain.connection import ConnectionState
from bridge.domain.platform_payment import PlatformPaymentState
from bridge.domain.write_back import Reason, WriteBack, WriteBackState
from bridge.wiring import use_cases
from connectwise_sandbox.faults import Effect
from connectwise_sandbox.kinds import Kind
from tests.unit.payments.bench import PAID_ON, decisions, edit_ours, place
from tests.unit.payments.mirrored_bench import MirroredBench, move, record, write_back_of
from tests.unit.payments.test_people_meanwhile import paid_twice

P = PlatformPaymentState
S = WriteBackState
WHOLE = Decimal("110.00")


def heal(bench: MirroredBench) -> int:
    bench.mirror()
    bench.wait(3600)
    bench.clock.set_remaining(900)
    return bench.retry_now()


def versions_of_a_day(bench: MirroredBench, write_back: WriteBack) -> int:
    """Return how often a write-back is stored in a day of hourly comparisons."""
    ids = write_back.connection_id, write_back.write_back_id
    before = bench.ledger.get_write_back(*ids).version
    for _ in range(24):
        bench.compare()
        bench.drive_when_due(write_back)
    return bench.ledger.get_write_back(*ids).version - before


# --- what a person entered ---------------------------------------------------------------------


def test_a_refund_of_the_second_of_two_payments_is_nothing_to_take_out(
    bench: MirroredBench,
) -> None:
    """The payer paid twice on the platform, so that the one payment that stands is ours."""
    assert bench.drive(bench.collect(11000, "pay-1")).has_ended
    second = bench.drive(bench.collect(11000, "pay-2"))
    assert second.reason is Reason.PAID_BY_HAND
    bench.undo("pay-2")
    done = bench.drive(second)
    assert (done.state, bench.open_problems()) == (S.REVERSED, [])


@pytest.mark.parametrize("is_post_lost", [False, True])
def test_what_a_person_took_out_already_is_not_to_be_taken_out(
    bench: MirroredBench, is_post_lost: bool
) -> None:
    payment = record(bench, P.SETTLED)
    theirs = bench.people.record_payment(bench.invoice_id, WHOLE, PAID_ON)
    write_back = bench.drive(write_back_of(bench, payment))
    bench.people.delete_payment(bench.invoice_id, theirs["id"])
    assert heal(bench) == 1
    if is_post_lost:
        bench.fault(Effect.CUT_BEFORE_EFFECT, "POST")
        assert bench.drive(write_back).state is S.UNCLEAR

    done = bench.drive_when_due(move(bench, payment, P.RETURNED))

    assert (done.state, bench.rows(), bench.open_problems()) == (S.REVERSED, [], [])


def test_who_lets_returns_stand_is_not_asked_to_take_one_out(bench: MirroredBench) -> None:
    bench.save_connection(write_back=replace(bench.connection.write_back, reverse_on=frozenset()))
    payment = record(bench, P.SETTLED)
    bench.people.record_payment(bench.invoice_id, WHOLE, PAID_ON)
    bench.drive(write_back_of(bench, payment))
    done = bench.drive(move(bench, payment, P.RETURNED))
    assert (done.has_ended, bench.open_problems()) == (True, [])


def test_a_smaller_payment_of_somebody_else_is_nothing_to_take_out(bench: MirroredBench) -> None:
    bench.people.record_payment(bench.invoice_id, Decimal("10.00"), PAID_ON)
    assert bench.drive(bench.collect(10000, "pay-1")).has_ended
    second = bench.drive(bench.collect(10000, "pay-2"))
    assert second.reason is Reason.PAID_BY_HAND
    bench.undo("pay-2")
    assert bench.drive(second).state is S.REVERSED
    assert bench.open_problems() == []


def test_a_part_that_was_paid_by_hand_is_told(bench: MirroredBench) -> None:
    """Something is left to pay, though less than ours."""
    payment = record(bench, P.SETTLED)
    bench.people.record_payment(bench.invoice_id, Decimal("50.00"), PAID_ON)
    bench.people.record_payment(bench.invoice_id, Decimal("30.00"), PAID_ON)
    assert bench.drive(write_back_of(bench, payment)).reason is Reason.OVERPAYMENT
    done = bench.drive(move(bench, payment, P.RETURNED))
    assert (done.reason, len(bench.open_problems())) == (Reason.REVERSE_BY_HAND, 1)


def test_a_dismissed_payment_is_somebody_elses(bench: MirroredBench) -> None:
    member = bench.connection.member_identifier
    payment = record(bench, P.SETTLED)
    bench.people.record_payment(bench.invoice_id, WHOLE, PAID_ON, by=member)
    write_back = bench.drive(write_back_of(bench, payment))
    assert write_back.reason is Reason.PAID_BY_HAND
    bench.compare()
    surplus = use_cases.unowned_payments(bench)
    invoice = (write_back.partner_id, write_back.connection_id, bench.invoice_id)
    surplus.disclaim(*invoice, bench.rows()[0]["id"])
    done = bench.drive(move(bench, payment, P.RETURNED))
    assert done.reason is Reason.REVERSE_BY_HAND


def test_what_was_paid_by_hand_is_told_whatever_came_between(bench: MirroredBench) -> None:
    payment = record(bench, P.SETTLED)
    bench.people.record_payment(bench.invoice_id, WHOLE, PAID_ON)
    bench.drive(write_back_of(bench, payment))
    bench.save_connection(state=ConnectionState.DISCONNECTED)
    waiting = bench.drive(move(bench, payment, P.RETURNED))
    assert waiting.reason is Reason.DISCONNECTED
    bench.save_connection(state=ConnectionState.ACTIVE)
    done = bench.drive_when_due(waiting)
    assert (done.state, done.reason) == (S.MANUAL, Reason.REVERSE_BY_HAND)
    assert len(bench.rows()) == len(bench.open_problems()) == 1


# --- what ConnectWise dropped ------------------------------------------------------------------


def replacing(bench: MirroredBench) -> WriteBack:
    bench.engine.switches.second_payment = "replaces"
    bench.people.record_payment(bench.invoice_id, Decimal("30.00"))
    write_back = bench.drive(bench.collect(5000))
    assert write_back.reason is Reason.OTHERS_REPLACED
    return write_back


@pytest.mark.parametrize("obstacle", ["locked", "disconnected"])
def test_what_connectwise_dropped_is_told_though_the_return_had_to_wait(
    bench: MirroredBench, obstacle: str
) -> None:
    write_back = replacing(bench)
    if obstacle == "locked":
        bench.lock_invoice()
        bench.mirror()
    else:
        bench.save_connection(state=ConnectionState.DISCONNECTED)
    bench.undo()
    assert bench.drive(write_back).reason in (Reason.INVOICE_LOCKED, Reason.DISCONNECTED)
    if obstacle == "locked":
        bench.people.reopen_invoice(bench.invoice_id)
        assert heal(bench) == 1
    else:
        bench.save_connection(state=ConnectionState.ACTIVE)
    done = bench.drive_when_due(write_back)
    assert (done.state, done.reason) == (S.REVERSED, Reason.OTHERS_REPLACED)
    assert len(bench.open_problems()) == 1
    assert decisions(bench).mark_done(*place(done)).lasting_reason is Reason.NONE


def test_what_connectwise_dropped_is_told_though_ours_was_gone_for_a_while(
    bench: MirroredBench,
) -> None:
    write_back = replacing(bench)
    store = bench.engine.tenant.store[Kind.PAYMENT]
    (row,) = bench.rows()
    store.remove(row["id"])
    bench.compare()
    assert bench.stored(write_back).reason is Reason.PAYMENT_GONE
    store.put(row)
    bench.compare()
    assert bench.stored(write_back).reason is Reason.OTHERS_REPLACED


@pytest.mark.parametrize("decision", ["look and return", "cancel"])
def test_what_connectwise_dropped_is_told_though_ours_is_gone(
    bench: MirroredBench, decision: str
) -> None:
    write_back = replacing(bench)
    bench.people.delete_payment(bench.invoice_id, bench.rows()[0]["id"])
    bench.compare()
    assert bench.stored(write_back).reason is Reason.PAYMENT_GONE
    if decision == "cancel":
        decisions(bench).cancel(*place(write_back))
    else:
        decisions(bench).look(*place(write_back))
        bench.undo()
        bench.drive_when_due(write_back)
    done = bench.stored(write_back)
    assert (done.has_ended, done.reason) == (True, Reason.OTHERS_REPLACED)
    assert len(bench.open_problems()) == 1


# --- what somebody edited ----------------------------------------------------------------------


def test_a_rewritten_payment_that_was_returned_is_left_to_a_person(bench: MirroredBench) -> None:
    write_back = bench.drive(bench.collect(5000))
    bench.people.rewrite_payments(bench.invoice_id)
    bench.compare()
    assert bench.stored(write_back).reason is Reason.PAYMENT_REWRITTEN
    bench.undo()
    assert bench.drive(write_back).reason is Reason.PAYMENT_REWRITTEN
    assert len(bench.rows()) == 1
    assert versions_of_a_day(bench, write_back) == 0


def lost_and_edited(bench: MirroredBench) -> WriteBack:
    write_back = bench.lose_post(bench.collect(5000))
    edit_ours(bench, "49.99")
    return write_back


def test_an_edited_lost_post_that_was_returned_is_left_to_a_person(bench: MirroredBench) -> None:
    write_back = lost_and_edited(bench)
    bench.undo()
    waiting = bench.drive_when_due(write_back)
    assert (waiting.reason, waiting.psa_payment_id) == (Reason.PAYMENT_CHANGED, None)
    assert versions_of_a_day(bench, write_back) == 0


def test_an_edited_lost_post_that_was_put_right_is_found(bench: MirroredBench) -> None:
    write_back = lost_and_edited(bench)
    assert bench.drive_when_due(write_back).reason is Reason.PAYMENT_CHANGED
    edit_ours(bench, "50.00")
    bench.compare()
    done = bench.drive_when_due(write_back)
    assert (done.state, done.psa_payment_id) == (S.CONFIRMED, bench.rows()[0]["id"])
    bench.compare()
    assert bench.open_problems() == []


def test_what_a_person_made_of_a_returned_payment_is_theirs_once_they_said_so(
    bench: MirroredBench,
) -> None:
    """It is not asked about any more, nor taken for another payment, nor taken out."""
    first = bench.drive(bench.collect(5000, "pay-1"))
    edit_ours(bench, "30.00")
    bench.undo("pay-1")
    done = decisions(bench).mark_done(*place(bench.drive(first)))
    assert (done.has_ended, bench.open_problems()) == (True, [])
    assert bench.compare() == 0

    second = bench.drive(bench.collect(3000, "pay-2"))
    assert second.psa_payment_id != first.psa_payment_id
    bench.undo("pay-2")
    assert bench.drive_when_due(second).state is S.REVERSED
    assert [row["id"] for row in bench.rows()] == [first.psa_payment_id]
    bench.compare()
    assert bench.open_problems() == []


def test_seeing_to_a_double_payment_stops_no_refund_of_ours(bench: MirroredBench) -> None:
    paid, _ = paid_twice(bench)
    assert paid.reason is Reason.OVERPAYMENT
    bench.undo()
    decisions(bench).mark_done(*place(paid))
    assert bench.drive_when_due(paid).state is S.REVERSED
    assert len(bench.rows()) == 1
    assert bench.open_problems() == []
