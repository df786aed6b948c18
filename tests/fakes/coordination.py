"""The rate limiter, signing keys, partners' places and silent servers in memory."""

from __future__ import annotations

import threading
from datetime import datetime

from bridge.domain.errors import ThrottledError
from bridge.domain.identity import new_id
from bridge.ports import Activity, Clock, Place, Silence
from bridge.store.cursors import check_limit
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


class InMemoryPartnerPlaces:
    """``held`` are the places that are taken, each with the end of its time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.held: dict[tuple[str, str, int], tuple[Place, datetime]] = {}
        self._lock = threading.Lock()

    def take(
        self, partner_id: str, activity: Activity, *, places: int, until: datetime
    ) -> Place | None:
        with self._lock:
            for number in range(places):
                held = self.held.get((partner_id, activity, number))
                if held is None or held[1] <= self._clock.now():
                    place = Place(partner_id, activity, number, new_id())
                    self.held[partner_id, activity, number] = (place, until)
                    return place
        return None

    def release(self, place: Place) -> None:
        with self._lock:
            key = (place.partner_id, place.activity, place.number)
            held = self.held.get(key)
            if held is not None and held[0] == place:
                del self.held[key]


class InMemorySilenceStore:
    def __init__(self) -> None:
        self._kept: dict[str, Silence] = {}

    def get(self, connection_id: str) -> Silence | None:
        return self._kept.get(connection_id)

    def list(self, *, limit: int) -> tuple[Silence, ...]:
        check_limit(limit)
        return tuple(self._kept[each] for each in sorted(self._kept))[:limit]

    def put(self, silence: Silence, *, replaces: str | None) -> bool:
        kept = self._kept.get(silence.connection_id)
        if (kept.token if kept else None) != replaces:
            return False
        self._kept[silence.connection_id] = silence
        return True

    def clear(self, connection_id: str) -> None:
        self._kept.pop(connection_id, None)
