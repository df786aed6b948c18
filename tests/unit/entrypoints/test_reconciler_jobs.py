"""Each schedule's job reaches the use case that it is for."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.connections.callback_keeper import CallbackKeeper
from bridge.entrypoints.reconciler_jobs import Job, ReconcilerJobs
from bridge.payments.payment_check import PaymentCheck
from bridge.runs.schedule import ScheduledRuns, StalledRuns
from bridge.wiring import entrypoints, use_cases
from tests.builders.payments import a_platform_payment, write_backs_for
from tests.unit.mirror.bench import Bench


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the jobs asked for, answered with a count."""
    calls: list[str] = []

    def answering(name: str, count: int) -> Any:
        def answer(*arguments: object) -> int:
            calls.append(" ".join([name, *map(str, arguments[1:])]))
            return count

        return answer

    monkeypatch.setattr(PaymentCheck, "retry_all", answering("retry_all", 2))
    monkeypatch.setattr(PaymentCheck, "compare_all", answering("compare_all", 3))
    monkeypatch.setattr(ScheduledRuns, "start", answering("start", 1))
    monkeypatch.setattr(StalledRuns, "queue_again", answering("queue_again", 4))
    monkeypatch.setattr(CallbackKeeper, "keep_all", answering("keep_all", 5))
    return calls


@pytest.fixture
def jobs(bench: Bench) -> ReconcilerJobs:
    return bench.jobs


def test_what_is_due_is_sent_to_a_worker(bench: Bench, jobs: ReconcilerJobs) -> None:
    payment = a_platform_payment()
    bench.ledger.record(payment, write_backs_for(payment))
    assert jobs.do("due_write_backs") == {"woken": 1}
    sent = bench.write_back_queue.take_due()
    assert [message.write_back_id for message in sent] == ["pay-1.1001"]


@pytest.mark.usefixtures("asked")
def test_the_payment_checks_say_what_they_found(jobs: ReconcilerJobs) -> None:
    assert jobs.do("heal_write_backs") == {"tried_again": 2}
    assert jobs.do("payments") == {"compared": 3}


@pytest.mark.parametrize(
    ("job", "calls", "counted"),
    [
        (Job.INVOICE_DELTA, ["queue_again", "start invoices"], {"queued_again": 4, "started": 1}),
        (Job.SWEEP, ["start sweep"], {"started": 1}),
        (Job.CALLBACKS, ["keep_all"], {"kept": 5}),
    ],
)
def test_jobs_of_the_mirror_stay_with_the_mirror(
    bench: Bench, asked: list[str], job: Job, calls: list[str], counted: dict[str, int]
) -> None:
    assert bench.jobs.do(job.value) == counted
    assert asked == calls
    assert bench.write_back_queue.take_due() == []


def test_a_name_that_is_no_jobs_is_a_mistake(jobs: ReconcilerJobs) -> None:
    with pytest.raises(ValueError, match="tidy_up"):
        jobs.do("tidy_up")


def test_callbacks_are_kept_with_adapters_of_their_own(bench: Bench) -> None:
    others = Bench()
    others.psa.fail("ensure_callbacks", RuntimeError("asked"))
    others.connections = bench.connections
    jobs = entrypoints.reconciler_jobs(bench, use_cases.callback_keeper(others))
    assert jobs.do(Job.CALLBACKS) == {"kept": 0}
    assert bench.psa.calls == []
