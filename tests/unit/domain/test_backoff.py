"""The wait after an attempt doubles, and jitter takes off up to a half."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.backoff import backoff_seconds


@pytest.mark.parametrize(("attempt", "longest"), [(0, 0.1), (1, 0.2), (2, 0.4), (5, 3.2)])
def test_the_longest_wait_doubles_with_each_attempt(attempt: int, longest: float) -> None:
    waited = backoff_seconds(attempt, first_seconds=0.1, jitter=1)
    assert waited == pytest.approx(longest)


@given(st.integers(0, 10), st.floats(0, 1))
def test_jitter_takes_off_up_to_a_half(attempt: int, jitter: float) -> None:
    longest = backoff_seconds(attempt, first_seconds=1, jitter=1)
    assert longest / 2 <= backoff_seconds(attempt, first_seconds=1, jitter=jitter) <= longest
