"""A shared clock gives one connection a part of a worker's time and keeps the rest for others."""

from __future__ import annotations

import math
from datetime import datetime

from bridge.ports import Clock


class SharedTime:
    """The clock's time is up after a part of the time that was left when it was made."""

    def __init__(self, clock: Clock, share: float) -> None:
        """Take a ``share``, above 0 and up to 1, of the time left; open-ended time stays so."""
        left = clock.remaining_seconds()
        self._clock = clock
        self._kept_back_seconds = left * (1 - share) if math.isfinite(left) else 0.0

    def now(self) -> datetime:
        return self._clock.now()

    def sleep(self, seconds: float) -> None:
        self._clock.sleep(seconds)

    def remaining_seconds(self) -> float:
        return max(0.0, self._clock.remaining_seconds() - self._kept_back_seconds)
