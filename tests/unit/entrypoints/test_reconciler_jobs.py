"""An event becomes one message for each connection and job, spread over the part of its period."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bridge.domain.connection import ConnectionState
from bridge.domain.identity import new_id
from bridge.domain.job import CADENCES, SPREAD_SECONDS, Job
from bridge.domain.work_messages import JobMessage, TickMessage
from tests.builders.operations import a_connection
from tests.builders.payments import a_platform_payment, write_backs_for
from tests.fakes.connections import SYNCING_PAGE_SIZE
from tests.unit.mirror.bench import Bench

CONNECTIONS = 40


@pytest.fixture
def many(bench: Bench) -> Bench:
    """A bench with more connections of several partners."""
    for number in range(CONNECTIONS - 1):
        bench.connect(a_connection(new_id(), partner_id=f"partner-{number % 7}"))
    return bench


def sent(bench: Bench) -> list[JobMessage]:
    return [message for message in bench.job_queue.sent if isinstance(message, JobMessage)]


def test_what_is_due_is_sent_to_a_worker(bench: Bench) -> None:
    payment = a_platform_payment()
    bench.ledger.record(payment, write_backs_for(payment))
    assert bench.jobs.start({"job": "due_write_backs"}) == {"woken": 1}
    messages = bench.write_back_queue.take_due()
    assert [message.write_back_id for message in messages] == ["pay-1.1001"]


@pytest.mark.parametrize("job", Job)
def test_the_parts_of_a_period_send_each_connection_one_message(many: Bench, job: Job) -> None:
    counted = [
        many.jobs.start({"jobs": [job.value], "part": part})["sent"]
        for part in range(CADENCES[job].parts)
    ]
    assert sum(counted) == CONNECTIONS
    ids = [message.connection_id for message in sent(many)]
    assert len(set(ids)) == len(ids) == CONNECTIONS
    assert {message.job for message in sent(many)} == {job}


def test_messages_come_spread_over_the_part(many: Bench) -> None:
    many.jobs.start({"jobs": ["invoice_delta", "heal_write_backs"], "part": 0})
    now = many.clock.now()
    waits = {(each.due_at - now).total_seconds() for each in many.job_queue.waiting}
    assert len(many.job_queue.waiting) == 2 * CONNECTIONS
    assert len(waits) > CONNECTIONS / 2
    assert max(waits) <= SPREAD_SECONDS


def test_a_person_starts_a_job_on_every_connection_at_once(many: Bench) -> None:
    assert many.jobs.start({"job": "sweep"}) == {"sent": CONNECTIONS}
    assert {each.due_at for each in many.job_queue.waiting} == {many.clock.now()}


def test_only_connections_that_are_kept_in_step_get_messages(bench: Bench) -> None:
    bench.connect(a_connection(new_id(), state=ConnectionState.DISCONNECTED))
    assert bench.jobs.start({"job": "callbacks"}) == {"sent": 1}


def test_a_message_is_over_when_the_next_one_comes(many: Bench) -> None:
    for _ in range(2):
        many.jobs.start({"jobs": ["invoice_delta"], "part": 0})
        many.clock.advance(minutes=15)
    first, second = sent(many)[:CONNECTIONS], sent(many)[CONNECTIONS:]
    assert [each.expires_at for each in first] == [each.planned_at for each in second]


def test_a_tick_that_runs_out_of_time_goes_on_with_a_message(bench: Bench) -> None:
    for number in range(SYNCING_PAGE_SIZE + 5):
        bench.connect(a_connection(f"{number:032x}", partner_id=f"partner-{number % 3}"))
    bench.clock.set_remaining(1)

    assert bench.jobs.start({"job": "customers"}) == {"sent": SYNCING_PAGE_SIZE}

    (rest,) = [each for each in bench.job_queue.sent if isinstance(each, TickMessage)]
    bench.jobs.work(rest)
    assert len({each.connection_id for each in sent(bench)}) == SYNCING_PAGE_SIZE + 6


@pytest.mark.parametrize(
    "event", [{"job": "tidy_up"}, {"jobs": ["tidy_up"], "part": 0}, {"jobs": ["sweep"], "part": 99}]
)
def test_an_event_that_names_nothing_known_is_a_mistake(
    bench: Bench, event: dict[str, object]
) -> None:
    with pytest.raises(ValueError, match=r"tidy_up|99"):
        bench.jobs.start(event)


def test_a_message_holds_back_no_longer_than_a_queue_can(many: Bench) -> None:
    many.clock.advance(seconds=-30)
    many.jobs.start({"jobs": ["invoice_delta"], "part": 0})
    latest = max(each.due_at for each in many.job_queue.waiting)
    assert latest - many.clock.now() <= timedelta(seconds=SPREAD_SECONDS)
