"""The mark of a record tells when it was read last, so that many hints cost few reads.

A hint is settled by a finished read that began SETTLING after it came: ConnectWise may show a
change some seconds after it called back. A hint that finds its record unread for a while has it
read at once; one that comes during a read, or soon after one, waits for a read that settles the
others that wait, too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

SETTLING = timedelta(seconds=5)
"""It covers the lag of ConnectWise's reads, up to 4 seconds, and a second between clocks."""
LONGEST_PATIENCE = timedelta(seconds=30)
"""A record that is hinted at all the time is read so long after its last read at the latest."""


@dataclass(frozen=True, slots=True)
class ReadMark:
    """A mark changes with each beginning and end of a read."""

    token: str = ""
    """It is new with every change, and empty for the mark of an unread record."""
    began_at: datetime | None = None
    """When the last finished read began."""
    reading_since: datetime | None = None
    """When the present read began; its reader alone ends it, or its time is over."""
    reading_until: datetime | None = None
    waiting_since: datetime | None = None
    """When the latest of the hints came that wait for a read."""

    def settles(self, came_at: datetime) -> bool:
        """Tell whether the last finished read answers a hint that came then."""
        return self.began_at is not None and self.began_at >= came_at + SETTLING

    def is_being_read(self, now: datetime) -> bool:
        return self.reading_until is not None and self.reading_until > now

    def next_read_at(self, came_at: datetime, now: datetime) -> datetime:
        """Return when a hint that came then may have the record read: ``now`` is at once."""
        if self.is_being_read(now):
            return now + SETTLING
        if self.began_at is None:
            return now
        latest = self.began_at + LONGEST_PATIENCE
        free_at = self.began_at + SETTLING
        if self.waiting_since is not None:
            free_at = max(free_at, min(self.waiting_since + SETTLING, latest))
        if free_at <= now:
            return now
        return max(free_at, min(came_at + SETTLING, latest))

    def waited_for(self, came_at: datetime, *, token: str) -> ReadMark:
        """Return the mark with one more hint that waits for a read."""
        since = max(self.waiting_since or came_at, came_at)
        return replace(self, token=token, waiting_since=since)

    def claimed(self, now: datetime, until: datetime, *, token: str) -> ReadMark:
        """Return the mark of a record whose read begins now."""
        return replace(
            self, token=token, reading_since=now, reading_until=until, waiting_since=None
        )

    def finished(self, *, token: str) -> ReadMark:
        """Return the mark after the present read."""
        return ReadMark(token, began_at=self.reading_since)

    def given_up(self, *, token: str) -> ReadMark:
        """Return the mark after a read that failed."""
        return ReadMark(token, began_at=self.began_at)

    def reads_early(self, came_at: datetime) -> bool:
        """Tell whether the present read began too early to settle a hint that came then."""
        return self.reading_since is not None and self.reading_since < came_at + SETTLING

    @property
    def reads_after_rest(self) -> bool:
        """Tell whether the record was left alone before the present read."""
        if self.began_at is None or self.reading_since is None:
            return True
        return self.reading_since - self.began_at >= 2 * SETTLING
