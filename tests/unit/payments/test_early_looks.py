"""An unclear post is looked for at once and soon again; until it is over only finding it counts."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import httpx
import pytest

from bridge.domain.write_back import LOOKS_AFTER, Reason, WriteBack, WriteBackState
from bridge.wiring import use_cases
from connectwise_sandbox.faults import Effect
from connectwise_sandbox.httpx_transport import EngineTransport
from tests.unit.payments.bench import (
    PAID_ON,
    QUARANTINE_SECONDS,
    TIMINGS,
    Bench,
    decisions,
    edit_ours,
    place,
)

S = WriteBackState
SOON = [after.total_seconds() for after in LOOKS_AFTER[1:]]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def seconds_since_post(bench: Bench, write_back: WriteBack) -> float:
    stated_at = bench.stored(write_back).known_history.attempts[0].stated_at
    return (bench.clock.now() - stated_at).total_seconds()


def drive_at_next_look(bench: Bench, write_back: WriteBack) -> WriteBack:
    look_at = bench.stored(write_back).next_look_at
    assert look_at is not None
    bench.wait(max(0.0, (look_at - bench.clock.now()).total_seconds()))
    return bench.drive(write_back)


@pytest.mark.parametrize(
    "effect", [Effect.CUT_AFTER_EFFECT, Effect.STATUS_500_AFTER_EFFECT, Effect.TRUNCATED_JSON]
)
def test_what_took_effect_and_is_listed_is_confirmed_in_the_same_visit(
    bench: Bench, effect: Effect
) -> None:
    bench.fault(effect, "POST")
    done = bench.drive(bench.collect(5000))
    assert (done.state, done.has_ended, done.late_look_at) == (S.CONFIRMED, True, None)
    assert (done.psa_payment_id, done.unproven_posts) == (bench.rows()[0]["id"], ())


def test_the_looks_come_after_seconds_then_minutes_and_last_when_it_is_over(bench: Bench) -> None:
    write_back = bench.collect(5000)
    bench.fault(Effect.CUT_BEFORE_EFFECT, "POST", times=1)
    bench.drive(write_back)
    looks = []
    while bench.stored(write_back).state is S.UNCLEAR:
        looks.append(seconds_since_post(bench, write_back))
        drive_at_next_look(bench, write_back)
    assert looks == [0, *SOON]
    assert bench.stored(write_back).state is S.CONFIRMED
    assert bench.amounts() == [Decimal("50.00")]


def test_what_a_list_shows_late_is_found_at_the_next_look(bench: Bench) -> None:
    bench.engine.switches.payment_list_delay_seconds = 20
    bench.fault(Effect.CUT_AFTER_EFFECT, "POST")
    write_back = bench.drive(bench.collect(5000))
    states = [drive_at_next_look(bench, write_back).state for _ in SOON[:2]]
    assert states == [S.UNCLEAR, S.CONFIRMED]
    assert seconds_since_post(bench, write_back) == SOON[1]
    assert len(bench.rows()) == 1


@pytest.mark.parametrize("lost_after_seconds", [0, 1, 4, 20, 29, 30, 31, 45])
def test_what_took_effect_is_confirmed_within_ten_seconds_of_its_lost_answer(
    bench: Bench, lost_after_seconds: int
) -> None:
    """Given a list that shows the payment some seconds late, and messages on time."""
    bench.engine.switches.payment_list_delay_seconds = 4
    transport = EngineTransport(bench.engine, wait=bench.clock.sleep)

    def lose_answer(request: httpx.Request) -> httpx.Response:
        if request.method != "POST":
            return transport.handle_request(request)
        bench.wait(lost_after_seconds)
        transport.handle_request(request)
        raise httpx.ReadTimeout("no answer")

    write_back = bench.collect(5000)
    gateway = bench.world.gateway(httpx.MockTransport(lose_answer))
    unclear = bench.drive(write_back, gateway=gateway)
    lost_at = bench.clock.now()
    assert unclear.state is S.UNCLEAR

    while bench.stored(write_back).state is S.UNCLEAR:
        drive_at_next_look(bench, write_back)

    assert bench.stored(write_back).state is S.CONFIRMED
    assert bench.clock.now() - lost_at <= timedelta(seconds=10)
    assert bench.amounts() == [Decimal("50.00")], "posted once"


def test_a_list_that_fails_at_once_is_asked_again_soon(bench: Bench) -> None:
    bench.fault(Effect.CUT_AFTER_EFFECT, "POST")
    bench.fault(Effect.STATUS_500, "GET", "payments", skip=1, times=50)
    unclear = bench.drive(bench.collect(5000))
    assert (unclear.state, len(bench.rows())) == (S.UNCLEAR, 1)
    bench.engine.faults.clear()
    assert drive_at_next_look(bench, unclear).state is S.CONFIRMED


@pytest.mark.parametrize("change", ["absent", "edited", "rewritten", "returned"])
def test_before_it_is_over_nothing_but_finding_it_counts(bench: Bench, change: str) -> None:
    """Given a post that nothing shows, or that was changed, or called off before it was found."""
    write_back = bench.collect(5000)
    if change == "absent":
        bench.fault(Effect.CUT_BEFORE_EFFECT, "POST")
        bench.drive(write_back)
    else:
        bench.lose_post(write_back)
    if change == "edited":
        edit_ours(bench, "49.99")
    elif change == "rewritten":
        bench.people.rewrite_payments(bench.invoice_id)
    elif change == "returned":
        bench.people.delete_payment(bench.invoice_id, bench.rows()[0]["id"])
        bench.undo()
    posts = len(bench.engine.calls.recent(500))

    for _ in SOON:
        waiting = drive_at_next_look(bench, write_back)
        assert (waiting.state, waiting.reason) == (S.UNCLEAR, Reason.NONE)
        assert len(waiting.unproven_posts) == 1

    assert len(bench.engine.calls.recent(500)) == posts + len(SOON), "a list for each look"
    assert bench.open_problems() == []
    after = drive_at_next_look(bench, write_back)
    assert seconds_since_post(bench, write_back) >= QUARANTINE_SECONDS
    ends = {
        "absent": (S.CONFIRMED, Reason.NONE),
        "edited": (S.MANUAL, Reason.PAYMENT_CHANGED),
        "rewritten": (S.MANUAL, Reason.PAYMENT_REWRITTEN),
        "returned": (S.REVERSED, Reason.NONE),
    }
    assert (after.state, after.reason) == ends[change]


def test_a_person_may_have_it_looked_for_at_once(bench: Bench) -> None:
    """Given an unclear post whose message failed for good: the sweep takes it up in an hour."""
    write_back = bench.lose_post(bench.collect(5000))
    use_cases.failed_write_backs(bench).park(write_back.connection_id, write_back.write_back_id)
    assert bench.drive(write_back).state is S.UNCLEAR

    decisions(bench).look(*place(write_back))

    assert bench.drive(write_back).state is S.CONFIRMED
    assert seconds_since_post(bench, write_back) < SOON[0]


def test_the_invoice_stays_held_until_the_post_is_over(bench: Bench) -> None:
    """Given another payment of the invoice, which waits for it."""
    first = bench.lose_post(bench.collect(5000))
    bench.people.delete_payment(bench.invoice_id, bench.rows()[0]["id"])
    over_at = TIMINGS.quarantine_end(first.unproven_posts[0].stated_at)
    second = bench.drive(bench.collect(3000, "pay-2"))
    assert (second.state, second.due_at) == (S.PENDING, over_at)
    bench.people.record_payment(bench.invoice_id, Decimal("1.00"), PAID_ON)
    assert bench.drive(second).state is S.PENDING
