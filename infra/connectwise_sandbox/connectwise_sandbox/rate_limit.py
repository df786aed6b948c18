"""A rate limit throttles clients (ConnectWise: at about 1,000 requests a minute)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

MAX_CLIENTS = 1_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: datetime


class RateLimit:
    """A rate limit keeps a token bucket of one minute's allowance for each clientId."""

    def __init__(self) -> None:
        self._buckets: dict[str, _Bucket] = {}

    def take_token(self, client_id: str, now: datetime, per_minute: int) -> int:
        """Take one token and return 0, or return the whole seconds until the next token."""
        if per_minute == 0:
            return 0
        bucket = self._bucket(client_id, now, per_minute)
        elapsed_seconds = (now - bucket.filled_at).total_seconds()
        bucket.tokens = min(per_minute, bucket.tokens + elapsed_seconds * per_minute / 60)
        bucket.filled_at = now
        if bucket.tokens >= 1:
            bucket.tokens -= 1
            return 0
        return max(1, math.ceil((1 - bucket.tokens) * 60 / per_minute))

    def _bucket(self, client_id: str, now: datetime, per_minute: int) -> _Bucket:
        bucket = self._buckets.get(client_id)
        if bucket is None:
            if len(self._buckets) >= MAX_CLIENTS:
                self._buckets.pop(next(iter(self._buckets)))
            bucket = self._buckets[client_id] = _Bucket(per_minute, now)
        return bucket
