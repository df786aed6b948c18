"""Failures become RFC 9457 problem documents by one table from our errors to HTTP.

Types are ``urn:bridge:problem:<code>`` and stay as they are once published. A document may not
quote a value that the caller sent: rejected values may be secrets.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from bridge.domain.errors import (
    BridgeError,
    ConflictError,
    CredentialsRejectedError,
    InvalidInputError,
    MalformedRecordError,
    NotFoundError,
    NotPossibleError,
    OutcomeUnknownError,
    OutOfTimeError,
    PermissionMissingError,
    RefusedError,
    RetryableError,
    RunActiveError,
    ShareUsedUpError,
    SiteUnreachableError,
    ThrottledError,
    UnsafeAddressError,
    WindowTakenError,
    WrongCompanyError,
)
from bridge.entrypoints.callers import CallerRefusedError
from bridge.entrypoints.site_problems import UNSAFE_ADDRESS_DETAILS, unreached_detail

CONTENT_TYPE = "application/problem+json"
DEFAULT_RETRY_AFTER_SECONDS = 30
MAX_ERRORS_LISTED = 50
_FIELD_NAME = re.compile(r"[a-z][a-z_]{0,39}")


@dataclass(frozen=True, slots=True)
class FieldError:
    """A field error names the limit that one field breaks."""

    field: str
    """A path like ``line_items.3.amount_minor``."""
    message: str
    """It may not quote the value."""


@dataclass(frozen=True, slots=True)
class ProblemDocument:
    """A problem document tells a caller about one kind of failure."""

    code: str
    status: HTTPStatus
    title: str
    detail: str
    members: Mapping[str, Any] = field(default_factory=dict)
    """The extension members of this kind of problem."""
    retry_after_seconds: int | None = None
    allow: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        headers = {"Cache-Control": "no-store"}
        if self.retry_after_seconds is not None:
            headers["Retry-After"] = str(self.retry_after_seconds)
        if self.allow is not None:
            headers["Allow"] = self.allow
        return headers

    def body(self, request_id: str) -> str:
        """Return the document as JSON text; ``instance`` is the request's id."""
        return json.dumps(
            {
                "type": f"urn:bridge:problem:{self.code}",
                "title": self.title,
                "status": int(self.status),
                "detail": self.detail,
                "instance": f"urn:bridge:request:{request_id}",
                **self.members,
            }
        )

    def as_gateway_response(self, request_id: str) -> dict[str, Any]:
        """Return the answer of a function behind an HTTP API (payload 2.0)."""
        return {
            "statusCode": int(self.status),
            "headers": {"Content-Type": CONTENT_TYPE, **self.headers},
            "body": self.body(request_id),
            "isBase64Encoded": False,
        }


INTERNAL = ProblemDocument(
    "internal",
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "Something broke on our side",
    "The request was not completed. Its id helps us to find out why.",
)

# Details are fixed texts, because the messages of errors are written for logs.
_DOCUMENTS: dict[type[BridgeError], ProblemDocument] = {
    NotFoundError: ProblemDocument(
        "not_found", HTTPStatus.NOT_FOUND, "Not found", "There is no such record."
    ),
    InvalidInputError: ProblemDocument(
        "invalid_input",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "The input is not valid",
        "Some values break a stated limit.",
    ),
    CallerRefusedError: ProblemDocument(
        "not_allowed",
        HTTPStatus.FORBIDDEN,
        "Not allowed",
        "Tokens of this kind, or with these scopes, do not open this route.",
    ),
    CredentialsRejectedError: ProblemDocument(
        "credentials_rejected",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "ConnectWise rejects the credentials",
        "ConnectWise does not accept this company id with these keys.",
    ),
    PermissionMissingError: ProblemDocument(
        "permission_missing",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "The security role lacks rights",
        "Grant the API member's security role what is listed, save it, and try again.",
    ),
    WrongCompanyError: ProblemDocument(
        "wrong_company",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "ConnectWise does not know the company",
        "No ConnectWise at this address, or in the cloud, knows the company id.",
    ),
    UnsafeAddressError: ProblemDocument(
        "unsafe_address",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "The site URL cannot be used",
        "The site URL must be a public https address.",
    ),
    RefusedError: ProblemDocument(
        "connectwise_refused",
        HTTPStatus.BAD_GATEWAY,
        "ConnectWise refused the request",
        "ConnectWise did not accept what the bridge asked for.",
    ),
    MalformedRecordError: ProblemDocument(
        "record_malformed",
        HTTPStatus.BAD_GATEWAY,
        "ConnectWise sent a record that cannot be read",
        "One record cannot be understood.",
    ),
    ConflictError: ProblemDocument(
        "conflict",
        HTTPStatus.CONFLICT,
        "Changed by somebody else",
        "The record changed meanwhile. Read it again and repeat the request.",
    ),
    RunActiveError: ProblemDocument(
        "run_active",
        HTTPStatus.CONFLICT,
        "A run is going on",
        "A run of this kind is going on for this connection.",
    ),
    WindowTakenError: ProblemDocument(
        "window_taken",
        HTTPStatus.TOO_MANY_REQUESTS,
        "Used already",
        "This fetch was started already; it is free again at the stated time.",
    ),
    ThrottledError: ProblemDocument(
        "connectwise_busy",
        HTTPStatus.SERVICE_UNAVAILABLE,
        "ConnectWise is busy",
        "This ConnectWise gets all the calls that it allows. Try again later.",
    ),
    ShareUsedUpError: ProblemDocument(
        "too_many_requests",
        HTTPStatus.TOO_MANY_REQUESTS,
        "Asked too often",
        "Each partner may ask for this so often. Ask again later.",
    ),
    OutOfTimeError: ProblemDocument(
        "out_of_time",
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Not done in time",
        "The request took too long and was given up. It may be repeated.",
    ),
    RetryableError: ProblemDocument(
        "unavailable",
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Out of reach",
        "ConnectWise, or a part of the bridge, did not answer. Try again later.",
    ),
    OutcomeUnknownError: ProblemDocument(
        "outcome_unknown",
        HTTPStatus.BAD_GATEWAY,
        "The outcome is unknown",
        "The request was sent on and no clear answer came. Look before repeating it.",
    ),
    BridgeError: INTERNAL,
}


def describe(
    error: Exception, now: datetime, *, egress_addresses: Sequence[str] = ()
) -> ProblemDocument:
    """Return the problem document of any exception; an unknown one is ``internal``.

    Retry-After counts from ``now`` when an error names a time. A server out of reach is
    told together with the addresses that our calls come from.
    """
    if isinstance(error, NotPossibleError):
        members = {"conflicting_id": error.subject_id} if error.subject_id else {}
        return ProblemDocument(
            error.reason, HTTPStatus.CONFLICT, "Not possible now", str(error), members
        )
    document = next(
        (_DOCUMENTS[kind] for kind in type(error).__mro__ if kind in _DOCUMENTS), INTERNAL
    )
    document = replace(document, members=_members(error))
    wait_seconds = _wait_seconds(error, now)
    if isinstance(error, ShareUsedUpError):
        detail = f"Each partner may ask for this so often. Ask again in {wait_seconds} seconds."
        document = replace(document, detail=detail)
    if isinstance(error, SiteUnreachableError):
        document = _unreached(error, egress_addresses)
    elif isinstance(error, UnsafeAddressError):
        detail = UNSAFE_ADDRESS_DETAILS.get(error.reason, document.detail)
        document = replace(document, detail=detail)
    return replace(document, retry_after_seconds=wait_seconds)


def _wait_seconds(error: Exception, now: datetime) -> int | None:
    """Return whole seconds after which the request may be repeated, None for other failures."""
    if isinstance(error, RetryableError):
        wait_seconds = error.retry_after_seconds or DEFAULT_RETRY_AFTER_SECONDS
    elif isinstance(error, WindowTakenError):
        wait_seconds = (error.free_at - now).total_seconds()
    else:
        return None
    return max(1, math.ceil(wait_seconds))


def _unreached(error: SiteUnreachableError, egress_addresses: Sequence[str]) -> ProblemDocument:
    """Return the document about a server; its address is public, and passed our checks."""
    return ProblemDocument(
        error.cause.value,
        HTTPStatus.SERVICE_UNAVAILABLE,
        "ConnectWise was not reached",
        unreached_detail(error.cause, error.address, egress_addresses),
        {"address": error.address, "egress_addresses": list(egress_addresses)},
    )


def invalid_input(errors: Sequence[FieldError]) -> ProblemDocument:
    """Return the document of rejected input, with the first MAX_ERRORS_LISTED reasons."""
    return replace(_DOCUMENTS[InvalidInputError], members=_listed(errors))


def field_path(location: Sequence[str | int]) -> str:
    """Return a field's path, leaving out names that are foreign to our schemas.

    A key that the caller made up is the caller's value, and may be a secret that slipped.
    """
    names = [
        str(part) if isinstance(part, int) or _FIELD_NAME.fullmatch(part) else "(unknown)"
        for part in location
    ]
    return ".".join(names)


def _members(error: Exception) -> dict[str, Any]:
    members: dict[str, Any] = {}
    if isinstance(error, InvalidInputError):
        members = _listed([FieldError(error.field or "", str(error))])
    elif isinstance(error, PermissionMissingError):
        members["missing_rights"] = list(error.rights)
    elif isinstance(error, UnsafeAddressError):
        members["reason"] = error.reason
    elif isinstance(error, RefusedError):
        members["connectwise_code"] = error.code
    elif isinstance(error, RunActiveError):
        members["run_id"] = error.run_id
    elif isinstance(error, WindowTakenError):
        members["free_at"] = utc_text(error.free_at)
    return members


def utc_text(moment: datetime) -> str:
    """Return a time as every answer of the API writes it: in UTC, with a Z at its end."""
    return moment.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


def _listed(errors: Sequence[FieldError]) -> dict[str, Any]:
    listed = errors[:MAX_ERRORS_LISTED]
    return {
        "errors": [{"field": item.field, "message": as_sentence(item.message)} for item in listed]
    }


def as_sentence(text: str) -> str:
    """Return a text with a capital letter at its beginning and a full stop at its end."""
    return text[:1].upper() + text[1:].rstrip(".") + "."
