"""However many connections there are, each has its jobs in every period, once, and spread."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from bridge.domain.job import CADENCES, Job, scheduled_tick
from bridge.domain.work_messages import LONGEST_DELAY_SECONDS
from tests.simulation.job_day import (
    ASKING,
    HANGING_PARTNER,
    MIDNIGHT,
    JobDay,
    partners_of,
    play_day,
    visits_by_period,
)

CONNECTIONS, PARTNERS, HANGING = 400, 60, 100
OWNERS = dict(partners_of(CONNECTIONS, PARTNERS, HANGING))
ANSWERING = [each for each, partner in OWNERS.items() if partner != HANGING_PARTNER]
HOURS = 24
LONGEST_PERIOD = timedelta(hours=HOURS)
PERIODS = {
    job: timedelta(hours=HOURS) // each.period
    for job, each in CADENCES.items()
    if each.period <= LONGEST_PERIOD
}


@pytest.fixture(scope="module")
def day() -> JobDay:
    """A day of hundreds of connections, a quarter of them of one partner whose server hangs."""
    return play_day(list(OWNERS.items()), hours=HOURS)


@pytest.mark.parametrize("job", PERIODS)
def test_each_connection_is_visited_once_in_every_period(day: JobDay, job: Job) -> None:
    expected = list(range(PERIODS[job]))
    for connection_id in ANSWERING:
        assert visits_by_period(day, job, connection_id) == expected


def test_nobody_waits_for_a_partner_whose_server_hangs(day: JobDay) -> None:
    assert day.longest_wait == timedelta(0)


def test_who_asks_no_server_is_visited_though_it_hangs(day: JobDay) -> None:
    for job in PERIODS.keys() - ASKING:
        for connection_id in OWNERS:
            assert visits_by_period(day, job, connection_id) == list(range(PERIODS[job]))


def test_the_hanging_partners_payments_are_looked_at_in_the_mirror(day: JobDay) -> None:
    for connection_id in OWNERS.keys() - set(ANSWERING):
        visits = visits_by_period(day, Job.PAYMENTS, connection_id)
        assert len(visits) >= PERIODS[Job.PAYMENTS] - 1


def test_no_moment_has_many_messages(day: JobDay) -> None:
    """Where all came at the full hour, it would have hundreds."""
    by_second = Counter(each.replace(microsecond=0) for each in day.due_times)
    assert max(by_second.values()) < CONNECTIONS / 20


def test_each_connection_has_its_monthly_turn_once_in_twenty_eight_days() -> None:
    turns: Counter[str] = Counter()
    for number in range(28):
        tick = scheduled_tick([Job.RESTING_PAYMENTS], None, MIDNIGHT + timedelta(days=number))
        for connection_id in OWNERS:
            turns[connection_id] += len(tick.chosen(connection_id))
    assert set(turns.values()) == {1}
    assert turns.keys() == OWNERS.keys()


def test_no_message_is_due_later_than_a_queue_can_hold_it_back(day: JobDay) -> None:
    begun = {each.begun_at for visits in day.visits.values() for each in visits}
    assert max(begun) < MIDNIGHT + timedelta(hours=HOURS, seconds=LONGEST_DELAY_SECONDS)
