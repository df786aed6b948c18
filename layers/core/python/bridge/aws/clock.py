"""The system's clock tells the real time, and how much of it the present invocation has left."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import UTC, datetime


class SystemClock:
    """The system fulfils :class:`bridge.ports.Clock`.

    One clock lives as long as its worker, while each invocation has its own deadline: a handler
    calls :meth:`begin` with its context's ``get_remaining_time_in_millis``. A program outside
    Lambda leaves the deadline open.
    """

    def __init__(self) -> None:
        self._remaining_ms: Callable[[], int] | None = None
        self._kept_back_seconds = 0.0

    def begin(self, remaining_ms: Callable[[], int], *, step_seconds: float = math.inf) -> None:
        """Begin an invocation, or a step of it that ends after ``step_seconds`` at the latest."""
        self._remaining_ms = remaining_ms
        self._kept_back_seconds = max(0.0, remaining_ms() / 1000 - step_seconds)

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def remaining_seconds(self) -> float:
        if self._remaining_ms is None:
            return math.inf
        return max(0.0, self._remaining_ms() / 1000 - self._kept_back_seconds)


worker_clock = SystemClock()
"""The clock of this process; each invocation tells it its deadline."""
