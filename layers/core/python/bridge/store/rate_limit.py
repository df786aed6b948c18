"""The limiter spaces the calls to one tenant: two schedules for all workers, each a moving point in
time.

A point is the time at which the schedule's next call may be made. A worker that takes a call moves
the point on by one interval and waits until where it stood; a point that lies in the past is first
brought up to now, less a small allowance for bursts. When the SDK repeats an update whose answer
was lost, one call too many is counted and the tenant waits a moment longer.

One schedule is common to all calls, the other is reserved for write-backs, so that payments pass
imports by. Both together stay within the tenant's calls.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from bridge.domain.errors import ThrottledError
from bridge.ports import CallPurpose, Clock
from bridge.store import keys
from bridge.store.attributes import Item
from bridge.store.errors import ConditionFailedError
from bridge.store.expressions import Condition
from bridge.store.table import Table

_MAX_ATTEMPTS = 8
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


class DynamoRateLimiter:
    """The coordination table fulfils :class:`bridge.ports.RateLimiter`."""

    def __init__(self, table: Table, clock: Clock, settings: RateSettings | None = None) -> None:
        self._table = table
        self._clock = clock
        self._settings = settings or RateSettings()

    def acquire(self, connection_id: str, purpose: CallPurpose = CallPurpose.MIRROR) -> float:
        refused = ThrottledError("the share of calls is contended")
        for schedule, longest_seconds in self._settings.offers(purpose):
            try:
                return self._take(connection_id, schedule, longest_seconds)
            except ThrottledError as error:
                refused = error
        raise refused

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

    def _take(self, connection_id: str, schedule: Schedule, longest_seconds: float) -> float:
        """Take a turn in the schedule and return its wait."""
        interval_ms = _interval_ms(schedule)
        for _ in range(_MAX_ATTEMPTS):
            now_ms = self._now_ms()
            latest_ms = now_ms + math.ceil(longest_seconds * _MS)
            free_ms = self._move_on(connection_id, schedule, now_ms, latest_ms)
            if free_ms is None:
                free_ms = self._begin(connection_id, schedule, now_ms)
            if free_ms is not None:
                return max(0, free_ms - interval_ms - now_ms) / _MS
        raise ThrottledError("the share of calls is contended")

    def _move_on(
        self, connection_id: str, schedule: Schedule, now_ms: int, latest_ms: int
    ) -> int | None:
        """Take a turn behind others; return None for a schedule that lies in the past."""
        point = f"#{schedule.name}"
        condition = Condition(
            f"{point} BETWEEN :floor AND :latest",
            {"floor": _floor_ms(schedule, now_ms), "latest": latest_ms},
        )
        change = f"SET {point} = {point} + :interval"
        values = {"interval": _interval_ms(schedule)}
        try:
            return self._set(connection_id, schedule, change, values, condition)
        except ConditionFailedError as error:
            next_free_ms = _point_of(schedule, error.found.get(0, {}))
            if next_free_ms > latest_ms:
                wait_seconds = (next_free_ms - now_ms) / _MS
                raise ThrottledError(
                    "the share of calls is used up", retry_after_seconds=wait_seconds
                ) from error
            return None

    def _begin(self, connection_id: str, schedule: Schedule, now_ms: int) -> int | None:
        """Start the schedule anew after a quiet time; return None if another worker was first."""
        point, floor_ms = f"#{schedule.name}", _floor_ms(schedule, now_ms)
        is_quiet = Condition(
            f"attribute_not_exists({point}) OR {point} < :floor", {"floor": floor_ms}
        )
        values = {"next": floor_ms + _interval_ms(schedule)}
        try:
            return self._set(connection_id, schedule, f"SET {point} = :next", values, is_quiet)
        except ConditionFailedError:
            return None

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
        return _point_of(schedule, after)

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
