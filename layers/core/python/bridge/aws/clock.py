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

    def begin(self, remaining_ms: Callable[[], int]) -> None:
        self._remaining_ms = remaining_ms

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def remaining_seconds(self) -> float:
        return self._remaining_ms() / 1000 if self._remaining_ms else math.inf


worker_clock = SystemClock()
"""The clock of this process; each invocation tells it its deadline."""
