"""Each connection has its part and its moment in every period, whatever its id."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.identity import new_id
from bridge.domain.job import (
    CADENCES,
    SPREAD_SECONDS,
    Job,
    Tick,
    delay_of,
    part_of,
    scheduled_tick,
)
from bridge.domain.work_messages import LONGEST_DELAY_SECONDS

NIGHT = datetime(2026, 3, 5, 3, 15, tzinfo=UTC)
CONNECTION_IDS = st.uuids().map(lambda each: each.hex)
JOBS = st.sampled_from(Job)
TIMES = st.integers(0, 10**9).map(lambda each: NIGHT + timedelta(seconds=each))


@given(CONNECTION_IDS, JOBS, TIMES)
def test_of_all_parts_one_chooses_a_connection(connection_id: str, job: Job, now: datetime) -> None:
    parts = range(CADENCES[job].parts)
    ticks = [scheduled_tick([job], part, now) for part in parts]
    chosen = [tick.part for tick in ticks if tick.chosen(connection_id)]
    assert chosen == [part_of(connection_id, len(parts))]


@given(CONNECTION_IDS, JOBS, TIMES)
def test_a_connections_moments_are_one_period_apart(
    connection_id: str, job: Job, now: datetime
) -> None:
    cadence = CADENCES[job]
    part = part_of(connection_id, cadence.parts)
    cycle = cadence.tick * cadence.parts
    moments = [scheduled_tick([job], part, at).chosen(connection_id) for at in (now, now + cycle)]
    ((_, first),), ((_, second),) = moments
    assert second - first == cycle


@given(JOBS, TIMES, st.integers(0, 12 * 60))
def test_a_late_or_repeated_event_means_the_same_tick(job: Job, now: datetime, late: int) -> None:
    begun = scheduled_tick([job], 0, now)
    again = scheduled_tick([job], 0, begun.began_at + timedelta(seconds=late))
    assert again == begun


@given(CONNECTION_IDS)
def test_a_delay_is_one_that_a_queue_takes(connection_id: str) -> None:
    assert timedelta(0) <= delay_of(connection_id) < timedelta(seconds=LONGEST_DELAY_SECONDS)


@pytest.mark.parametrize("parts", sorted({each.parts for each in CADENCES.values()}))
def test_connections_spread_evenly_over_parts_and_minutes(parts: int) -> None:
    ids = [f"{number:032x}" for number in range(28_000)]
    by_part = Counter(part_of(each, parts) for each in ids)
    assert len(by_part) == parts
    assert max(by_part.values()) < 1.2 * len(ids) / parts
    minutes = Counter(
        int(delay_of(each).total_seconds()) // 60 for each in ids if part_of(each, parts) == 0
    )
    even = by_part[0] / (SPREAD_SECONDS / 60)
    assert len(minutes) == SPREAD_SECONDS // 60
    assert max(minutes.values()) < even + 6 * even**0.5


def test_the_nights_parts_begin_at_three() -> None:
    assert scheduled_tick([Job.SWEEP], 0, NIGHT).began_at == NIGHT.replace(minute=0)
    assert scheduled_tick([Job.SWEEP], 1, NIGHT).began_at == NIGHT


def test_a_tick_without_a_part_takes_that_of_its_time() -> None:
    day = scheduled_tick([Job.RESTING_PAYMENTS], None, NIGHT)
    next_day = scheduled_tick([Job.RESTING_PAYMENTS], None, NIGHT + timedelta(days=1))
    assert next_day.part == ((day.part or 0) + 1) % 28
    assert day.began_at == datetime(2026, 3, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("jobs", "part"),
    [([Job.SWEEP], 12), ([Job.SWEEP], -1), ([Job.SWEEP, Job.PAYMENTS], 0), ([], 0)],
)
def test_an_impossible_tick_is_refused(jobs: list[Job], part: int) -> None:
    with pytest.raises(ValueError, match=r"part|cadence"):
        scheduled_tick(jobs, part, NIGHT)


def test_a_person_starts_a_job_on_everybody_at_once() -> None:
    tick = Tick((Job.SWEEP,), NIGHT)
    assert {moment for _ in range(20) for _, moment in tick.chosen(new_id())} == {NIGHT}
