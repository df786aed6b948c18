"""The signature of a callback is checked with a key that is kept, or fetched within a budget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bridge.connectwise.callbacks import CallbackRejectedError, check_signature
from bridge.domain.errors import KeyWithheldError, RetryableError, ThrottledError
from bridge.domain.work_messages import SigningKeyRequest

if TYPE_CHECKING:
    from bridge.domain.callback_endpoint import CallbackEndpoint
    from bridge.ports import Clock, SigningKeyQueue, SigningKeySource, SigningKeyStore

KEY_LIFE = timedelta(hours=1)
KEY_REFETCH_AFTER = timedelta(minutes=1)
MAX_KEYS_IN_MEMORY = 500
MAX_FAILED_CHECKS = 5
"""A connection's callbacks may fail so often a minute before new keys are refused."""
MAX_FETCH_TIME = timedelta(seconds=20)
"""Fetching a connection's keys may take so much of a minute."""
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class _KnownKey:
    key: str
    fetched_at: datetime


class KeyBudget:
    """The budget of one connection bounds the fetching of keys within a minute, in one process.

    It keeps whoever knows the path's secret alone from making us call ConnectWise at will.
    ConnectWise may sign every delivery with a key of its own, so failed checks count, and the
    time that fetching took; a genuine callback costs its time alone.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures: list[datetime] = []
        self._fetches: list[tuple[datetime, timedelta]] = []

    def require(self) -> None:
        """Raise ThrottledError once the last minute's budget is used up."""
        since = self._clock.now() - _MINUTE
        self._failures = [at for at in self._failures if at > since]
        self._fetches = [fetch for fetch in self._fetches if fetch[0] > since]
        spent = sum((took for _, took in self._fetches), timedelta())
        if len(self._failures) >= MAX_FAILED_CHECKS or spent >= MAX_FETCH_TIME:
            raise ThrottledError("too many signing keys asked for", retry_after_seconds=60)

    def count_failure(self) -> None:
        """Count a callback that failed its check with a key that was fetched for it."""
        self._failures.append(self._clock.now())

    def count_fetch(self, started_at: datetime) -> None:
        """Count the time that a fetch took; quick ones of a minute stay few enough to keep."""
        now = self._clock.now()
        if now > started_at:
            self._fetches.append((now, now - started_at))


class SignatureCheck:
    """A key comes from memory, from the store, or from ConnectWise if that serves it to everybody.

    One that it serves to API members only is asked of a worker, which has a member's keys.
    ``source`` is made only when a key has to be fetched: it brings an HTTP client along.
    """

    def __init__(
        self,
        *,
        keys: SigningKeyStore,
        source: Callable[[], SigningKeySource],
        requests: SigningKeyQueue,
        clock: Clock,
    ) -> None:
        self._keys = keys
        self._source = source
        self._requests = requests
        self._clock = clock
        self._memory: dict[tuple[str, str], _KnownKey] = {}
        self._budgets: dict[str, KeyBudget] = {}

    def check(
        self, endpoint: CallbackEndpoint, key_url: str, body: bytes, signature: str | None
    ) -> None:
        """Check with the key at hand; fetch the key once more after a mismatch: it may be new.

        Raises CallbackRejectedError, and RetryableError while the key is still to come.
        """
        known = self._key_at_hand(endpoint, key_url)
        if known is not None:
            try:
                return check_signature(body, signature, known.key)
            except CallbackRejectedError:
                if known.fetched_at + KEY_REFETCH_AFTER > self._clock.now():
                    raise
        budget = self._budgets.setdefault(endpoint.connection_id, KeyBudget(self._clock))
        budget.require()
        try:
            fetched = self._fetch_key(endpoint, key_url, budget)
            check_signature(body, signature, fetched.key)
        except (CallbackRejectedError, RetryableError):
            budget.count_failure()
            raise

    def _key_at_hand(self, endpoint: CallbackEndpoint, key_url: str) -> _KnownKey | None:
        source = (endpoint.connection_id, key_url)
        known = self._memory.get(source)
        now = self._clock.now()
        if known is not None and known.fetched_at + KEY_LIFE > now:
            return known
        stored = self._keys.get(endpoint.connection_id, key_url)
        if stored is None:
            return None
        # The time of its fetch is unknown: taken for long ago, so that a mismatch asks again.
        return self._remember(source, _KnownKey(stored, now - KEY_REFETCH_AFTER))

    def _fetch_key(self, endpoint: CallbackEndpoint, key_url: str, budget: KeyBudget) -> _KnownKey:
        started_at = self._clock.now()
        try:
            key = self._source().fetch(endpoint, key_url)
        except KeyWithheldError:
            self._ask_worker(endpoint, key_url)
            raise
        finally:
            budget.count_fetch(started_at)
        self._keys.put(endpoint.connection_id, key_url, key)
        return self._remember((endpoint.connection_id, key_url), _KnownKey(key, started_at))

    def _ask_worker(self, endpoint: CallbackEndpoint, key_url: str) -> None:
        """Ask once a minute for the same key."""
        digest = self._keys.want(endpoint.connection_id, key_url)
        if digest is not None:
            self._requests.send(
                SigningKeyRequest(endpoint.partner_id, endpoint.connection_id, digest)
            )

    def _remember(self, source: tuple[str, str], known: _KnownKey) -> _KnownKey:
        if len(self._memory) >= MAX_KEYS_IN_MEMORY:
            self._memory.clear()
        self._memory[source] = known
        return known
