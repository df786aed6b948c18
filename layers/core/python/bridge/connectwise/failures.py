"""This module sorts ConnectWise's refusals into the bridge's errors, by status and error code.

Only ConnectWise itself can prove that it refused a change or lacks a record: by one of few
statuses together with a ``code`` of its own. Gateways, proxies and firewalls answer with the same
statuses while the request behind them goes on.
Source of the facts: ConnectWise developer guide (statuses, throttling) and recorded answers of
public clients.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

import httpx

from bridge.connectwise.egress import TOO_LARGE, UnsafeAnswerError
from bridge.connectwise.exchange import Answer, Refusal
from bridge.connectwise.reach import unreached
from bridge.connectwise.route_rights import named
from bridge.domain.errors import (
    BridgeError,
    CredentialsRejectedError,
    KeptWaitingError,
    NotFoundError,
    OutcomeUnknownError,
    OutOfTimeError,
    PermanentError,
    PermissionMissingError,
    RefusedError,
    RetryableError,
    SiteUnreachableError,
    ThrottledError,
    TooHeavyError,
    TooLargeError,
    UnavailableError,
)

DEFAULT_RETRY_AFTER_SECONDS = 30.0
MAX_RETRY_AFTER_SECONDS = 900.0
FAIR_WAIT_SECONDS = 10.0
"""A server that is silent for so long is slow, whatever time its caller had."""

CONNECTWISE_CODES = frozenset(
    code.casefold()
    for code in (
        "ConnectWiseApi",
        "InvalidField",
        "InvalidObject",
        "MaxLengthField",
        "MissingRequiredField",
        "NotFound",
        "ObjectExists",
        "Security",
        "Unauthorized",
        "UserNotAuthenticated",
    )
)
"""The codes that recorded answers of ConnectWise have, in lower case. Source: the developer guide
(Security, ConnectWiseApi), the recorded fixtures and error lists of public clients (the others).
Any other code leaves an outcome open, so that an incomplete list errs on the safe side."""

_RECORD_MISSING = "NotFound".casefold()
_PROVING_STATUSES = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)
_TOO_HEAVY_STATUSES = frozenset(
    {
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
"""A query that takes too long, or a row that cannot be written, ends with 500; the gateway before a
slow server answers with the others."""


class TooSlowError(TooHeavyError):
    """No answer came in the time that a call may take."""


SLOW = (TooSlowError, SiteUnreachableError)
"""These take as long as a call may, so that a repetition takes as long again."""


class UnroutedError(UnavailableError):
    """Something before the API answered 400 or 404, so the request got lost on the way."""

    def __init__(self, status: int) -> None:
        super().__init__(f"not routed to ConnectWise's API ({status})")
        self.status = status


class OddStatusError(UnavailableError):
    """The status of the answer leaves the record, and the right to it, open."""

    def __init__(self, status: int) -> None:
        super().__init__(f"ConnectWise answered {status}")
        self.status = status


class EndpointMissingError(NotFoundError):
    """ConnectWise answered 404 about the endpoint, which leaves open whether the record exists."""


def is_unrouted(answer: Answer) -> bool:
    """Tell whether something before the API wrote the answer.

    It happens with a codebase that a cloud upgrade has left behind.
    """
    statuses = (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND)
    return answer.status in statuses and answer.refusal() is None


def is_proven_refusal(answer: Answer) -> bool:
    """Tell whether ConnectWise itself refused, so that a change surely stays unmade."""
    return answer.status in _PROVING_STATUSES and _is_connectwises(answer.refusal())


def _is_connectwises(refusal: Refusal | None) -> bool:
    return refusal is not None and refusal.body_code.casefold() in CONNECTWISE_CODES


def failure_of(answer: Answer, method: str, route: str) -> BridgeError:
    """Return the error that an unsuccessful answer to a read or a proven refusal stands for.

    A denial names the right that governs the route. Text, HTML and a 404 that lacks a code of
    ConnectWise's own count as passing trouble.
    """
    if is_unrouted(answer):
        return UnroutedError(answer.status)
    if answer.status == HTTPStatus.UNAUTHORIZED:
        return CredentialsRejectedError("ConnectWise does not accept the keys")
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        seconds = retry_after_seconds(answer)
        return ThrottledError("ConnectWise asks to wait", retry_after_seconds=seconds)
    refusal = answer.refusal()
    is_passing = answer.status == HTTPStatus.REQUEST_TIMEOUT or not answer.is_client_error
    is_unproven = answer.status == HTTPStatus.NOT_FOUND and not _is_connectwises(refusal)
    if refusal is None or is_passing or is_unproven:
        return _passing(answer.status)
    return named(_refused(answer.status, refusal), method, route)


def unread(
    error: Exception, url: str, *, has_time_left: bool, waited_seconds: float
) -> RetryableError:
    """Return the error for an answer that did not come, or is refused.

    A worker that has no time left cut the call short itself. That says something of ConnectWise
    only if the worker had waited for FAIR_WAIT_SECONDS.
    """
    if isinstance(error, httpx.ReadTimeout):
        if has_time_left:
            return TooSlowError("ConnectWise takes too long")
        if waited_seconds >= FAIR_WAIT_SECONDS:
            return KeptWaitingError("ConnectWise kept silent until the worker's time ended")
        return OutOfTimeError("the worker's time ended before ConnectWise answered")
    if isinstance(error, UnsafeAnswerError) and error.reason == TOO_LARGE:
        return TooLargeError("ConnectWise's answer is too large")
    not_reached = unreached(error, url) if has_time_left else None
    return not_reached or UnavailableError("ConnectWise could not be read")


def _passing(status: int) -> UnavailableError:
    if status in _TOO_HEAVY_STATUSES:
        return TooHeavyError(f"ConnectWise answered {status}")
    return OddStatusError(status)


def _refused(status: int, refusal: Refusal) -> PermanentError:
    if status == HTTPStatus.FORBIDDEN:
        return PermissionMissingError("ConnectWise denies the API member this call")
    if status == HTTPStatus.NOT_FOUND:
        if refusal.body_code.casefold() == _RECORD_MISSING:
            return NotFoundError("ConnectWise has no such record")
        return EndpointMissingError("ConnectWise has no such endpoint")
    return RefusedError(refusal.code, fields=refusal.fields, words=refusal.words)


def confirmation_of(method: str, answer: Answer) -> Any:
    """Return the body by which a successful answer confirms a change, None for a deletion.

    ConnectWise answers a deletion with 204 and shows the record after other changes. Raises
    OutcomeUnknownError for anything else, such as a firewall's page or an accepted request.
    """
    if method == "DELETE":
        if answer.status != HTTPStatus.NO_CONTENT:
            raise OutcomeUnknownError("the deletion is not confirmed")
        return None
    try:
        return answer.json()
    except UnavailableError as error:
        raise OutcomeUnknownError("ConnectWise's confirmation is not readable") from error


def retry_after_seconds(answer: Answer) -> float:
    """Return the wait that an answer asks for; ConnectWise writes whole seconds."""
    text = answer.headers.get("Retry-After", "")
    if not re.fullmatch(r"[0-9]{1,6}", text):
        return DEFAULT_RETRY_AFTER_SECONDS
    return min(max(float(text), 1.0), MAX_RETRY_AFTER_SECONDS)
