"""Time in a world: one clock for all, and for each invocation a view with a deadline."""

from __future__ import annotations

from datetime import datetime

from tests.fakes.clock import FakeClock


class WorkerClock:
    """Implements ``ports.Clock`` for one invocation, which is killed at its deadline.

    Sleeping moves the world's time; whoever is interrupted by that finds it later too.
    """

    def __init__(self, world: FakeClock, timeout_seconds: float) -> None:
        self._world = world
        self._started_at = world.now()
        self._timeout_seconds = timeout_seconds

    def now(self) -> datetime:
        return self._world.now()

    def sleep(self, seconds: float) -> None:
        self._world.advance(seconds=seconds)

    def remaining_seconds(self) -> float:
        spent_seconds = (self._world.now() - self._started_at).total_seconds()
        return self._timeout_seconds - spent_seconds
