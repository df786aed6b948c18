"""The real time, and how much of it the present invocation has left."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import UTC, datetime


class SystemClock:
    """See :class:`bridge.ports.Clock`.

    One clock lives as long as its worker, while each invocation has its own deadline: a handler
    says :meth:`begin` with its context's ``get_remaining_time_in_millis``. Without one, as in a
    program outside Lambda, no deadline is known.
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
