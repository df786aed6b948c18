"""This module sorts ConnectWise's refusals into the bridge's errors, by status and error code.

Source of the facts: ConnectWise developer guide (statuses, throttling) and recorded answers of
public clients.
"""

from __future__ import annotations

import re
from http import HTTPStatus

from bridge.connectwise.exchange import Answer, Refusal
from bridge.domain.errors import (
    BridgeError,
    CredentialsRejectedError,
    NotFoundError,
    PermanentError,
    PermissionMissingError,
    RefusedError,
    ThrottledError,
    UnavailableError,
)

DEFAULT_RETRY_AFTER_SECONDS = 30.0
MAX_RETRY_AFTER_SECONDS = 900.0

_RECORD_MISSING = "NotFound"


class ServerFailedError(UnavailableError):
    """ConnectWise answered 500: a query took too long, or it failed to write a row."""


class UnroutedError(UnavailableError):
    """Something before the API answered 400 or 404, so the request got lost on the way."""

    def __init__(self, status: int) -> None:
        super().__init__(f"not routed to ConnectWise's API ({status})")
        self.status = status


class EndpointMissingError(NotFoundError):
    """ConnectWise answered 404 about the endpoint, which leaves open whether the record exists."""


def is_unrouted(answer: Answer) -> bool:
    """Tell whether something before the API wrote the answer.

    It happens with a codebase that a cloud upgrade has left behind.
    """
    statuses = (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND)
    return answer.status in statuses and answer.refusal() is None


def failure_of(answer: Answer) -> BridgeError:
    """Return the error that an unsuccessful answer stands for.

    A refusal counts only if ConnectWise itself wrote it; the answer of a proxy or a firewall
    counts as passing trouble.
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
    if refusal is None or is_passing:
        return _passing(answer.status)
    return _refused(answer.status, refusal)


def _passing(status: int) -> UnavailableError:
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return ServerFailedError("ConnectWise answered 500")
    return UnavailableError(f"ConnectWise answered {status}")


def _refused(status: int, refusal: Refusal) -> PermanentError:
    if status == HTTPStatus.FORBIDDEN:
        return PermissionMissingError("ConnectWise denies the API member this call")
    if status == HTTPStatus.NOT_FOUND and refusal.code == _RECORD_MISSING:
        return NotFoundError("ConnectWise has no such record")
    if status == HTTPStatus.NOT_FOUND:
        return EndpointMissingError("ConnectWise has no such endpoint")
    return RefusedError(refusal.code, fields=refusal.fields)


def retry_after_seconds(answer: Answer) -> float:
    """Return the wait that an answer asks for; ConnectWise writes whole seconds."""
    text = answer.headers.get("Retry-After", "")
    if not re.fullmatch(r"[0-9]{1,6}", text):
        return DEFAULT_RETRY_AFTER_SECONDS
    return min(max(float(text), 1.0), MAX_RETRY_AFTER_SECONDS)
