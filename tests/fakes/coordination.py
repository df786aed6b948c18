"""The rate limiter and the signing keys in memory."""

from __future__ import annotations

from datetime import datetime

from bridge.domain.errors import ThrottledError
from bridge.ports import Clock
from bridge.store.rate_limit import RateSettings
from bridge.store.signing_keys import SIGNING_KEY_LIFE


class InMemoryRateLimiter:
    """One schedule a connection: the second at which the next call is due."""

    def __init__(self, clock: Clock, settings: RateSettings | None = None) -> None:
        self._clock = clock
        self._settings = settings or RateSettings()
        self._due_at: dict[str, float] = {}

    def acquire(self, connection_id: str) -> float:
        now = self._clock.now().timestamp()
        interval_seconds = 60 / self._settings.calls_per_minute
        earliest = now - (self._settings.burst - 1) * interval_seconds
        due_at = max(self._due_at.get(connection_id, earliest), earliest)
        if due_at - now > self._settings.max_wait_seconds:
            raise ThrottledError("the share is used up", retry_after_seconds=due_at - now)
        self._due_at[connection_id] = due_at + interval_seconds
        return max(0.0, due_at - now)

    def pause(self, connection_id: str, *, seconds: float) -> None:
        until = self._clock.now().timestamp() + seconds
        self._due_at[connection_id] = max(self._due_at.get(connection_id, until), until)


class InMemorySigningKeyStore:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._stored: dict[tuple[str, str], tuple[str, datetime]] = {}

    def get(self, connection_id: str, key_url: str) -> str | None:
        key, ends_at = self._stored.get((connection_id, key_url), (None, self._clock.now()))
        return key if ends_at > self._clock.now() else None

    def put(self, connection_id: str, key_url: str, key: str) -> None:
        self._stored[connection_id, key_url] = (key, self._clock.now() + SIGNING_KEY_LIFE)
