"""What cannot be done now is tried again, each time later, and a person is told before long."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from bridge.domain.errors import NotPossibleError
from bridge.domain.problem import Action
from bridge.domain.write_back import Reason, WriteBack, WriteBackState
from bridge.domain.write_back.changes import LONGEST_WAIT, delay, hand_over
from bridge.domain.write_back.decisions import offered_actions
from connectwise_sandbox import permissions
from connectwise_sandbox.faults import Effect
from connectwise_sandbox.permissions import Rows
from tests.unit.payments.bench import PAID_ON, TIMINGS, Bench, decisions, place

S = WriteBackState
ALWAYS = 1_000


@pytest.fixture
def bench() -> Bench:
    return Bench()


def drive_once_due(bench: Bench, write_back: WriteBack) -> WriteBack:
    due_at = bench.stored(write_back).due_at
    assert due_at is not None
    bench.wait(max(0.0, (due_at - bench.clock.now()).total_seconds()))
    return bench.drive(write_back)


def outage(bench: Bench) -> None:
    bench.fault(Effect.STATUS_500, "GET", times=ALWAYS)


def heal(bench: Bench) -> None:
    bench.engine.faults.clear()


def test_an_outage_is_told_after_a_quarter_of_an_hour_and_heals_by_itself(bench: Bench) -> None:
    write_back = bench.collect()
    outage(bench)
    began_at = bench.clock.now()
    waiting = bench.drive(write_back)
    assert (waiting.state, bench.open_problems()) == (S.PENDING, [])

    while not bench.open_problems():
        waiting = drive_once_due(bench, write_back)
        assert bench.clock.now() - began_at < timedelta(minutes=20)
    assert waiting.reason is Reason.NO_ANSWER

    heal(bench)
    done = drive_once_due(bench, write_back)
    assert (done.state, done.reason, done.waits) == (S.CONFIRMED, Reason.NONE, 0)
    assert (len(bench.rows()), bench.open_problems()) == (1, [])


def test_a_long_outage_costs_no_more_than_a_call_an_hour(bench: Bench) -> None:
    write_back = bench.collect()
    outage(bench)
    bench.drive(write_back)
    began_at, attempts = bench.clock.now(), 0
    while bench.clock.now() - began_at < timedelta(days=2):
        drive_once_due(bench, write_back)
        attempts += 1

    due_at = bench.stored(write_back).due_at
    assert attempts < 60
    assert due_at is not None
    assert due_at - bench.clock.now() <= LONGEST_WAIT


def test_waiting_never_shortens_the_quarantine(bench: Bench) -> None:
    write_back = bench.collect()
    bench.fault(Effect.TIMEOUT_BEFORE_EFFECT, "POST")
    unclear = bench.drive(write_back)
    outage(bench)
    bench.clock.advance(seconds=1)
    assert delay(unclear, bench.clock.now(), TIMINGS).due_at == unclear.due_at


def test_what_a_person_entered_during_an_outage_is_not_posted_after_it(bench: Bench) -> None:
    write_back = bench.collect()
    outage(bench)
    bench.drive(write_back)
    while not bench.open_problems():
        drive_once_due(bench, write_back)

    done = decisions(bench).mark_done(*place(write_back))
    heal(bench)
    bench.wait(LONGEST_WAIT.total_seconds())
    bench.drive(write_back)

    assert (done.state, bench.open_problems()) == (S.DONE_BY_HAND, [])
    assert bench.rows() == []


def test_nobody_decides_while_a_request_may_still_take_effect(bench: Bench) -> None:
    bench.fault(Effect.TIMEOUT_BEFORE_EFFECT, "POST")
    write_back = bench.collect()
    unclear = bench.drive(write_back)
    bench.engine.tenant.role.set_cell(*Rows.INVOICING, permissions.Action.INQUIRE, "None")
    refused = drive_once_due(bench, write_back)
    assert (refused.state, refused.reason) == (S.UNCLEAR, Reason.RIGHT_MISSING)

    assert offered_actions(refused) == (Action.LOOK,)
    for decide in (decisions(bench).mark_done, decisions(bench).cancel):
        with pytest.raises(NotPossibleError) as refusal:
            decide(*place(write_back))
        assert refusal.value.reason == "action_not_offered"
    looked = decisions(bench).look(*place(write_back))
    assert (looked.state, looked.next_look_at) == (S.UNCLEAR, bench.clock.now())
    assert looked.unproven_posts == unclear.unproven_posts
    assert bench.rows() == []


def test_a_status_that_is_never_answered_is_given_up_and_can_be_tried_again(bench: Bench) -> None:
    bench.fault(Effect.TIMEOUT_BEFORE_EFFECT, "PATCH", times=ALWAYS)
    write_back = bench.collect()
    bench.drive(write_back)
    done = bench.drive_when_due(write_back)
    assert (done.state, done.reason) == (S.CONFIRMED, Reason.STATUS_REFUSED)
    assert (len(bench.rows()), len(bench.open_problems())) == (1, 1)

    heal(bench)
    assert offered_actions(done) == (Action.RETRY, Action.MARK_DONE)
    decisions(bench).retry(*place(done))
    assert bench.drive_when_due(done).has_ended
    assert (bench.status(), bench.open_problems()) == ("Paid in Full", [])
    assert len(bench.rows()) == 1


def test_a_closed_invoice_that_swallowed_a_post_is_told_after_one_quarantine(bench: Bench) -> None:
    bench.lock_invoice()
    bench.fault(Effect.TIMEOUT_BEFORE_EFFECT, "POST", times=ALWAYS)
    write_back = bench.collect()
    bench.drive(write_back)
    waiting = bench.drive_when_due(write_back)
    assert (waiting.state, waiting.reason) == (S.MANUAL, Reason.INVOICE_LOCKED)
    assert len(waiting.unproven_posts) == 1
    assert bench.rows() == []


def test_messages_to_what_waits_for_a_person_put_no_try_off(bench: Bench) -> None:
    """Given a problem that is shown, and messages that come late or twice: each leaves the count
    and the time as they are, by which the next try is due."""
    bench.engine.switches.second_payment = "refused"
    bench.people.record_payment(bench.invoice_id, Decimal("1.00"), PAID_ON)
    write_back = bench.collect(5000)
    assert bench.drive(write_back).state is S.REJECTED
    before = bench.open_problems()
    for _ in range(3):
        bench.wait(600)
        bench.drive(write_back)
    assert bench.open_problems() == before


def test_a_message_shows_what_its_writer_had_no_time_to_show(bench: Bench) -> None:
    write_back = bench.collect(5000)
    waiting = hand_over(write_back, Reason.INVOICE_LOCKED)
    bench.ledger.save_write_back(waiting, expected_version=1)
    bench.drive(write_back)
    assert [each.times_seen for each in bench.open_problems()] == [1]
