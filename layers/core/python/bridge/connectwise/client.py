"""The client calls ConnectWise for one connection and sorts the answers into errors.

It signs, spaces, repeats and counts the calls. Reads are repeated within the worker's time; a
write goes out once, and counts as refused or unsent only where that is proven. Decisions rest on
the status and on codes that only ConnectWise writes, never on the wording of a message.
Source of the facts: ConnectWise developer guide (authentication, versions, throttling, errors).
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, TypeVar

import httpx

from bridge.connectwise.access import Access
from bridge.connectwise.call_limits import CHANGE, SMALL, CallLimits
from bridge.connectwise.call_log import log_call
from bridge.connectwise.conditions import encoded
from bridge.connectwise.egress import UnsafeAnswerError
from bridge.connectwise.exchange import Answer, exchange, json_bytes
from bridge.connectwise.failures import (
    SLOW,
    UnroutedError,
    confirmation_of,
    failure_of,
    is_proven_refusal,
    is_unrouted,
    retry_after_seconds,
    unread,
)
from bridge.domain.backoff import backoff_seconds
from bridge.domain.connection import Credentials, PsaAddress
from bridge.domain.errors import (
    BridgeError,
    CredentialsRejectedError,
    OutcomeUnknownError,
    OutOfTimeError,
    ThrottledError,
    TooLargeError,
    UnavailableError,
)
from bridge.log_fields import log_fields
from bridge.ports import CallPurpose, Clock, RateLimiter

SYSTEM_INFO = "/system/info"
"""Readable by every member whose keys are accepted."""

MAX_URL_CHARACTERS = 2_000
MAX_ATTEMPTS = 3
MIN_CALL_SECONDS = 2.0
"""A call begins only with at least this time left."""
RESERVED_SECONDS = 1.0
"""The worker keeps this time for telling how a call ended."""
MAX_WAIT_SECONDS = 60.0
"""A longer wait is left to the queue."""
FIRST_BACKOFF_SECONDS = 1.0

_WIDEST_ID = 10**10 - 1
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""They come before a request has a connection."""

_log = logging.getLogger(__name__)

T = TypeVar("T")
Query = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class JsonAnswer:
    """A JSON answer is a successful one whose body was parsed, and is kept no longer."""

    value: Any
    """The parsed body, in which numbers with a point are decimals."""
    headers: httpx.Headers
    server_time: datetime | None
    parsed_bytes: int
    """The memory that the value takes, at the worst."""


class ConnectWiseClient:
    """A client calls one company's API, at most ``most_in_flight`` calls at once.

    Routes are templates such as ``/finance/invoices/{id}/payments``; integer ids fill them.
    ``calls`` counts requests by method and route.
    """

    def __init__(
        self,
        *,
        partner_id: str,
        connection_id: str,
        access: Access,
        transport: httpx.BaseTransport,
        limiter: RateLimiter,
        purpose: CallPurpose = CallPurpose.MIRROR,
        clock: Clock,
        most_in_flight: int = 1,
    ) -> None:
        self.calls: Counter[str] = Counter()
        self.most_in_flight = most_in_flight
        self._renewal = threading.Lock()
        self._partner_id = partner_id
        self._connection_id = connection_id
        self._access = access
        self._transport = transport
        self._limiter = limiter
        self._purpose = purpose
        self._clock = clock

    def __repr__(self) -> str:
        return f"ConnectWiseClient({self._connection_id})"

    @property
    def access(self) -> tuple[PsaAddress, Credentials | None]:
        """Address and credentials of the latest call, to tell whether two calls shared them."""
        return self.address, self._access.credentials

    @property
    def address(self) -> PsaAddress:
        return self._access.address

    @property
    def member_identifier(self) -> str:
        """Return the API member that the next call's keys belong to, "" where it is unknown.

        Raises as the vault does, and CredentialsRejectedError where it lacks the keys.
        """
        return self._access.keys().member_identifier

    def room(self, route: str, query: Query) -> int:
        """Return how many more encoded characters fit into a URL with this query."""
        return MAX_URL_CHARACTERS - len(self._url(route, {"id": _WIDEST_ID}, query))

    def read(
        self,
        route: str,
        *,
        ids: Mapping[str, int] | None = None,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
        max_attempts: int = MAX_ATTEMPTS,
        is_divisible: bool = False,
        limits: CallLimits = SMALL,
    ) -> JsonAnswer:
        """GET a route that answers JSON.

        A call that is divisible, such as one for many rows, is made once where it takes too long,
        and any call where its answer is too long.
        Raises NotFoundError (EndpointMissingError for a 404 about anything but the record),
        CredentialsRejectedError, PermissionMissingError, RefusedError, UnavailableError
        (TooHeavyError where less may succeed), ThrottledError, OutOfTimeError, WrongCompanyError,
        UnsafeAddressError.
        """

        def once() -> JsonAnswer:
            answer = self._read_once(route, ids or {}, query or {}, headers or {}, limits)
            return JsonAnswer(
                answer.json(), answer.headers, answer.server_time, answer.parsed_bytes
            )

        def read() -> JsonAnswer:
            return self._repeated(once, max_attempts, repeats_slow=not is_divisible)

        with self._named_in_logs(ids or {}):
            return self._read_or_explain(route, read)

    def read_bytes(
        self, route: str, *, ids: Mapping[str, int], accept: str, limits: CallLimits
    ) -> Answer:
        """GET a route that answers something other than JSON. Raises as :meth:`read` does."""

        def once() -> Answer:
            return self._read_once(route, ids, {}, {"Accept": accept}, limits)

        with self._named_in_logs(ids):
            return self._read_or_explain(route, lambda: self._repeated(once, MAX_ATTEMPTS))

    def send(
        self,
        method: str,
        route: str,
        *,
        ids: Mapping[str, int] | None = None,
        body: object | None = None,
    ) -> Any:
        """Make one change with exactly one request and return its confirmation.

        UnavailableError, ThrottledError, OutOfTimeError and UnsafeAddressError say that it stayed
        unsent; RefusedError, NotFoundError, PermissionMissingError and CredentialsRejectedError
        that ConnectWise itself refused (UnavailableError also where it did so for keys that the
        vault has replaced since). OutcomeUnknownError stands for everything else.
        """
        with self._named_in_logs(ids or {}):
            return self._send(method, route, ids or {}, body)

    def _send(self, method: str, route: str, ids: Mapping[str, int], body: object | None) -> Any:
        content = None if body is None else json_bytes(body)
        headers = {} if content is None else {"Content-Type": "application/json"}
        url = self._url(route, ids, {})
        renewals = self._access.renewals
        try:
            answer = self._exchange(
                method, route, url, limits=CHANGE, headers=headers, content=content
            )
        except _UNSENT as error:
            raise UnavailableError("ConnectWise could not be reached") from error
        except (httpx.RequestError, UnsafeAnswerError) as error:
            raise OutcomeUnknownError("no clear answer came") from error
        if answer.is_success:
            return confirmation_of(method, answer)
        if not is_proven_refusal(answer):
            self._prepare_next_call(answer, renewals)
            raise OutcomeUnknownError(f"ConnectWise answered {answer.status}")
        if self._renew_access(answer, renewals):
            raise UnavailableError("the keys were rejected and had been replaced")
        raise failure_of(answer, method, route)

    def _named_in_logs(self, ids: Mapping[str, int]) -> AbstractContextManager[None]:
        """Have every line about a call name the connection and the ids in the call's path."""
        return log_fields(
            partner_id=self._partner_id,
            connection_id=self._connection_id,
            source_ids=tuple(map(int, ids.values())),
        )

    def _prepare_next_call(self, answer: Answer, renewals: int) -> None:
        """Renew stale keys or a stale address. A failure of that leaves the outcome open."""
        try:
            self._renew_access(answer, renewals)
        except BridgeError:
            _log.warning("the way to ConnectWise could not be renewed", exc_info=True)

    def _read_or_explain(self, route: str, read: Callable[[], T]) -> T:
        """Read, and tell rejected keys from a passing fault where the cloud answers both alike.

        It may answer wrong keys with the 404 of its edge (developer guide, authentication); then
        it does so for ``/system/info`` too, which every accepted member may read.
        """
        try:
            return read()
        except UnroutedError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            if route == SYSTEM_INFO:
                raise CredentialsRejectedError("ConnectWise does not know the keys") from error
            self.read(SYSTEM_INFO, max_attempts=1)
            raise

    def _repeated(
        self, once: Callable[[], T], max_attempts: int, *, repeats_slow: bool = True
    ) -> T:
        attempt = 0
        while True:
            try:
                return once()
            except (UnavailableError, ThrottledError) as error:
                if isinstance(error, TooLargeError):
                    raise
                if not repeats_slow and isinstance(error, SLOW):
                    raise
                wait = error.retry_after_seconds or _wait_after(attempt)
                attempt += 1
                if attempt >= max_attempts or not self._has_time_to_wait(wait):
                    raise
            self._clock.sleep(wait)

    def _read_once(
        self,
        route: str,
        ids: Mapping[str, int],
        query: Query,
        headers: Mapping[str, str],
        limits: CallLimits,
    ) -> Answer:
        def ask() -> Answer:
            url = self._url(route, ids, query)
            return self._exchange("GET", route, url, limits=limits, headers=headers)

        asked_at, renewals = self._clock.now(), self._access.renewals
        try:
            answer = ask()
            if self._renew_access(answer, renewals):
                answer = ask()
        except (httpx.RequestError, UnsafeAnswerError) as error:
            raise unread(
                error,
                self.address.api_origin,
                has_time_left=self._has_time_to_wait(0),
                waited_seconds=(self._clock.now() - asked_at).total_seconds(),
            ) from error
        if not answer.is_success:
            raise failure_of(answer, "GET", route)
        return answer

    def _exchange(
        self,
        method: str,
        route: str,
        url: str,
        *,
        limits: CallLimits,
        headers: Mapping[str, str],
        content: bytes | None = None,
    ) -> Answer:
        own_headers = self._access.headers()
        self._take_turn()
        limits = limits.within(self._clock.remaining_seconds() - RESERVED_SECONDS)
        if limits.seconds <= 0:
            # The worker was held up between its turn and the wire, where nothing was sent yet.
            raise OutOfTimeError("no time left for a call to ConnectWise")
        self.calls[f"{method} {route}"] += 1
        started = time.perf_counter()
        answer: Answer | None = None
        try:
            answer = exchange(
                self._transport,
                method,
                url,
                limits=limits,
                headers={**own_headers, **headers},
                content=content,
            )
        finally:
            log_call(method, route, answer, time.perf_counter() - started)
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            self._ask_to_pause(retry_after_seconds(answer))
        return answer

    def _ask_to_pause(self, seconds: float) -> None:
        """Tell the other workers to pause. ConnectWise's answer counts even if that fails."""
        try:
            self._limiter.pause(self._connection_id, seconds=seconds)
        except BridgeError:
            _log.warning("no pause could be noted", exc_info=True)

    def _take_turn(self) -> None:
        """Wait for the tenant's next call, if that is due within the worker's time."""
        if self._clock.remaining_seconds() < MIN_CALL_SECONDS + RESERVED_SECONDS:
            raise OutOfTimeError("no time left for a call to ConnectWise")
        wait = self._limiter.acquire(self._connection_id, self._purpose)
        if wait <= 0:
            return
        if not self._has_time_to_wait(wait):
            raise ThrottledError("the tenant's calls are used up", retry_after_seconds=wait)
        self._clock.sleep(wait)

    def _has_time_to_wait(self, seconds: float) -> bool:
        needed = seconds + MIN_CALL_SECONDS + RESERVED_SECONDS
        return seconds <= MAX_WAIT_SECONDS and needed <= self._clock.remaining_seconds()

    def _renew_access(self, answer: Answer, renewals: int) -> bool:
        """Renew stale keys or a stale codebase; tell whether the call may be made again.

        It was made after so many ``renewals``; a later one, for a call beside it, is enough.
        For a company that moved to another codebase something before ConnectWise answers 400 or
        404.
        """
        is_rejected = answer.status == HTTPStatus.UNAUTHORIZED
        if not is_rejected and not is_unrouted(answer):
            return False
        with self._renewal:
            if self._access.renewals != renewals:
                return True
            if is_rejected:
                return self._access.renew_keys()
            self.calls["GET /login/companyinfo/{company}"] += 1
            return self._access.renew_address() or self._access.renew_keys()

    def _url(self, route: str, ids: Mapping[str, int], query: Query) -> str:
        path = route.format(**{name: int(value) for name, value in ids.items()})
        pairs = "&".join(f"{name}={encoded(str(value))}" for name, value in query.items())
        url = f"{self.address.api_origin}/{self.address.codebase}apis/3.0{path}"
        return f"{url}?{pairs}" if pairs else url


def _wait_after(attempt: int) -> float:
    jitter = random.random()  # noqa: S311  # spreads attempts, hides nothing
    return backoff_seconds(attempt, first_seconds=FIRST_BACKOFF_SECONDS, jitter=jitter)
