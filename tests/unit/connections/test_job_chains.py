"""The steps of a job are one chain: nobody else is at it, and a worker's death does not end it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.connections.job_chains import UNHEARD_FOR, ChainLink, JobChains
from bridge.connections.site_turns import STEP_LIFE
from bridge.domain.job import Job
from bridge.domain.work_messages import JobMessage
from bridge.wiring import use_cases
from tests.builders.records import CONNECTION, PARTNER
from tests.fakes.clock import START, FakeClock
from tests.fakes.ports import InMemoryPorts

HOUR = timedelta(hours=1)


class Chains:
    """The chains of one connection's comparison of payments, with its messages."""

    def __init__(self) -> None:
        self.ports = InMemoryPorts(None)  # type: ignore[arg-type]
        self.message = JobMessage(CONNECTION, PARTNER, Job.PAYMENTS, START)

    @property
    def clock(self) -> FakeClock:
        return self.ports.clock

    @property
    def chains(self) -> JobChains:
        return use_cases.job_chains(self.ports)

    def begin(self, message: JobMessage | None = None) -> ChainLink | None:
        return self.chains.begin(message or self.message)

    def step(self, cursor: str, message: JobMessage | None = None) -> JobMessage:
        """Do a step up to the cursor, and return the message for the next one."""
        link = self.begin(message)
        assert link is not None
        token = self.chains.go_on(link, cursor)
        assert token is not None
        return replace(self.message, turn=token)

    def next_hour(self, hours: int = 1) -> JobMessage:
        """Let the connection's next moment come, with its message."""
        planned_at = self.message.planned_at + hours * HOUR
        waited = (planned_at - self.clock.now()).total_seconds()
        self.clock.advance(seconds=max(0.0, waited))
        return replace(self.message, planned_at=planned_at)


@pytest.fixture
def chain() -> Chains:
    return Chains()


def test_a_job_of_one_step_stores_nothing(chain: Chains) -> None:
    link = chain.begin()
    assert link is not None
    chain.chains.end(link)
    assert (link.cursor, chain.ports.job_turns.writes) == (None, 0)


def test_a_step_goes_on_where_the_one_before_stopped(chain: Chains) -> None:
    second = chain.step("a")
    third = chain.step("b", second)
    link = chain.begin(third)
    assert link is not None
    assert link.cursor == "b"


def test_a_chain_that_ends_in_its_period_is_forgotten(chain: Chains) -> None:
    link = chain.begin(chain.step("a"))
    assert link is not None
    chain.chains.end(link)
    assert chain.ports.job_turns.kept == {}


def test_a_message_that_comes_twice_makes_one_step(chain: Chains) -> None:
    second = chain.step("a")
    assert chain.begin(second) is not None
    assert chain.begin(second) is None


def test_a_message_of_a_step_that_is_done_is_passed_over(chain: Chains) -> None:
    second = chain.step("a")
    chain.step("b", second)
    assert chain.begin(second) is None


def test_two_first_steps_at_once_make_one_chain(chain: Chains) -> None:
    first, twin = chain.begin(), chain.begin()
    assert first is not None
    assert twin is not None
    assert chain.chains.go_on(first, "a") is not None
    assert chain.chains.go_on(twin, "a") is None


def test_the_next_period_leaves_a_chain_that_goes_on_alone(chain: Chains) -> None:
    message = chain.step("a")
    later = chain.next_hour()
    chain.step("b", message)
    assert chain.begin(later) is None


def test_the_next_period_takes_over_from_a_worker_that_died(chain: Chains) -> None:
    chain.step("a")
    link = chain.begin(chain.next_hour())
    assert link is not None
    assert link.cursor == "a"


def test_a_repeated_message_takes_over_from_its_own_dead_worker(chain: Chains) -> None:
    """Given a first step of the next period that took the chain over, and died."""
    chain.step("a")
    message = chain.next_hour()
    assert chain.begin(message) is not None
    repeated = replace(message, is_repeated=True)
    assert chain.begin(repeated) is None

    chain.clock.advance(seconds=STEP_LIFE.total_seconds())

    assert chain.begin(repeated) is not None


def test_a_step_whose_worker_died_is_done_when_its_message_comes_again(chain: Chains) -> None:
    second = chain.step("a")
    chain.begin(second)
    chain.clock.advance(seconds=STEP_LIFE.total_seconds())
    link = chain.begin(second)
    assert link is not None
    assert link.cursor == "a"


def test_a_late_message_of_an_overtaken_step_is_passed_over(chain: Chains) -> None:
    second = chain.step("a")
    chain.clock.advance(seconds=UNHEARD_FOR.total_seconds())
    chain.step("b", chain.next_hour())
    assert chain.begin(second) is None


def test_a_job_stands_for_the_hour_of_its_moment(chain: Chains) -> None:
    link = chain.begin()
    assert link is not None
    assert link.hours == {START.hour}


def test_a_job_after_one_that_ended_late_stands_for_the_hours_between(chain: Chains) -> None:
    """Given a chain of more than two hours, while the messages of two periods were passed over."""
    message = chain.step("a")
    chain.clock.advance(hours=2, minutes=10)
    link = chain.begin(message)
    assert link is not None
    chain.chains.end(link)

    after = chain.begin(chain.next_hour(3))

    assert after is not None
    assert after.hours == {(START + n * HOUR).hour for n in (1, 2, 3)}
    chain.chains.end(after)
    assert chain.ports.job_turns.kept == {}
