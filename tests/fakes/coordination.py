"""The rate limiter, signing keys, partners' places and silent servers in memory."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from bridge.domain.call_turns import TURN_LIFE
from bridge.domain.callback_endpoint import CallbackEndpoint
from bridge.domain.errors import ThrottledError
from bridge.domain.hint import RecordKey
from bridge.domain.identity import new_id
from bridge.domain.job import Job
from bridge.domain.read_mark import ReadMark
from bridge.ports import Activity, CallPurpose, Clock, JobTurn, Place, Silence
from bridge.store.callback_keys import digest_of
from bridge.store.cursors import check_limit
from bridge.store.rate_limit import RateSettings, Schedule
from bridge.store.signing_keys import SIGNING_KEY_LIFE, WANTED_AGAIN_AFTER, WANTED_KEY_LIFE


class InMemoryRateLimiter:
    """Two schedules a connection: for each the second at which its next call is due.

    Fulfils ``CallSchedules``, and ``RateLimiter`` with a turn for each call.
    """

    def __init__(self, clock: Clock, settings: RateSettings | None = None) -> None:
        self._clock = clock
        self._settings = settings or RateSettings()
        self._due_at: dict[tuple[str, Schedule], float] = {}
        self.writes = 0
        self._lock = threading.Lock()

    def acquire(self, connection_id: str, purpose: CallPurpose = CallPurpose.MIRROR) -> float:
        (turn,) = self.take(connection_id, purpose, count=1)
        return max(0.0, (turn - self._clock.now()).total_seconds())

    def take(self, connection_id: str, purpose: CallPurpose, *, count: int) -> tuple[datetime, ...]:
        now = self._clock.now()
        wait = 0.0
        for schedule, longest_seconds in self._settings.offers(purpose):
            with self._lock:
                first_at = self._first_at(connection_id, schedule)
                wait = first_at - now.timestamp()
                if wait <= longest_seconds:
                    taken = min(count, schedule.most_together)
                    seconds = [wait + n * schedule.interval_seconds for n in range(taken + 1)]
                    self._due_at[connection_id, schedule] = now.timestamp() + seconds.pop()
                    self.writes += 1
                    return tuple(now + timedelta(seconds=each) for each in seconds)
        raise ThrottledError("the share is used up", retry_after_seconds=wait)

    def are_idle(self, connection_id: str) -> bool:
        over = (self._clock.now() - TURN_LIFE).timestamp()
        due = (self._due_at.get((connection_id, each), 0) for each in self._settings.schedules)
        return all(each < over for each in due)

    def _first_at(self, connection_id: str, schedule: Schedule) -> float:
        earliest = self._clock.now().timestamp() - (schedule.burst - 1) * schedule.interval_seconds
        return max(self._due_at.get((connection_id, schedule), earliest), earliest)

    def pause(self, connection_id: str, *, seconds: float) -> None:
        until = self._clock.now().timestamp() + seconds
        for schedule in self._settings.schedules:
            key = (connection_id, schedule)
            self._due_at[key] = max(self._due_at.get(key, until), until)


class InMemorySigningKeyStore:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._stored: dict[tuple[str, str], tuple[str, datetime]] = {}
        self._wanted: dict[tuple[str, str], tuple[str, datetime]] = {}

    def get(self, connection_id: str, key_url: str) -> str | None:
        key, ends_at = self._stored.get((connection_id, key_url), (None, self._clock.now()))
        return key if ends_at > self._clock.now() else None

    def put(self, connection_id: str, key_url: str, key: str) -> None:
        self._stored[connection_id, key_url] = (key, self._clock.now() + SIGNING_KEY_LIFE)

    def want(self, connection_id: str, key_url: str) -> str | None:
        digest, now = digest_of(key_url), self._clock.now()
        noted = self._wanted.get((connection_id, digest))
        if noted is not None and noted[1] + WANTED_AGAIN_AFTER > now:
            return None
        self._wanted[connection_id, digest] = (key_url, now)
        return digest

    def wanted_url(self, connection_id: str, key_digest: str) -> str | None:
        never = self._clock.now() - timedelta(days=1)
        key_url, noted_at = self._wanted.get((connection_id, key_digest), (None, never))
        return key_url if noted_at + WANTED_KEY_LIFE > self._clock.now() else None


class InMemoryKeySource:
    """Where ConnectWise keeps a signing key; ``error`` is raised instead, and ``asked`` counts."""

    def __init__(self, key: str = "signing-key-1") -> None:
        self.key = key
        self.error: Exception | None = None
        self.asked: list[str] = []

    def fetch(self, endpoint: CallbackEndpoint, key_url: str) -> str:
        self.asked.append(key_url)
        if self.error:
            raise self.error
        return self.key


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


class InMemoryJobTurns:
    def __init__(self) -> None:
        self.kept: dict[tuple[str, Job], JobTurn] = {}
        self.writes = 0
        self._lock = threading.Lock()

    def get(self, connection_id: str, job: Job) -> JobTurn | None:
        return self.kept.get((connection_id, job))

    def put(self, turn: JobTurn, *, replaces: str | None) -> bool:
        with self._lock:
            kept = self.kept.get((turn.connection_id, turn.job))
            if (kept.token if kept else None) != replaces:
                return False
            self.kept[turn.connection_id, turn.job] = turn
            self.writes += 1
        return True

    def end(self, turn: JobTurn) -> None:
        with self._lock:
            kept = self.kept.get((turn.connection_id, turn.job))
            if kept is not None and kept.token == turn.token:
                del self.kept[turn.connection_id, turn.job]
                self.writes += 1


class InMemoryReadMarks:
    """``writes`` counts the attempts to change a mark."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, RecordKey], ReadMark] = {}
        self.writes = 0
        self._lock = threading.Lock()

    def get(
        self, connection_id: str, records: Collection[RecordKey]
    ) -> Mapping[RecordKey, ReadMark]:
        return {each: self.kept.get((connection_id, each), ReadMark()) for each in records}

    def put(self, connection_id: str, record: RecordKey, mark: ReadMark, *, replaces: str) -> bool:
        with self._lock:
            self.writes += 1
            kept = self.kept.get((connection_id, record), ReadMark())
            if kept.token != replaces:
                return False
            self.kept[connection_id, record] = mark
            return True


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
