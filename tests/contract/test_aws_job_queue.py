"""Jobs and ticks go through the queue as they are, each after its delay."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.aws.messages import read_job_or_tick, write_job, write_tick
from bridge.aws.queues import SqsJobQueue, SqsSender
from bridge.domain.errors import InvalidInputError
from bridge.domain.job import Job, Tick
from bridge.domain.work_messages import LONGEST_DELAY_SECONDS, JobMessage, TickMessage
from infra.local.embedded_aws import EmbeddedAws
from tests.builders.records import CONNECTION, PARTNER
from tests.fakes.clock import START, FakeClock

MESSAGE = JobMessage(CONNECTION, PARTNER, Job.PAYMENTS, START.replace(microsecond=0))
TICK = TickMessage(Tick((Job.CALLBACKS, Job.PAYMENTS), MESSAGE.planned_at, 2), "cursor")


@pytest.fixture
def sqs(aws: EmbeddedAws) -> Any:
    return aws.client("sqs")


@pytest.fixture
def queue_url(sqs: Any) -> Iterator[str]:
    created = sqs.create_queue(QueueName="jobs-of-test")
    yield created["QueueUrl"]
    sqs.delete_queue(QueueUrl=created["QueueUrl"])


def received(sqs: Any, queue_url: str) -> list[tuple[Any, str]]:
    answer = sqs.receive_message(
        QueueUrl=queue_url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
    )
    return [
        (read_job_or_tick(each["Body"]), each["Attributes"]["MessageGroupId"])
        for each in answer.get("Messages", [])
    ]


def test_jobs_and_ticks_come_as_they_were_sent(sqs: Any, queue_url: str, clock: FakeClock) -> None:
    queue = SqsJobQueue(SqsSender(sqs, queue_url, clock))
    later = replace(MESSAGE, job=Job.SWEEP)
    queue.send([(MESSAGE, 0), (later, LONGEST_DELAY_SECONDS)])
    queue.go_on(TICK)
    came = received(sqs, queue_url)
    assert (MESSAGE, PARTNER) in came
    assert TICK in [message for message, _ in came]
    assert later not in [message for message, _ in came]


def test_a_delay_that_the_queue_does_not_know_is_refused(
    sqs: Any, queue_url: str, clock: FakeClock
) -> None:
    queue = SqsJobQueue(SqsSender(sqs, queue_url, clock))
    with pytest.raises(InvalidInputError):
        queue.send([(MESSAGE, LONGEST_DELAY_SECONDS + 1)])


@given(
    st.sampled_from(Job), st.sampled_from(["", "token"]), st.integers(0, 99), st.integers(0, 10**9)
)
def test_a_job_is_read_as_it_was_written(job: Job, turn: str, times: int, seconds: int) -> None:
    message = replace(
        MESSAGE,
        job=job,
        turn=turn,
        times_put_off=times,
        planned_at=datetime.fromtimestamp(seconds, UTC),
    )
    assert read_job_or_tick(write_job(message)) == message


@given(st.lists(st.sampled_from(Job), min_size=1), st.none() | st.integers(0, 27))
def test_a_tick_is_read_as_it_was_written(jobs: list[Job], part: int | None) -> None:
    message = TickMessage(Tick(tuple(jobs), MESSAGE.planned_at, part), "cursor")
    assert read_job_or_tick(write_tick(message)) == message


@pytest.mark.parametrize(
    "body",
    [
        "nonsense",
        "[]",
        "{}",
        '{"jobs":"","began_at":1,"cursor":"c"}',
        '{"jobs":"tidy_up","began_at":1,"cursor":"c"}',
        '{"connection_id":"c","partner_id":"p","job":"sweep","planned_at":-1,"times_put_off":0}',
        '{"connection_id":"c","partner_id":"p","job":"sweep","planned_at":1e999,"times_put_off":0}',
        '{"connection_id":"c","partner_id":"p","job":"sweep","planned_at":9999999999999,"x":0}',
    ],
)
def test_another_body_is_unreadable(body: str) -> None:
    with pytest.raises(ValueError, match=r"message|Expecting|valid|range"):
        read_job_or_tick(body)
