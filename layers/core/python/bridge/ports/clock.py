"""A worker's clock tells the time and the time that is left."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """Return the time in UTC."""
        ...

    def sleep(self, seconds: float) -> None: ...

    def remaining_seconds(self) -> float:
        """Return the time this worker may still use."""
        ...
