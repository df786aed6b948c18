"""An invoice is compared once more, long after a post that nothing proved: its double is seen."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from bridge.domain.connection import PaymentsStop
from bridge.domain.problem import ProblemCode
from bridge.domain.write_back import Reason, WriteBack, WriteBackState
from connectwise_sandbox.change_faults import ChangeEffect
from connectwise_sandbox.faults import Effect
from tests.unit.payments.bench import QUARANTINE_SECONDS, TIMINGS, decisions, place
from tests.unit.payments.mirrored_bench import MirroredBench

S = WriteBackState


def doubled_late(bench: MirroredBench) -> WriteBack:
    """A post lands after all that is assumed, when it was posted again already."""
    first = bench.collect(5000)
    bench.fault(
        ChangeEffect.GATEWAY_LATE_EFFECT, "POST", status=502, seconds=QUARANTINE_SECONDS + 60
    )
    bench.drive(first)
    done = bench.drive_when_due(first)
    assert (done.state, len(done.unproven_posts), len(bench.rows())) == (S.CONFIRMED, 1, 1)
    return done


def look_late(bench: MirroredBench, write_back: WriteBack) -> WriteBack:
    look_at = bench.stored(write_back).late_look_at
    assert look_at is not None
    bench.wait(max(0.0, (look_at - bench.clock.now()).total_seconds()))
    assert [each.write_back_id for each in bench.ledger.list_due(bench.clock.now(), limit=9)] == [
        write_back.write_back_id
    ]
    return bench.drive(write_back)


def test_a_double_that_came_later_than_is_assumed_is_shown_without_the_comparison(
    bench: MirroredBench,
) -> None:
    done = doubled_late(bench)
    stated = [each.stated_at for each in done.known_history.attempts]
    assert done.has_ended
    assert done.next_look_at == stated[0] + 2 * TIMINGS.quarantine
    assert bench.ledger.list_due(bench.clock.now(), limit=9) == ()
    bench.wait(60)
    assert bench.amounts() == [Decimal("50.00")] * 2

    after = look_late(bench, done)

    assert [each.code for each in bench.open_problems()] == [ProblemCode.PAYMENT_SURPLUS]
    assert (after.state, after.late_look_at, after.next_look_at) == (S.CONFIRMED, None, None)
    assert after.unproven_posts == done.unproven_posts, "what may have been ours stays known"


def test_a_post_that_a_list_proved_has_a_late_look_of_its_own_after_an_unproven_one(
    bench: MirroredBench,
) -> None:
    # Given a lost post that comes when it was posted again, and takes the second one's place
    late = QUARANTINE_SECONDS + 90
    first = bench.collect(5000)
    bench.fault(ChangeEffect.GATEWAY_LATE_EFFECT, "POST", status=502, seconds=late)
    bench.drive(first)
    bench.fault(ChangeEffect.GATEWAY_LATE_EFFECT, "POST", status=502, seconds=late + 510)
    done = bench.drive_when_due(first, rounds=30)
    assert (done.state, len(bench.rows())) == (S.CONFIRMED, 1)
    stated = [each.stated_at for each in done.known_history.attempts]

    # When the first late look is over
    after = look_late(bench, done)

    # Then the second post, whose payment is still to come, has one as well
    assert after.late_look_at == stated[1] + 2 * TIMINGS.quarantine
    look_late(bench, after)
    assert [each.code for each in bench.open_problems()] == [ProblemCode.PAYMENT_SURPLUS]


def test_it_is_made_once_and_finds_nothing_where_all_is_well(bench: MirroredBench) -> None:
    bench.fault(Effect.CUT_BEFORE_EFFECT, "POST")
    write_back = bench.drive(bench.collect(5000))
    done = bench.drive_when_due(write_back)
    after = look_late(bench, done)
    assert (after.late_look_at, bench.open_problems()) == (None, [])
    calls = len(bench.engine.calls.recent(500))
    bench.wait(QUARANTINE_SECONDS)
    assert bench.drive(write_back) == after
    assert len(bench.engine.calls.recent(500)) == calls


def test_what_is_proven_needs_none(bench: MirroredBench) -> None:
    done = bench.drive(bench.collect(5000))
    assert (done.late_look_at, done.next_look_at) == (None, None)


@pytest.mark.parametrize("failures", [1, 3])
def test_one_that_is_not_answered_comes_again(bench: MirroredBench, failures: int) -> None:
    done = doubled_late(bench)
    bench.wait(60)
    bench.fault(Effect.STATUS_500, "GET", times=1_000)
    for _ in range(failures):
        assert look_late(bench, done).late_look_at is not None
    bench.engine.faults.clear()
    assert look_late(bench, done).late_look_at is None
    assert [each.code for each in bench.open_problems()] == [ProblemCode.PAYMENT_SURPLUS]


def test_a_payment_that_was_returned_and_landed_too_late_is_taken_out(
    bench: MirroredBench,
) -> None:
    """Given a return that found nothing of ours, and a post that came after it."""
    write_back = bench.collect(5000)
    bench.fault(
        ChangeEffect.GATEWAY_LATE_EFFECT, "POST", status=502, seconds=QUARANTINE_SECONDS + 60
    )
    bench.drive(write_back)
    bench.undo()
    done = bench.drive_when_due(write_back)
    assert (done.state, done.has_ended, bench.rows()) == (S.REVERSED, True, [])
    bench.wait(60)

    look_late(bench, done)

    assert len(bench.rows()) == 1
    assert bench.stored(done).reason is Reason.LATE_EFFECT
    assert {each.code for each in bench.open_problems()} == {
        ProblemCode.PAYMENT_SURPLUS,
        ProblemCode.PAYMENT_NOT_WRITTEN,
    }
    assert bench.drive(done).state is S.REVERSED
    assert bench.rows() == []
    bench.compare()
    assert bench.open_problems() == []


@pytest.mark.parametrize("decide", ["mark_done", "cancel"])
def test_what_a_person_settled_and_that_came_late_is_theirs_to_adopt(
    bench: MirroredBench, decide: str
) -> None:
    """Given five posts that never showed, a person's decision, and one that came after all."""
    write_back = bench.collect(5000)
    bench.fault(
        ChangeEffect.GATEWAY_LATE_EFFECT, "POST", status=502, seconds=6 * QUARANTINE_SECONDS
    )
    bench.fault(Effect.CUT_BEFORE_EFFECT, "POST", times=4)
    assert bench.drive_when_due(write_back, rounds=60).reason is Reason.TOO_MANY_POSTS
    getattr(decisions(bench), decide)(*place(write_back))
    bench.wait(2 * QUARANTINE_SECONDS)
    bench.compare()
    late = bench.stored(write_back)
    assert (late.state, late.reason) == (S.MANUAL, Reason.LATE_EFFECT)
    (shown,) = late.shown
    decisions(bench).adopt(*place(write_back), psa_payment_id=shown.psa_payment_id)
    assert bench.drive(write_back).state is S.CONFIRMED
    bench.compare()
    assert bench.open_problems() == []


def test_while_a_post_is_still_looked_for_no_late_look_is_due(bench: MirroredBench) -> None:
    """Given an outage that is longer than the late look's time: who looks next is told once."""
    bench.fault(Effect.CUT_BEFORE_EFFECT, "POST")
    write_back = bench.drive(bench.collect(5000))
    bench.fault(Effect.STATUS_500, "GET", times=1_000)
    for _ in range(12):
        look_at = bench.stored(write_back).next_look_at
        assert look_at is not None
        bench.wait(max(1.0, (look_at - bench.clock.now()).total_seconds()))
        waiting = bench.drive(write_back)
        assert waiting.next_look_at is not None
        assert waiting.next_look_at > bench.clock.now()
    assert waiting.state is S.UNCLEAR


def test_each_attempt_that_stayed_unproven_has_a_late_look_of_its_own(bench: MirroredBench) -> None:
    """Given two posts that were cut, the second one when the first one was surely over."""
    write_back = bench.collect(5000)
    bench.fault(Effect.CUT_BEFORE_EFFECT, "POST", times=2)
    bench.drive(write_back)
    bench.wait(QUARANTINE_SECONDS)
    bench.drive(write_back)
    later, earlier = (each.stated_at for each in bench.stored(write_back).unproven_posts)
    assert bench.stored(write_back).late_look_at == TIMINGS.late_look(earlier)

    done = bench.drive_when_due(write_back)
    assert done.state is S.CONFIRMED
    assert done.late_look_at == TIMINGS.late_look(earlier)
    assert bench.drive(done).late_look_at == TIMINGS.late_look(later)
    assert look_late(bench, done).late_look_at is None


def test_it_comes_ever_later_while_another_payment_of_the_invoice_stays_under_way(
    bench: MirroredBench,
) -> None:
    """Given one that is unclear when a person stops the payments for a day."""
    bench.fault(Effect.CUT_BEFORE_EFFECT, "POST")
    write_back = bench.collect(5000)
    bench.drive(write_back)
    done = bench.drive_when_due(write_back)
    bench.fault(Effect.CUT_BEFORE_EFFECT, "POST")
    other = bench.drive(bench.collect(1000, "pay-2"))
    bench.save_connection(payments_stopped=frozenset({PaymentsStop.BY_PERSON}))
    bench.wait(QUARANTINE_SECONDS)
    assert bench.drive(other).state is S.UNCLEAR

    looks, until = 0, bench.clock.now() + timedelta(days=1)
    while bench.clock.now() < until:
        look_late_or_other(bench, done)
        looks += 1

    assert 24 <= looks <= 50


def look_late_or_other(bench: MirroredBench, write_back: WriteBack) -> None:
    look_at = bench.stored(write_back).late_look_at
    assert look_at is not None
    bench.wait(max(0.0, (look_at - bench.clock.now()).total_seconds()))
    bench.drive(write_back)
