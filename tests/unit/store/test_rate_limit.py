"""However calls come, a tenant never gets more of them than its allowance."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.errors import ThrottledError
from bridge.ports import CallPurpose
from bridge.store.rate_limit import RateSettings
from tests.builders.records import CONNECTION
from tests.fakes.clock import START, FakeClock
from tests.fakes.coordination import InMemoryRateLimiter

CALLS_A_MINUTE = 900
BURST = 15

arrivals = st.lists(
    st.tuples(
        st.floats(0, 3),
        st.integers(1, 60),
        st.sampled_from(CallPurpose),
    ),
    max_size=40,
)
pauses = st.dictionaries(st.integers(0, 39), st.floats(0, 70))


def test_the_schedules_share_the_allowance_out() -> None:
    schedules = RateSettings().schedules
    assert sum(schedule.calls_per_minute for schedule in schedules) == CALLS_A_MINUTE
    assert sum(schedule.burst for schedule in schedules) == BURST
    assert RateSettings().common.calls_per_minute == 720


@given(arrivals=arrivals, pauses=pauses)
def test_calls_of_both_kinds_together_stay_within_the_allowance_and_its_burst(
    arrivals: list[tuple[float, int, CallPurpose]], pauses: dict[int, float]
) -> None:
    clock = FakeClock()
    limiter = InMemoryRateLimiter(clock)
    made_at: list[float] = []
    for number, (gap_seconds, count, purpose) in enumerate(arrivals):
        clock.advance(seconds=gap_seconds)
        now = (clock.now() - START).total_seconds()
        if number in pauses:
            limiter.pause(CONNECTION, seconds=pauses[number])
        for _ in range(count):
            try:
                made_at.append(now + limiter.acquire(CONNECTION, purpose))
            except ThrottledError:
                break
    made_at.sort()
    for first, began in enumerate(made_at):
        within_a_minute = sum(began <= at < began + 60 for at in made_at[first:])
        assert within_a_minute <= CALLS_A_MINUTE + BURST


@given(bulk=st.integers(0, 2_000), gaps=st.lists(st.floats(0.35, 5), min_size=1, max_size=30))
def test_an_import_keeps_no_write_back_waiting(bulk: int, gaps: list[float]) -> None:
    """A write-back whose calls come one after the other has each of them at once."""
    clock = FakeClock()
    limiter = InMemoryRateLimiter(clock)
    calls_a_gap = bulk // len(gaps) + 1
    for gap_seconds in gaps:
        for _ in range(calls_a_gap):
            try:
                limiter.acquire(CONNECTION)
            except ThrottledError:
                break
        assert limiter.acquire(CONNECTION, CallPurpose.WRITE_BACK) == 0
        clock.advance(seconds=gap_seconds)
