"""A clock leaves less time than its worker has, for work that is to be over soon."""

from __future__ import annotations

from datetime import datetime, timedelta

from bridge.ports import Clock


class BriefClock:
    """This class fulfils ``ports.Clock`` with so many seconds from now on at most."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._ends_at = clock.now() + timedelta(seconds=seconds)

    def now(self) -> datetime:
        return self._clock.now()

    def sleep(self, seconds: float) -> None:
        self._clock.sleep(seconds)

    def remaining_seconds(self) -> float:
        left = (self._ends_at - self._clock.now()).total_seconds()
        return max(0.0, min(left, self._clock.remaining_seconds()))
