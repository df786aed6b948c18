"""The clock of one worker, on the world's."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.fakes.clock import FakeClock


class WorkerClock:
    """Implements ``ports.Clock`` for one invocation of a function, which is killed at its deadline.

    It shows a time that is off by ``skew``. Sleeping moves the world's time; whoever is
    interrupted by that finds it later too. One that ``outlives_deadline`` was frozen and goes on
    after it, as no function should.
    """

    def __init__(
        self,
        world: FakeClock,
        timeout_seconds: float,
        function: str = "",
        *,
        skew: timedelta = timedelta(0),
    ) -> None:
        self._world = world
        self._started_at = world.now()
        self._timeout_seconds = timeout_seconds
        self._dies_at = self._started_at + timedelta(seconds=timeout_seconds)
        self._skew = skew
        self.function = function
        self.outlives_deadline = False
        self.frozen_seconds = 0.0
        self.holds = ""
        """The holder of the lease that it took last."""
        self.now = self._skewed_now if skew else world.now

    def _skewed_now(self) -> datetime:
        return self._world.now() + self._skew

    def is_over(self) -> bool:
        """Tell whether the deadline has passed, and ends the invocation."""
        return self._world.now() >= self._dies_at and not self.outlives_deadline

    def sleep(self, seconds: float) -> None:
        self._world.advance(seconds=seconds)

    def remaining_seconds(self) -> float:
        spent_seconds = (self._world.now() - self._started_at).total_seconds()
        return self._timeout_seconds - spent_seconds
