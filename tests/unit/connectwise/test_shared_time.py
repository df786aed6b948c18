"""A share of a worker's time ends before the worker's."""

from __future__ import annotations

import math

import pytest

from bridge.aws.clock import SystemClock
from bridge.connectwise.shared_time import SharedTime
from tests.fakes.clock import FakeClock


@pytest.mark.parametrize(("share", "seconds"), [(1.0, 120), (0.5, 60), (0.25, 30)])
def test_a_share_is_of_what_was_left(share: float, seconds: float) -> None:
    clock = FakeClock(remaining_seconds=120)

    shared = SharedTime(clock, share)

    assert shared.remaining_seconds() == seconds
    clock.advance(seconds=20)
    assert shared.remaining_seconds() == seconds - 20


def test_a_share_that_is_used_up_leaves_no_time_and_the_others_theirs() -> None:
    clock = FakeClock(remaining_seconds=120)
    shared = SharedTime(clock, 0.25)

    shared.sleep(50)

    assert shared.remaining_seconds() == 0
    assert SharedTime(clock, 0.5).remaining_seconds() == 35


def test_without_a_deadline_there_is_none_in_a_share() -> None:
    assert SharedTime(SystemClock(), 0.5).remaining_seconds() == math.inf
