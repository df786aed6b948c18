"""The client calls ConnectWise for one connection and sorts the answers into errors.

It signs, spaces, repeats and counts the calls. Reads are repeated within the worker's time; a
write goes out once, and counts as refused or unsent only where that is proven. Decisions rest on
the status and on codes that only ConnectWise writes, never on the wording of a message.
Source of the facts: ConnectWise developer guide (authentication, versions, throttling, errors).
"""

from __future__ import annotations

import logging
import random
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol, TypeVar

import httpx

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
    NotFoundError,
    OutcomeUnknownError,
    OutOfTimeError,
    ThrottledError,
    UnavailableError,
)
from bridge.ports import Clock, RateLimiter

ACCEPT_JSON = "application/vnd.connectwise.com+json; version=2025.1"
"""Pins the model of the records; ConnectWise keeps a version for a year (developer guide)."""

SYSTEM_INFO = "/system/info"
"""Readable by every member whose keys are accepted."""

MAX_URL_CHARACTERS = 2_000
MAX_ATTEMPTS = 3
READ_SECONDS = 60.0
"""A page of a thousand records takes its time."""
WRITE_SECONDS = 30.0
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


class CredentialsReader(Protocol):
    def __call__(self, *, is_fresh: bool = False) -> Credentials: ...


@dataclass(frozen=True, slots=True)
class JsonAnswer:
    """A JSON answer is a successful one whose body was parsed."""

    value: Any
    """The parsed body, in which numbers with a point are decimals."""
    answer: Answer


class ConnectWiseClient:
    """A client calls one company's API, one call at a time.

    Routes are templates such as ``/finance/invoices/{id}/payments``; integer ids fill them.
    ``calls`` counts requests by method and route. ``rediscover`` finds the company's present
    address, and ``on_codebase_changed`` is told of one that differs from the known one.
    """

    def __init__(
        self,
        *,
        connection_id: str,
        address: PsaAddress,
        credentials: CredentialsReader,
        client_id: Callable[[], str],
        transport: httpx.BaseTransport,
        limiter: RateLimiter,
        clock: Clock,
        rediscover: Callable[[], PsaAddress],
        on_codebase_changed: Callable[[PsaAddress], None],
    ) -> None:
        self.address = address
        self.calls: Counter[str] = Counter()
        self._connection_id = connection_id
        self._read_credentials = credentials
        self._credentials: Credentials | None = None
        self._read_client_id = client_id
        self._own_headers: Mapping[str, str] | None = None
        self._transport = transport
        self._limiter = limiter
        self._clock = clock
        self._rediscover = rediscover
        self._on_codebase_changed = on_codebase_changed

    def __repr__(self) -> str:
        return f"ConnectWiseClient({self._connection_id})"

    @property
    def access(self) -> tuple[PsaAddress, Credentials | None]:
        """Address and credentials of the latest call, to tell whether two calls shared them."""
        return self.address, self._credentials

    @property
    def member_identifier(self) -> str:
        """Return the API member that the next call's keys belong to, "" where it is unknown.

        Raises as the vault does, and CredentialsRejectedError where it lacks the keys.
        """
        return self._keys().member_identifier

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
        seconds: float = READ_SECONDS,
    ) -> JsonAnswer:
        """GET a route that answers JSON.

        A call that is divisible, such as one for many rows, is made once where it takes too long.
        Raises NotFoundError (EndpointMissingError for a 404 about anything but the record),
        CredentialsRejectedError, PermissionMissingError, RefusedError, UnavailableError
        (TooHeavyError where less may succeed), ThrottledError, OutOfTimeError, WrongCompanyError,
        UnsafeAddressError.
        """

        def once() -> JsonAnswer:
            answer = self._read_once(route, ids or {}, query or {}, headers or {}, seconds)
            return JsonAnswer(answer.json(), answer)

        def read() -> JsonAnswer:
            return self._repeated(once, max_attempts, repeats_slow=not is_divisible)

        return self._read_or_explain(route, read)

    def read_bytes(
        self, route: str, *, ids: Mapping[str, int], accept: str, seconds: float
    ) -> Answer:
        """GET a route that answers something other than JSON. Raises as :meth:`read` does."""

        def once() -> Answer:
            return self._read_once(route, ids, {}, {"Accept": accept}, seconds)

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
        content = None if body is None else json_bytes(body)
        headers = {} if content is None else {"Content-Type": "application/json"}
        url = self._url(route, ids or {}, {})
        try:
            answer = self._exchange(
                method, route, url, seconds=WRITE_SECONDS, headers=headers, content=content
            )
        except _UNSENT as error:
            raise UnavailableError("ConnectWise could not be reached") from error
        except (httpx.RequestError, UnsafeAnswerError) as error:
            raise OutcomeUnknownError("no clear answer came") from error
        if answer.is_success:
            return confirmation_of(method, answer)
        if not is_proven_refusal(answer):
            self._prepare_next_call(answer)
            raise OutcomeUnknownError(f"ConnectWise answered {answer.status}")
        if self._renew_access(answer):
            raise UnavailableError("the keys were rejected and had been replaced")
        raise failure_of(answer, method, route)

    def _prepare_next_call(self, answer: Answer) -> None:
        """Renew stale keys or a stale address. A failure of that leaves the outcome open."""
        try:
            self._renew_access(answer)
        except BridgeError:
            _log.warning("the way to ConnectWise could not be renewed", exc_info=True)

    def _renew_credentials(self) -> bool:
        """Read the stored credentials again and tell whether they changed."""
        before = self._credentials
        self._credentials = self._read_keys(is_fresh=True)
        self._own_headers = None
        return before != self._credentials

    def _keys(self) -> Credentials:
        """Return the keys of the next call, which are kept until ConnectWise rejects them."""
        if self._credentials is None:
            self._credentials = self._read_keys(is_fresh=False)
        return self._credentials

    def _read_keys(self, *, is_fresh: bool) -> Credentials:
        try:
            return self._read_credentials(is_fresh=is_fresh)
        except NotFoundError as error:
            raise CredentialsRejectedError("no keys are stored") from error

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
        seconds: float,
    ) -> Answer:
        def ask() -> Answer:
            url = self._url(route, ids, query)
            return self._exchange("GET", route, url, seconds=seconds, headers=headers)

        try:
            answer = ask()
            if self._renew_access(answer):
                answer = ask()
        except (httpx.RequestError, UnsafeAnswerError) as error:
            origin, has_time_left = self.address.api_origin, self._has_time_to_wait(0)
            raise unread(error, origin, has_time_left=has_time_left) from error
        if not answer.is_success:
            raise failure_of(answer, "GET", route)
        return answer

    def _exchange(
        self,
        method: str,
        route: str,
        url: str,
        *,
        seconds: float,
        headers: Mapping[str, str],
        content: bytes | None = None,
    ) -> Answer:
        own_headers = self._own_headers or self._make_own_headers()
        self._take_turn()
        allowed_seconds = min(seconds, self._clock.remaining_seconds() - RESERVED_SECONDS)
        if allowed_seconds <= 0:
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
                seconds=allowed_seconds,
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
        wait = self._limiter.acquire(self._connection_id)
        if wait <= 0:
            return
        if not self._has_time_to_wait(wait):
            raise ThrottledError("the tenant's calls are used up", retry_after_seconds=wait)
        self._clock.sleep(wait)

    def _has_time_to_wait(self, seconds: float) -> bool:
        needed = seconds + MIN_CALL_SECONDS + RESERVED_SECONDS
        return seconds <= MAX_WAIT_SECONDS and needed <= self._clock.remaining_seconds()

    def _renew_access(self, answer: Answer) -> bool:
        """Renew stale keys or a stale codebase; tell whether the call may be made again.

        Keys may have been replaced in the vault, and a cloud upgrade moves the company to
        another codebase: then something before ConnectWise answers 400 or 404.
        """
        if answer.status == HTTPStatus.UNAUTHORIZED:
            return self._renew_credentials()
        if not is_unrouted(answer):
            return False
        self.calls["GET /login/companyinfo/{company}"] += 1
        found = self._rediscover()
        if found == self.address:
            return self._renew_credentials()
        self.address = found
        self._on_codebase_changed(found)
        return True

    def _url(self, route: str, ids: Mapping[str, int], query: Query) -> str:
        path = route.format(**{name: int(value) for name, value in ids.items()})
        pairs = "&".join(f"{name}={encoded(str(value))}" for name, value in query.items())
        url = f"{self.address.api_origin}/{self.address.codebase}apis/3.0{path}"
        return f"{url}?{pairs}" if pairs else url

    def _make_own_headers(self) -> Mapping[str, str]:
        """Make the headers that identify us; they are kept until ConnectWise rejects them."""
        self._own_headers = {
            "Authorization": basic_authorization(self._keys()),
            "clientId": self._read_client_id(),
            "Accept": ACCEPT_JSON,
        }
        return self._own_headers


def basic_authorization(credentials: Credentials) -> str:
    """Return the Authorization header of an API member: company id and key pair."""
    user = f"{credentials.company_id}+{credentials.public_key}"
    token = b64encode(f"{user}:{credentials.private_key}".encode()).decode()
    return f"Basic {token}"


def _wait_after(attempt: int) -> float:
    jitter = random.random()  # noqa: S311  # spreads attempts, hides nothing
    return backoff_seconds(attempt, first_seconds=FIRST_BACKOFF_SECONDS, jitter=jitter)
