"""Things that many ask for have shares, so that a flood of one leaves room for the others."""

from __future__ import annotations

from datetime import datetime, timedelta

from bridge.domain.errors import ShareUsedUpError

MAX_HOLDERS = 5_000


class Shares:
    """Each holder, a partner or a connection, may ask so often a second, and once a burst.

    Shares are counted in this process alone, for the holders of the latest requests.
    """

    def __init__(self, *, per_second: int, burst: int, max_holders: int = MAX_HOLDERS) -> None:
        self._interval = timedelta(seconds=1) / per_second
        self._burst = self._interval * burst
        self._max_holders = max_holders
        self._whole_at: dict[str, datetime] = {}
        """The time at which each holder's share is whole again, the latest request last."""

    def take(self, holder: str, now: datetime) -> None:
        """Count one request. Raises ShareUsedUpError, with the wait, once the share is used up."""
        whole_at = min(max(self._whole_at.pop(holder, now), now), now + self._burst)
        wait = whole_at + self._interval - now - self._burst
        is_left = wait <= timedelta()
        self._whole_at[holder] = whole_at + self._interval if is_left else whole_at
        if len(self._whole_at) > self._max_holders:
            del self._whole_at[next(iter(self._whole_at))]
        if not is_left:
            raise ShareUsedUpError("asked too often", retry_after_seconds=wait.total_seconds())
