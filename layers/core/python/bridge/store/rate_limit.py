"""The limiter spaces the calls to one tenant: one schedule for all workers, a moving point in time.

``next_free_ms`` is the time at which the next call may be made. A worker that takes a call moves
the point on by one interval and waits until where it stood; a point that lies in the past is first
brought up to now, less a small allowance for bursts. When the SDK repeats an update whose answer
was lost, one call too many is counted and the tenant waits a moment longer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from bridge.domain.errors import ThrottledError
from bridge.ports import Clock
from bridge.store import keys
from bridge.store.attributes import Item
from bridge.store.errors import ConditionFailedError
from bridge.store.expressions import Condition
from bridge.store.table import Table

_MAX_ATTEMPTS = 8
_ITEM_LIFE_SECONDS = 86_400
_MS = 1000


@dataclass(frozen=True, slots=True)
class RateSettings:
    """The settings say how fast calls may follow each other."""

    calls_per_minute: int = 900
    burst: int = 15
    """Calls that may be made at once after a quiet time."""
    max_wait_seconds: float = 60.0
    """A call with a longer wait is refused with the wait, and leaves the schedule as it is."""

    @property
    def interval_ms(self) -> float:
        return 60 * _MS / self.calls_per_minute


class DynamoRateLimiter:
    """The coordination table fulfils :class:`bridge.ports.RateLimiter`."""

    def __init__(self, table: Table, clock: Clock, settings: RateSettings | None = None) -> None:
        self._table = table
        self._clock = clock
        self._settings = settings or RateSettings()

    def acquire(self, connection_id: str) -> float:
        interval_ms = math.ceil(self._settings.interval_ms)
        for _ in range(_MAX_ATTEMPTS):
            now_ms = self._now_ms()
            free_ms = self._move_on(connection_id, now_ms, interval_ms)
            if free_ms is None:
                free_ms = self._begin(connection_id, now_ms, interval_ms)
            if free_ms is not None:
                return max(0, free_ms - interval_ms - now_ms) / _MS
        raise ThrottledError("the share of calls is contended")

    def pause(self, connection_id: str, *, seconds: float) -> None:
        until_ms = self._now_ms() + math.ceil(seconds * _MS)
        is_earlier = Condition(
            "attribute_not_exists(#pk) OR #next_free_ms < :until", {"until": until_ms}
        )
        try:
            self._set(connection_id, "SET #next_free_ms = :until", {}, is_earlier)
        except ConditionFailedError:
            # Everybody waits longer than that already.
            return

    def _move_on(self, connection_id: str, now_ms: int, interval_ms: int) -> int | None:
        """Take a turn behind others; return None for a schedule that lies in the past."""
        latest_ms = now_ms + math.ceil(self._settings.max_wait_seconds * _MS)
        condition = Condition(
            "#next_free_ms BETWEEN :floor AND :latest",
            {"floor": self._floor_ms(now_ms), "latest": latest_ms},
        )
        change = "SET #next_free_ms = #next_free_ms + :interval"
        try:
            return self._set(connection_id, change, {"interval": interval_ms}, condition)
        except ConditionFailedError as error:
            next_free_ms = _next_free_ms(error.found.get(0, {}))
            if next_free_ms > latest_ms:
                wait_seconds = (next_free_ms - now_ms) / _MS
                raise ThrottledError(
                    "the share of calls is used up", retry_after_seconds=wait_seconds
                ) from error
            return None

    def _begin(self, connection_id: str, now_ms: int, interval_ms: int) -> int | None:
        """Start the schedule anew after a quiet time; return None if another worker was first."""
        floor_ms = self._floor_ms(now_ms)
        is_quiet = Condition(
            "attribute_not_exists(#pk) OR #next_free_ms < :floor", {"floor": floor_ms}
        )
        values = {"next": floor_ms + interval_ms}
        try:
            return self._set(connection_id, "SET #next_free_ms = :next", values, is_quiet)
        except ConditionFailedError:
            return None

    def _set(
        self, connection_id: str, change: str, values: dict[str, int], condition: Condition
    ) -> int:
        after = self._table.update(
            keys.rate_key(connection_id),
            f"{change}, #expires_at = :expires_at",
            {**values, "expires_at": self._now_ms() // _MS + _ITEM_LIFE_SECONDS},
            condition,
        )
        return _next_free_ms(after)

    def _floor_ms(self, now_ms: int) -> int:
        """Return the earliest point of a schedule: a burst uses the calls that were left out."""
        return now_ms - math.floor((self._settings.burst - 1) * self._settings.interval_ms)

    def _now_ms(self) -> int:
        return int(self._clock.now().timestamp() * _MS)


def _next_free_ms(item: Item) -> int:
    value = item.get("next_free_ms", 0)
    return value if isinstance(value, int) else 0
