"""A worker does a job in its partner's places, or puts it off while the job's period lasts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.connections.callback_keeper import CallbackKeeper
from bridge.connections.job_step import JobStep, StepEnd
from bridge.connections.site_turns import PLACES_OF_A_PARTNER
from bridge.connections.visit import Visit
from bridge.domain.connection import Connection, ConnectionState
from bridge.domain.errors import UnavailableError
from bridge.domain.job import CADENCES, Job
from bridge.domain.run import RunKind
from bridge.domain.work_messages import JobMessage
from bridge.entrypoints.job_worker import JobWorker
from bridge.payments.payment_check import PaymentCheck
from bridge.ports import Activity
from bridge.wiring import entrypoints
from tests.builders.records import CONNECTION, PARTNER
from tests.unit.mirror.bench import Bench

STEPPED = {Job.PAYMENTS: "compare", Job.HEAL_WRITE_BACKS: "retry"}
RUNS = {
    Job.INVOICE_DELTA: RunKind.INVOICES,
    Job.CUSTOMERS: RunKind.CUSTOMERS,
    Job.SWEEP: RunKind.SWEEP,
}


def message_of(bench: Bench, job: Job, **changes: object) -> JobMessage:
    message = JobMessage(CONNECTION, PARTNER, job, bench.clock.now())
    return replace(message, **changes)  # type: ignore[arg-type]


def worker_of(bench: Bench) -> JobWorker:
    return entrypoints.job_worker(bench)


def in_steps(monkeypatch: pytest.MonkeyPatch, job: Job, *ends: StepEnd) -> list[JobStep]:
    """Let a job's steps end so, and return those that were asked for."""
    asked: list[JobStep] = []
    left: Iterator[StepEnd] = iter(ends)

    def step(_: PaymentCheck, asked_for: JobStep) -> StepEnd:
        asked.append(asked_for)
        return next(left)

    monkeypatch.setattr(PaymentCheck, STEPPED[job], step)
    return asked


def keeping(monkeypatch: pytest.MonkeyPatch, keep: Callable[[Connection], Visit]) -> None:
    monkeypatch.setattr(CallbackKeeper, "keep", lambda _, connection: keep(connection))


def take_all_places(bench: Bench) -> None:
    until = bench.clock.now() + timedelta(minutes=1)
    for _ in range(PLACES_OF_A_PARTNER):
        bench.partner_places.take(PARTNER, Activity.JOB, places=PLACES_OF_A_PARTNER, until=until)


@pytest.mark.parametrize(("job", "kind"), RUNS.items())
def test_a_job_starts_its_run_without_taking_a_place(bench: Bench, job: Job, kind: RunKind) -> None:
    take_all_places(bench)
    worker_of(bench).work(message_of(bench, job))
    assert [run.kind for run in bench.runs.list_active(CONNECTION)] == [kind]
    assert bench.job_queue.sent == []


def test_a_connection_that_is_not_kept_in_step_has_no_jobs(bench: Bench) -> None:
    bench.change_connection(state=ConnectionState.DISCONNECTED)
    for job in Job:
        worker_of(bench).work(message_of(bench, job))
    assert bench.psa.calls == []
    assert bench.runs.list_active(CONNECTION) == ()


def test_a_job_of_several_steps_goes_on_by_messages(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = in_steps(monkeypatch, Job.PAYMENTS, StepEnd(cursor="a"), StepEnd(cursor="b"), StepEnd())
    worker_of(bench).work(message_of(bench, Job.PAYMENTS))
    while due := bench.job_queue.take_due(limit=1):
        assert isinstance(due[0], JobMessage)
        worker_of(bench).work(due[0])
    assert [step.cursor for step in asked] == [None, "a", "b"]
    assert bench.partner_places.held == {}


def test_a_first_look_without_a_place_is_short_and_the_rest_holds_one(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = in_steps(monkeypatch, Job.HEAL_WRITE_BACKS, StepEnd(cursor="a"))
    now = bench.clock.now()
    worker_of(bench).work(message_of(bench, Job.HEAL_WRITE_BACKS))
    assert asked[0].until - now <= timedelta(seconds=5)
    (further,) = bench.job_queue.take_due()
    take_all_places(bench)
    assert isinstance(further, JobMessage)

    worker_of(bench).work(further)

    (put_off,) = bench.job_queue.waiting
    assert put_off.body == replace(further, times_put_off=1)
    assert len(asked) == 1


def test_without_a_place_a_job_is_asked_for_again_later_each_time(bench: Bench) -> None:
    take_all_places(bench)
    message, waits = message_of(bench, Job.CALLBACKS), []
    for _ in range(6):
        worker_of(bench).work(message)
        (waiting,) = bench.job_queue.waiting
        bench.job_queue.waiting.clear()
        assert isinstance(waiting.body, JobMessage)
        waits.append((waiting.due_at - bench.clock.now()).total_seconds())
        message = waiting.body
    assert message.times_put_off == 6
    assert waits[0] <= 5
    assert 20 <= waits[-1] <= 60
    assert bench.psa.calls == []


def test_a_job_without_a_turn_in_its_period_is_left_to_the_next_one(bench: Bench) -> None:
    message = message_of(bench, Job.CALLBACKS)
    bench.clock.advance(seconds=CADENCES[Job.CALLBACKS].period.total_seconds() - 1)
    take_all_places(bench)
    worker_of(bench).work(message)
    assert bench.job_queue.waiting == []


def test_a_message_that_waited_for_its_whole_period_is_dropped(bench: Bench) -> None:
    message = message_of(bench, Job.SWEEP)
    bench.clock.advance(hours=24)
    worker_of(bench).work(message)
    assert bench.runs.list_active(CONNECTION) == ()


@pytest.mark.parametrize("changes", [{"is_repeated": True}])
def test_what_failed_before_is_done_after_its_period_too(
    bench: Bench, changes: dict[str, object]
) -> None:
    message = message_of(bench, Job.SWEEP, **changes)
    bench.clock.advance(hours=24)
    worker_of(bench).work(message)
    assert [run.kind for run in bench.runs.list_active(CONNECTION)] == [RunKind.SWEEP]


def test_a_silent_server_is_left_alone_and_its_callbacks_wait_as_long(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def keep(_: Connection) -> Visit:
        asked.append(bench.clock.now())
        return Visit.UNANSWERED

    keeping(monkeypatch, keep)
    worker_of(bench).work(message_of(bench, Job.CALLBACKS))
    worker_of(bench).work(message_of(bench, Job.CALLBACKS))

    (waiting,) = bench.job_queue.waiting
    assert len(asked) == 1
    assert waiting.due_at - bench.clock.now() == timedelta(seconds=30)


def test_payments_of_a_silent_server_are_looked_at_in_the_mirror(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = in_steps(
        monkeypatch, Job.PAYMENTS, StepEnd(visit=Visit.UNANSWERED), StepEnd(), StepEnd()
    )
    for _ in range(2):
        worker_of(bench).work(message_of(bench, Job.PAYMENTS))
    bench.clock.advance(seconds=31)
    worker_of(bench).work(message_of(bench, Job.PAYMENTS))
    assert [step.may_ask for step in asked] == [True, False, True]


def test_a_job_that_fails_gives_its_place_back_and_is_repeated_by_the_queue(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Connection) -> Visit:
        raise UnavailableError("a table is out of reach")

    keeping(monkeypatch, fail)
    with pytest.raises(UnavailableError):
        worker_of(bench).work(message_of(bench, Job.CALLBACKS))
    assert bench.partner_places.held == {}
