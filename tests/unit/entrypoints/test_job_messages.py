"""The queue of jobs tells what failed before, and a job that keeps failing becomes a problem."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bridge.aws.messages import write_job, write_tick
from bridge.domain.job import Job, Tick
from bridge.domain.problem import ProblemCode
from bridge.domain.work_messages import JobMessage, TickMessage
from bridge.entrypoints.batches import jobs_in
from bridge.wiring import entrypoints
from tests.builders.records import CONNECTION, PARTNER
from tests.fakes.clock import START
from tests.unit.mirror.bench import Bench

MESSAGE = JobMessage(CONNECTION, PARTNER, Job.PAYMENTS, START.replace(microsecond=0))
TICK = TickMessage(Tick((Job.SWEEP,), MESSAGE.planned_at, 3), "cursor")


def record(body: str, *, receives: int = 1, queue: str = "bridge-dev-jobs") -> dict[str, Any]:
    return {
        "messageId": f"message-{receives}",
        "body": body,
        "attributes": {"ApproximateReceiveCount": str(receives)},
        "eventSourceARN": f"arn:aws:sqs:eu-central-1:1:{queue}",
    }


def test_a_job_knows_whether_a_worker_failed_at_it_before() -> None:
    records = [record(write_job(MESSAGE)), record(write_job(MESSAGE), receives=2)]
    batch = jobs_in({"Records": records})
    assert list(batch.messages.values()) == [MESSAGE, replace(MESSAGE, is_repeated=True)]


def test_a_tick_that_comes_again_is_the_same() -> None:
    batch = jobs_in({"Records": [record(write_tick(TICK), receives=3)]})
    assert list(batch.messages.values()) == [TICK]


@pytest.mark.parametrize("job", Job)
def test_a_job_that_failed_for_good_is_its_connections_problem(bench: Bench, job: Job) -> None:
    body = write_job(replace(MESSAGE, job=job))
    entrypoints.dead_letters(bench).park({"Records": [record(body, queue="bridge-dev-jobs-dead")]})
    problem = bench.open_problems()[ProblemCode.JOB_FAILED, f"job/{job.value}"]
    assert problem.detail.endswith("It starts again by itself, and an operator looks into it.")
    assert bench.parked_queue.messages == [(body, "bridge-dev-jobs-dead")]


def test_the_problem_of_a_job_ends_when_it_gets_through(bench: Bench) -> None:
    body = write_job(replace(MESSAGE, job=Job.SWEEP))
    entrypoints.dead_letters(bench).park({"Records": [record(body, queue="bridge-dev-jobs-dead")]})
    bench.do_job(Job.CUSTOMERS)
    assert bench.open_problems().keys() == {(ProblemCode.JOB_FAILED, "job/sweep")}
    bench.do_job(Job.SWEEP)
    assert bench.open_problems() == {}


def test_a_tick_that_failed_for_good_waits_for_an_operator(bench: Bench) -> None:
    body = write_tick(TICK)
    entrypoints.dead_letters(bench).park({"Records": [record(body, queue="bridge-dev-jobs-dead")]})
    assert bench.parked_queue.messages == [(body, "bridge-dev-jobs-dead")]
    assert bench.open_problems() == {}
