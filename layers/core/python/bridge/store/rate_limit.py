"""A tenant's share of calls: one schedule for all workers, kept as one moving point in time.

``next_free_ms`` is when the next call may be made. A worker that takes calls moves the point on
by their share of time and waits until where it stood; a point that lies in the past is first
brought up to now, less a small allowance for bursts. When the SDK repeats an update whose answer
was lost, a call too many is counted: the tenant waits a moment longer, nothing else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from bridge.domain.errors import InvalidInputError, ThrottledError
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
    """``burst`` calls may be made at once after a quiet time. Nobody is told to wait longer than
    ``max_wait_seconds``: instead nothing is taken and the call is refused with the wait."""

    calls_per_minute: int = 900
    burst: int = 15
    max_wait_seconds: float = 60.0

    @property
    def interval_ms(self) -> float:
        return 60 * _MS / self.calls_per_minute


class DynamoRateLimiter:
    """The schedules in the coordination table; see :class:`bridge.ports.RateLimiter`."""

    def __init__(self, table: Table, clock: Clock, settings: RateSettings | None = None) -> None:
        self._table = table
        self._clock = clock
        self._settings = settings or RateSettings()

    def acquire(self, connection_id: str, *, calls: int = 1) -> float:
        """Raises ThrottledError, taking nothing, when the wait would be too long."""
        if calls < 1:
            raise InvalidInputError("at least one call is taken", field="calls")
        share_ms = math.ceil(calls * self._settings.interval_ms)
        for _ in range(_MAX_ATTEMPTS):
            now_ms = self._now_ms()
            free_ms = self._move_on(connection_id, now_ms, share_ms)
            if free_ms is None:
                free_ms = self._begin(connection_id, now_ms, share_ms)
            if free_ms is not None:
                return max(0, free_ms - share_ms - now_ms) / _MS
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

    def _move_on(self, connection_id: str, now_ms: int, share_ms: int) -> int | None:
        """Take a turn behind others; None when the schedule lies in the past."""
        latest_ms = now_ms + math.ceil(self._settings.max_wait_seconds * _MS)
        condition = Condition(
            "#next_free_ms BETWEEN :floor AND :latest",
            {"floor": self._floor_ms(now_ms), "latest": latest_ms},
        )
        change = "SET #next_free_ms = #next_free_ms + :share"
        try:
            return self._set(connection_id, change, {"share": share_ms}, condition)
        except ConditionFailedError as error:
            next_free_ms = _next_free_ms(error.found.get(0, {}))
            if next_free_ms > latest_ms:
                wait_seconds = (next_free_ms - now_ms) / _MS
                raise ThrottledError(
                    "the share of calls is used up", retry_after_seconds=wait_seconds
                ) from error
            return None

    def _begin(self, connection_id: str, now_ms: int, share_ms: int) -> int | None:
        """Start the schedule anew after a quiet time; None when another worker was first."""
        floor_ms = self._floor_ms(now_ms)
        is_quiet = Condition(
            "attribute_not_exists(#pk) OR #next_free_ms < :floor", {"floor": floor_ms}
        )
        values = {"next": floor_ms + share_ms}
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
        """A call is due every interval; a burst uses those that were not made before now."""
        return now_ms - math.floor((self._settings.burst - 1) * self._settings.interval_ms)

    def _now_ms(self) -> int:
        return int(self._clock.now().timestamp() * _MS)


def _next_free_ms(item: Item) -> int:
    value = item.get("next_free_ms", 0)
    return value if isinstance(value, int) else 0
