"""The sandbox keeps time in UTC and writes whole seconds on the wire."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

Clock = Callable[[], datetime]
"""Returns the present moment, aware and in UTC."""


def system_clock() -> datetime:
    """Return the machine's present moment in UTC."""
    return datetime.now(UTC)


class ManualClock:
    """A manual clock stands still until it is told to move."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def __call__(self) -> datetime:
        return self._now

    def advance(self, seconds: float) -> None:
        """Move forward by `seconds`; raises ValueError for a negative number."""
        if seconds < 0:
            raise ValueError("a clock does not run backwards")
        self._now += timedelta(seconds=seconds)


def wire_time(moment: datetime) -> str:
    """Return `2026-01-31T18:04:26Z` (ConnectWise writes UTC with second precision)."""
    return f"{moment.replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def wire_date(day: date) -> str:
    """Return a calendar day as ConnectWise writes it: midnight with a Z."""
    return f"{day.isoformat()}T00:00:00Z"


def day_of(text: str) -> date:
    """Return the calendar day of a wire time; raises ValueError for any other text."""
    return date.fromisoformat(text[:10])
