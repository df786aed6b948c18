"""The intake checks a callback and stores it durably as a hint to fetch the record again.

Imports stay lean, because this is the one path where ConnectWise waits (five seconds at most).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING

from bridge.connectwise.callbacks import (
    MAX_BODY_BYTES,
    CallbackHint,
    CallbackRejectedError,
    Rejection,
    check_key_url,
    check_secret,
    check_signature,
    parse_callback,
)
from bridge.domain.errors import RetryableError, ThrottledError, UnsafeAddressError
from bridge.domain.hint import Hint, HintReason
from bridge.domain.identity import is_platform_id

if TYPE_CHECKING:
    from bridge.domain.callback_endpoint import CallbackEndpoint
    from bridge.ports import (
        CallbackEndpointStore,
        Clock,
        HintQueue,
        SigningKeySource,
        SigningKeyStore,
    )

KEY_LIFE = timedelta(hours=1)
KEY_REFETCH_AFTER = timedelta(minutes=1)
MAX_KEYS_IN_MEMORY = 500
MAX_FAILED_CHECKS = 5
"""A connection's callbacks may fail so often a minute before new keys are refused."""
MAX_FETCH_TIME = timedelta(seconds=20)
"""Fetching a connection's keys may take so much of a minute."""
_MINUTE = timedelta(minutes=1)

_logger = logging.getLogger(__name__)


class Verdict(Enum):
    """A verdict is the status that the sender gets.

    ConnectWise repeats a delivery on 404 and 429 only (developer guide, callbacks), so a failure
    on our side answers 429.
    """

    ACCEPTED = 204
    MALFORMED = 400
    FORGED = 401
    UNKNOWN = 404
    TOO_LARGE = 413
    AGAIN = 429


@dataclass(frozen=True, slots=True)
class Callback:
    """A callback is one delivery of ConnectWise's as it came."""

    connection_id: str
    """From the path, as the secret is."""
    secret: str
    body: bytes
    """The raw body, which the signature is for."""
    signature: str | None
    """The signature header."""


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


class CallbackIntake:
    """The intake checks callbacks and turns good ones into hints.

    ``key_source`` is made only when a key has to be fetched: it brings an HTTP client along.
    """

    def __init__(
        self,
        *,
        endpoints: CallbackEndpointStore,
        keys: SigningKeyStore,
        key_source: Callable[[], SigningKeySource],
        hints: HintQueue,
        clock: Clock,
        allow_loopback: bool = False,
    ) -> None:
        self._endpoints = endpoints
        self._keys = keys
        self._key_source = key_source
        self._hints = hints
        self._clock = clock
        self._allow_loopback = allow_loopback
        self._memory: dict[tuple[str, str], _KnownKey] = {}
        self._budgets: dict[str, KeyBudget] = {}

    def take(self, callback: Callback) -> Verdict:
        """Accept a callback once it is durable, or return the verdict against it.

        An unknown connection and a wrong secret look the same. A callback about anything but
        invoices and companies is accepted and dropped.
        """
        try:
            return self._take(callback)
        except CallbackRejectedError as error:
            _logger.warning("callback rejected: %s", error.reason.value)
            return _VERDICTS.get(error.reason, Verdict.MALFORMED)
        except UnsafeAddressError:
            _logger.warning("callback rejected: key_url")
            return Verdict.FORGED
        except RetryableError as error:
            _logger.warning("callback put off: %s", type(error).__name__)
            return Verdict.AGAIN

    def _take(self, callback: Callback) -> Verdict:
        if len(callback.body) > MAX_BODY_BYTES:
            raise CallbackRejectedError(Rejection.TOO_LARGE)
        is_id = is_platform_id(callback.connection_id)
        endpoint = self._endpoints.get(callback.connection_id) if is_id else None
        check_secret(callback.secret, endpoint.secret if endpoint else None)
        if endpoint is None:
            raise CallbackRejectedError(Rejection.SECRET)
        hint = parse_callback(callback.body, endpoint.company_id)
        check_key_url(
            hint.key_url,
            endpoint.address,
            endpoint.company_id,
            allow_loopback=self._allow_loopback,
        )
        self._check_signature(endpoint, callback, hint)
        if hint.record_kind is not None:
            self._hints.send(
                [
                    Hint(
                        endpoint.connection_id,
                        hint.record_kind,
                        hint.source_id,
                        HintReason.CALLBACK,
                    )
                ]
            )
        return Verdict.ACCEPTED

    def _check_signature(
        self, endpoint: CallbackEndpoint, callback: Callback, hint: CallbackHint
    ) -> None:
        """Check with the key at hand; fetch the key once more after a mismatch: it may be new."""
        known = self._key_at_hand(endpoint, hint.key_url)
        if known is not None:
            try:
                return check_signature(callback.body, callback.signature, known.key)
            except CallbackRejectedError:
                if known.fetched_at + KEY_REFETCH_AFTER > self._clock.now():
                    raise
        budget = self._budgets.setdefault(endpoint.connection_id, KeyBudget(self._clock))
        budget.require()
        try:
            fetched = self._fetch_key(endpoint, hint.key_url, budget)
            check_signature(callback.body, callback.signature, fetched.key)
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
            key = self._key_source().fetch(endpoint, key_url)
        finally:
            budget.count_fetch(started_at)
        self._keys.put(endpoint.connection_id, key_url, key)
        return self._remember((endpoint.connection_id, key_url), _KnownKey(key, started_at))

    def _remember(self, source: tuple[str, str], known: _KnownKey) -> _KnownKey:
        if len(self._memory) >= MAX_KEYS_IN_MEMORY:
            self._memory.clear()
        self._memory[source] = known
        return known


_VERDICTS: dict[Rejection, Verdict] = {
    Rejection.SECRET: Verdict.UNKNOWN,
    Rejection.TOO_LARGE: Verdict.TOO_LARGE,
    Rejection.OTHER_COMPANY: Verdict.FORGED,
    Rejection.KEY_URL: Verdict.FORGED,
    Rejection.SIGNATURE: Verdict.FORGED,
}
