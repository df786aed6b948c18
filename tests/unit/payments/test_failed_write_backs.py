"""What the bridge itself fails at is seen by a person until it got through, whoever comes by."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest

from bridge.domain.platform_payment import Target
from bridge.domain.problem import Action, ProblemReport
from bridge.domain.write_back import Reason, WriteBack, WriteBackState
from bridge.domain.write_back.changes import LONGEST_WAIT, hand_over
from bridge.domain.write_back.decisions import offered_actions
from bridge.payments.write_back_problems import REASON_TEXTS
from bridge.wiring import use_cases
from connectwise_sandbox.faults import Effect
from tests.unit.payments.bench import QUARANTINE_SECONDS, decisions, place
from tests.unit.payments.mirrored_bench import MirroredBench

S = WriteBackState


@pytest.fixture
def bench() -> MirroredBench:
    return MirroredBench()


def park(bench: MirroredBench, write_back: WriteBack) -> WriteBack:
    """Let a message about it fail for good."""
    parker = use_cases.failed_write_backs(bench)
    parker.park(write_back.connection_id, write_back.write_back_id)
    return bench.stored(write_back)


def details(bench: MirroredBench) -> list[str]:
    return [problem.detail for problem in bench.open_problems()]


OURS = REASON_TEXTS[Reason.OUR_FAULT]


def test_what_is_parked_says_why_and_is_tried_again_in_an_hour(bench: MirroredBench) -> None:
    write_back = bench.collect(5000)
    parked = park(bench, write_back)
    assert parked == replace(
        write_back, reason=Reason.OUR_FAULT, due_at=bench.clock.now() + LONGEST_WAIT
    )
    assert details(bench) == [OURS]


def test_a_redriven_message_leaves_the_problem_open_until_the_payment_is_written(
    bench: MirroredBench,
) -> None:
    parked = park(bench, bench.collect(5000))
    assert bench.drive(parked) == parked
    assert (bench.rows(), details(bench)) == ([], [OURS])

    bench.wait(LONGEST_WAIT.total_seconds())
    done = bench.drive(parked)
    assert (done.state, done.reason) == (S.CONFIRMED, Reason.NONE)
    assert (bench.amounts(), details(bench)) == ([Decimal("50.00")], [])


def test_a_message_that_fails_again_is_no_second_problem(bench: MirroredBench) -> None:
    first = park(bench, bench.collect(5000))
    bench.wait(60)
    again = park(bench, first)
    assert again == replace(first, due_at=bench.clock.now() + LONGEST_WAIT)
    assert details(bench) == [OURS]


def test_a_person_may_have_it_tried_at_once(bench: MirroredBench) -> None:
    parked = park(bench, bench.collect(5000))
    assert offered_actions(parked) == (Action.RETRY, Action.MARK_DONE, Action.CANCEL)

    retried = decisions(bench).retry(*place(parked))
    assert (retried.due_at, details(bench)) == (bench.clock.now(), [OURS])
    assert bench.drive(parked).state is S.CONFIRMED
    assert (bench.amounts(), details(bench)) == ([Decimal("50.00")], [])


def test_a_person_may_keep_it_out_of_connectwise(bench: MirroredBench) -> None:
    parked = park(bench, bench.collect(5000))
    decisions(bench).cancel(*place(parked))
    bench.wait(LONGEST_WAIT.total_seconds())
    assert bench.drive(parked).state is S.CANCELLED
    assert (bench.rows(), details(bench)) == ([], [])


def test_what_may_be_in_flight_is_parked_and_woken_by_nobody_too_early(
    bench: MirroredBench,
) -> None:
    """A post whose answer was lost takes effect late, and only then is it looked for."""
    bench.fault(Effect.LATE_EFFECT, "POST", seconds=590)
    unclear = bench.drive(bench.collect(5000))
    assert unclear.due_at is not None
    parked = park(bench, unclear)
    assert (parked.state, parked.reason) == (S.UNCLEAR, Reason.OUR_FAULT)
    assert parked.due_at is not None
    assert parked.due_at >= unclear.due_at

    assert offered_actions(parked) == (Action.LOOK,)
    assert decisions(bench).look(*place(parked)).next_look_at == bench.clock.now()
    bench.drive(parked)
    assert (bench.rows(), details(bench)) == ([], [OURS])
    assert bench.drive_when_due(parked).state is S.CONFIRMED
    assert (bench.amounts(), details(bench)) == ([Decimal("50.00")], [])


def test_a_deletion_that_is_parked_is_made_later(bench: MirroredBench) -> None:
    write_back = bench.drive(bench.collect(5000))
    bench.undo()
    parked = park(bench, write_back)
    assert (parked.target, details(bench)) == (Target.ABSENT, [OURS])
    bench.wait(LONGEST_WAIT.total_seconds())
    assert bench.drive(parked).state is S.REVERSED
    assert (bench.rows(), details(bench)) == ([], [])


def test_what_follows_a_written_payment_may_be_parked_too(bench: MirroredBench) -> None:
    """It stays the payment that it is: nobody cancels it, and it is not posted again."""
    written = bench.drive(bench.collect(5000))
    bench.save(replace(written, wants_follow_up=True, due_at=bench.clock.now()))
    parked = park(bench, written)
    assert offered_actions(parked) == (Action.RETRY, Action.MARK_DONE)
    bench.wait(LONGEST_WAIT.total_seconds())
    assert bench.drive(parked).has_ended
    assert (bench.amounts(), details(bench)) == ([Decimal("50.00")], [])


def test_another_reason_is_kept_and_makes_room_for_others_as_well(bench: MirroredBench) -> None:
    write_back = bench.collect(5000)
    waiting = replace(write_back, reason=Reason.NO_ANSWER, due_at=bench.clock.now())
    bench.save(waiting)
    parked = park(bench, waiting)
    assert parked == replace(waiting, due_at=bench.clock.now() + LONGEST_WAIT)
    assert details(bench) == [REASON_TEXTS[Reason.NO_ANSWER]]


def test_what_waits_for_a_person_stays_as_it_is(bench: MirroredBench) -> None:
    waiting = bench.drive(bench.collect(20000))
    assert waiting.reason is Reason.OVERPAYMENT
    assert park(bench, waiting) == waiting
    assert details(bench) == [REASON_TEXTS[Reason.OVERPAYMENT]]


def test_the_comparison_leaves_the_problem_of_what_is_parked_alone(bench: MirroredBench) -> None:
    park(bench, bench.collect(5000))
    bench.mirror()
    before = bench.open_problems()
    bench.retry_now()
    bench.compare_now()
    assert bench.open_problems() == before


def test_a_problem_that_its_worker_had_no_time_to_close_or_change_is_brought_in_step(
    bench: MirroredBench,
) -> None:
    parked = park(bench, bench.collect(5000))
    bench.mirror()
    bench.save(hand_over(parked, Reason.INVOICE_LOCKED))
    bench.retry_now()
    assert details(bench) == [REASON_TEXTS[Reason.INVOICE_LOCKED]]

    bench.save(replace(parked, reason=Reason.NONE))
    bench.retry_now()
    assert details(bench) == []


def test_who_gets_it_through_while_it_is_shown_closes_the_problem(
    bench: MirroredBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_back = bench.collect(5000)
    report = bench.problems.report

    def report_after_another_worker(trouble: ProblemReport, now: datetime) -> None:
        monkeypatch.setattr(bench.problems, "report", report)
        bench.clock.advance(seconds=LONGEST_WAIT.total_seconds())
        assert bench.drive(write_back).state is S.CONFIRMED
        report(trouble, now)

    monkeypatch.setattr(bench.problems, "report", report_after_another_worker)
    park(bench, write_back)
    assert details(bench) == []


def test_who_moved_it_meanwhile_has_decided_when_it_is_due(
    bench: MirroredBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_back = bench.collect(5000)
    save = bench.ledger.save_write_back

    def save_after_another_worker(*args: object, **more: object) -> int:
        monkeypatch.setattr(bench.ledger, "save_write_back", save)
        bench.fault(Effect.TIMEOUT_BEFORE_EFFECT, "POST")
        bench.drive(write_back)
        return save(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(bench.ledger, "save_write_back", save_after_another_worker)
    after = park(bench, write_back)
    assert (after.state, after.reason) == (S.UNCLEAR, Reason.NONE)
    assert after.due_at is not None
    assert (after.due_at - bench.clock.now()).total_seconds() <= QUARANTINE_SECONDS
    assert details(bench) == []
