"""A clock that a test moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class FakeClock:
    """Sleeping moves it at once, and ``slept_seconds`` tells what was asked for."""

    def __init__(self, now: datetime = START, *, remaining_seconds: float = 900.0) -> None:
        self._now = now
        self._deadline = now + timedelta(seconds=remaining_seconds)
        self.slept_seconds: list[float] = []

    def now(self) -> datetime:
        return self._now

    def sleep(self, seconds: float) -> None:
        self.slept_seconds.append(seconds)
        self._now += timedelta(seconds=seconds)

    def remaining_seconds(self) -> float:
        return max(0.0, (self._deadline - self._now).total_seconds())

    def advance(self, *, seconds: float = 0, minutes: float = 0, hours: float = 0) -> None:
        self._now += timedelta(seconds=seconds, minutes=minutes, hours=hours)

    def set_remaining(self, seconds: float) -> None:
        """Give the worker that much time from now on."""
        self._deadline = self._now + timedelta(seconds=seconds)
