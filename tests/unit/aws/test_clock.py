"""The system's clock knows UTC and the present invocation's deadline."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from bridge.aws.clock import SystemClock


def test_it_tells_the_time_in_utc() -> None:
    before = datetime.now(UTC)
    now = SystemClock().now()
    assert now.tzinfo is UTC
    assert before <= now <= datetime.now(UTC)


def test_outside_an_invocation_no_deadline_is_known() -> None:
    assert SystemClock().remaining_seconds() == math.inf


def test_each_invocation_has_its_own_deadline() -> None:
    clock = SystemClock()
    clock.begin(lambda: 1500)
    assert clock.remaining_seconds() == 1.5
    clock.begin(lambda: 900_000)
    assert clock.remaining_seconds() == 900


def test_a_step_ends_before_its_invocation_does_and_never_after() -> None:
    left_ms = [90_000]
    clock = SystemClock()
    clock.begin(lambda: left_ms[0], step_seconds=60)
    assert clock.remaining_seconds() == 60
    left_ms[0] = 31_000
    assert clock.remaining_seconds() == 1
    left_ms[0] = 20_000
    assert clock.remaining_seconds() == 0
    clock.begin(lambda: 45_000, step_seconds=60)
    assert clock.remaining_seconds() == 45
