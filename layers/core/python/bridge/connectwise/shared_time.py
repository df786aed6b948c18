"""A share of a worker's time, so that a ConnectWise that does not answer leaves some to others."""

from __future__ import annotations

import math
from datetime import datetime

from bridge.ports import Clock


class SharedTime:
    """A clock whose time is up earlier: after a part of what was left when it was made."""

    def __init__(self, clock: Clock, share: float) -> None:
        """``share`` is more than 0 and at most 1. Without a deadline there is nothing to share."""
        left = clock.remaining_seconds()
        self._clock = clock
        self._kept_back_seconds = left * (1 - share) if math.isfinite(left) else 0.0

    def now(self) -> datetime:
        return self._clock.now()

    def sleep(self, seconds: float) -> None:
        self._clock.sleep(seconds)

    def remaining_seconds(self) -> float:
        return max(0.0, self._clock.remaining_seconds() - self._kept_back_seconds)
