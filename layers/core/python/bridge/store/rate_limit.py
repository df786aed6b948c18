"""The limiter spaces the calls to one tenant: two schedules for all workers, each a moving point in
time.

A point is the time at which the schedule's next call may be made. A worker that takes turns moves
the point on by one interval for each, the first of which comes where it stood; a point that lies in
the past is first brought up to now, less a small allowance for bursts. When the SDK repeats an
update whose answer was lost, the turns count twice and the tenant waits a moment longer.

One schedule is common to all calls, the other is reserved for write-backs, so that payments pass
imports by. Both together stay within the tenant's calls.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bridge.domain.call_turns import MOST_TURNS, TURN_LIFE
from bridge.domain.errors import ThrottledError
from bridge.ports import CallPurpose, Clock
from bridge.store import keys
from bridge.store.attributes import Item
from bridge.store.errors import ConditionFailedError
from bridge.store.expressions import Condition
from bridge.store.table import Table

_MAX_ATTEMPTS = 8
_MAX_SEEN = 1_000
_ITEM_LIFE_SECONDS = 86_400
_MS = 1000


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule says how fast some of a tenant's calls may follow each other."""

    name: str
    """The attribute that holds its point in time."""
    calls_per_minute: int
    burst: int
    """Calls that may be made at once after a quiet time."""

    @property
    def interval_seconds(self) -> float:
        return 60 / self.calls_per_minute

    @property
    def most_together(self) -> int:
        """Return how many turns may be taken together: they come due within a turn's life."""
        return max(1, min(MOST_TURNS, int(TURN_LIFE.total_seconds() / self.interval_seconds)))


@dataclass(frozen=True, slots=True)
class RateSettings:
    """The settings say how a tenant's calls are shared out: 900 a minute, 15 at once."""

    common: Schedule = Schedule("next_free_ms", calls_per_minute=720, burst=12)
    reserved: Schedule = Schedule("next_reserved_ms", calls_per_minute=180, burst=3)
    """The calls that are kept for write-backs."""
    max_wait_seconds: float = 60.0
    """A call with a longer wait is refused with the wait, and leaves the schedule as it is."""

    @property
    def schedules(self) -> tuple[Schedule, ...]:
        return self.common, self.reserved

    def offers(self, purpose: CallPurpose) -> Iterator[tuple[Schedule, float]]:
        """Yield the schedules for a purpose, each with the seconds worth waiting in it.

        A write-back that finds its reserve used up stands behind an import for as long at most as
        the reserve takes to be free again.
        """
        if purpose is CallPurpose.WRITE_BACK:
            yield self.reserved, 0.0
            yield self.common, self.reserved.interval_seconds
            yield self.reserved, self.max_wait_seconds
        else:
            yield self.common, self.max_wait_seconds


class DynamoCallSchedules:
    """The coordination table fulfils :class:`bridge.ports.CallSchedules`.

    A worker remembers the points that it saw last. They only move on, so that they tell it which
    update may succeed: mostly the first one does.
    """

    def __init__(self, table: Table, clock: Clock, settings: RateSettings | None = None) -> None:
        self._table = table
        self._clock = clock
        self._settings = settings or RateSettings()
        self._seen_ms: dict[tuple[str, str], int] = {}

    def take(self, connection_id: str, purpose: CallPurpose, *, count: int) -> tuple[datetime, ...]:
        refused = ThrottledError("the share of calls is contended")
        for schedule, longest_seconds in self._settings.offers(purpose):
            try:
                return self._take(connection_id, schedule, longest_seconds, count)
            except ThrottledError as error:
                refused = error
        raise refused

    def are_idle(self, connection_id: str) -> bool:
        item = self._table.get(keys.rate_key(connection_id)) or {}
        over_ms = self._now_ms() - TURN_LIFE // timedelta(milliseconds=1)
        return all(_point_of(each, item) < over_ms for each in self._settings.schedules)

    def pause(self, connection_id: str, *, seconds: float) -> None:
        until_ms = self._now_ms() + math.ceil(seconds * _MS)
        for schedule in self._settings.schedules:
            point = f"#{schedule.name}"
            is_earlier = Condition(
                f"attribute_not_exists({point}) OR {point} < :until", {"until": until_ms}
            )
            try:
                self._set(connection_id, schedule, f"SET {point} = :until", {}, is_earlier)
            except ConditionFailedError:
                # Everybody waits longer than that already.
                continue

    def _take(
        self, connection_id: str, schedule: Schedule, longest_seconds: float, count: int
    ) -> tuple[datetime, ...]:
        """Take turns in the schedule, the first of which comes soon enough."""
        interval_ms, count = _interval_ms(schedule), min(count, schedule.most_together)
        for _ in range(_MAX_ATTEMPTS):
            now_ms = self._now_ms()
            latest_ms = now_ms + math.ceil(longest_seconds * _MS)
            seen_ms = self._seen_ms.get((connection_id, schedule.name), 0)
            if seen_ms > latest_ms:
                wait_seconds = (seen_ms - now_ms) / _MS
                raise ThrottledError(
                    "the share of calls is used up", retry_after_seconds=wait_seconds
                )
            added_ms = count * interval_ms
            floor_ms = _floor_ms(schedule, now_ms)
            try:
                if seen_ms < floor_ms:
                    free_ms = self._begin(connection_id, schedule, floor_ms, added_ms)
                else:
                    free_ms = self._move_on(connection_id, schedule, floor_ms, latest_ms, added_ms)
            except ConditionFailedError as error:
                self._see(connection_id, schedule, error.found.get(0, {}))
                continue
            starts_ms = range(free_ms - added_ms, free_ms, interval_ms)
            return tuple(datetime.fromtimestamp(each / _MS, UTC) for each in starts_ms)
        raise ThrottledError("the share of calls is contended")

    def _move_on(
        self, connection_id: str, schedule: Schedule, floor_ms: int, latest_ms: int, added_ms: int
    ) -> int:
        """Take turns behind others, in a busy schedule; return its new point."""
        point = f"#{schedule.name}"
        is_busy = Condition(
            f"{point} BETWEEN :floor AND :latest", {"floor": floor_ms, "latest": latest_ms}
        )
        change = f"SET {point} = {point} + :added"
        return self._set(connection_id, schedule, change, {"added": added_ms}, is_busy)

    def _begin(self, connection_id: str, schedule: Schedule, floor_ms: int, added_ms: int) -> int:
        """Start the schedule anew after a quiet time; return its new point."""
        point = f"#{schedule.name}"
        is_quiet = Condition(
            f"attribute_not_exists({point}) OR {point} < :floor", {"floor": floor_ms}
        )
        values = {"next": floor_ms + added_ms}
        return self._set(connection_id, schedule, f"SET {point} = :next", values, is_quiet)

    def _set(
        self,
        connection_id: str,
        schedule: Schedule,
        change: str,
        values: dict[str, int],
        condition: Condition,
    ) -> int:
        after = self._table.update(
            keys.rate_key(connection_id),
            f"{change}, #expires_at = :expires_at",
            {**values, "expires_at": self._now_ms() // _MS + _ITEM_LIFE_SECONDS},
            condition,
        )
        return self._see(connection_id, schedule, after)

    def _see(self, connection_id: str, schedule: Schedule, item: Item) -> int:
        """Remember the schedule's point, which an item of the table shows, and return it."""
        if len(self._seen_ms) >= _MAX_SEEN:
            self._seen_ms.clear()
        point_ms = _point_of(schedule, item)
        self._seen_ms[connection_id, schedule.name] = point_ms
        return point_ms

    def _now_ms(self) -> int:
        return int(self._clock.now().timestamp() * _MS)


def _interval_ms(schedule: Schedule) -> int:
    return math.ceil(schedule.interval_seconds * _MS)


def _floor_ms(schedule: Schedule, now_ms: int) -> int:
    """Return the earliest point of a schedule: a burst uses the calls that were left out."""
    return now_ms - math.floor((schedule.burst - 1) * schedule.interval_seconds * _MS)


def _point_of(schedule: Schedule, item: Item) -> int:
    value = item.get(schedule.name, 0)
    return value if isinstance(value, int) else 0
