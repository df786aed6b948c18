"""A watermark is the time up to which the changes of a kind are stored, by the earlier clock.

ConnectWise dates changes by its own clock, which it shows with each answer. Either clock may be
wrong: the earlier of the two keeps every change in reach, and our own time is the latest mark.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

OVERLAP = timedelta(minutes=10)
"""A delta run reaches back behind the watermark, for what was stored with an earlier date."""
TOLERANCE = timedelta(minutes=5)
"""Clocks that differ by less count as equal."""
LONGEST_FALL = timedelta(days=1)
"""A clock is followed back by no more: beyond, the nightly comparison finds what changed."""
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""All changes that are asked for are younger; a clock that says otherwise is wrong."""


def earlier_clock(
    server_time: datetime, own_time: datetime, known_ahead: timedelta = timedelta()
) -> datetime:
    """Return the watermark of a run that began at these times of the two clocks.

    A single answer may be dated wrongly, or not at all. So a server that was behind when it was
    seen last, by a negative ``known_ahead``, counts as behind still.
    """
    last_known = own_time + max(min(known_ahead, timedelta()), EARLIEST - own_time)
    return max(min(server_time, own_time, last_known), EARLIEST)


def clock_ahead(server_time: datetime, asked_at: datetime, answered_at: datetime) -> timedelta:
    """Return how far a server's clock is ahead of ours, negative where it is behind.

    It told its time somewhen between two moments of ours, which may be minutes apart.
    """
    ahead, behind = server_time - answered_at, server_time - asked_at
    return max(ahead, timedelta()) or min(behind, timedelta())


def fallen_back(known_ahead: timedelta, ahead: timedelta) -> timedelta:
    """Return by how much a server's clock fell back since it was seen last, LONGEST_FALL at most.

    Its changes are dated earlier by so much from then on, behind a watermark of before.
    """
    fall = known_ahead - ahead
    return min(fall, LONGEST_FALL) if fall > TOLERANCE else timedelta()


def is_to_come(watermark: datetime, now: datetime) -> bool:
    """Tell whether a watermark is wrong, because its time is yet to come."""
    return watermark > now + TOLERANCE


def start_of_changes(watermark: datetime | None, now: datetime) -> datetime | None:
    """Return the time from which a delta run takes changes, None for all of them.

    None lets its watermark move from wherever a wrong clock left it.
    """
    if watermark is None or watermark <= EARLIEST or is_to_come(watermark, now):
        return None
    return watermark - OVERLAP
