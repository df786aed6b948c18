"""Whoever floods what everybody asks for uses up his own share, and nobody else's."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.errors import ShareUsedUpError
from bridge.domain.shares import Shares
from tests.fakes.clock import START

PER_SECOND, BURST = 5, 20


def some_shares(max_holders: int = 10) -> Shares:
    return Shares(per_second=PER_SECOND, burst=BURST, max_holders=max_holders)


def taken(shares: Shares, holder: str, times: int, seconds: float = 0) -> int:
    """Ask so often at one moment; return how often it was granted."""
    granted = 0
    for _ in range(times):
        try:
            shares.take(holder, START + timedelta(seconds=seconds))
        except ShareUsedUpError:
            continue
        granted += 1
    return granted


def test_a_burst_goes_at_once_and_then_so_many_a_second() -> None:
    shares = some_shares()
    assert taken(shares, "a", 100) == BURST
    assert taken(shares, "a", 100, seconds=1) == PER_SECOND
    assert taken(shares, "a", 100, seconds=3) == 2 * PER_SECOND


def test_a_share_grows_to_a_burst_and_no_further() -> None:
    shares = some_shares()
    taken(shares, "a", 100)
    assert taken(shares, "a", 100, seconds=3600) == BURST


def test_a_holder_leaves_the_others_shares_alone() -> None:
    shares = some_shares()
    taken(shares, "a", 1000)
    assert taken(shares, "b", 1) == 1


def test_who_is_refused_is_told_when_to_ask_again() -> None:
    shares = some_shares()
    taken(shares, "a", BURST)
    with pytest.raises(ShareUsedUpError) as refused:
        shares.take("a", START)
    assert refused.value.retry_after_seconds == pytest.approx(1 / PER_SECOND)
    assert taken(shares, "a", 1, seconds=1 / PER_SECOND) == 1


def test_a_clock_that_falls_back_keeps_nobody_waiting_longer_than_a_burst() -> None:
    shares = some_shares()
    taken(shares, "a", BURST, seconds=3600)
    assert taken(shares, "a", 100) == 0
    assert taken(shares, "a", 100, seconds=BURST / PER_SECOND) == BURST


def test_who_asked_longest_ago_is_forgotten_first() -> None:
    shares = some_shares(max_holders=2)
    taken(shares, "a", BURST)
    taken(shares, "b", BURST)
    taken(shares, "a", 1)
    taken(shares, "c", 1)
    assert taken(shares, "a", 1) == 0
    assert taken(shares, "b", 1) == 1


@given(st.lists(st.floats(0, 10), min_size=1, max_size=200))
def test_however_they_come_no_more_are_granted_than_a_burst_and_the_rate(
    moments: list[float],
) -> None:
    shares = some_shares()
    granted = sum(taken(shares, "a", 1, seconds=moment) for moment in sorted(moments))
    assert granted <= BURST + PER_SECOND * (max(moments) - min(moments)) + 1
