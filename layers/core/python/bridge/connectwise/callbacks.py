"""Checks a callback before anything is believed: pure functions on the standard library alone.

The receiver calls them in this order: the secret in the path, the body's size and form, where the
signing key is said to be, the signature. Only ids leave this module; the body and the key's URL
(which lets whoever knows it sign) are never logged.

A signature alone proves only that some ConnectWise company signed: its key can be had by that
company's own people. So the key must come from this connection's own ConnectWise and company.
Source of the facts: ConnectWise developer guide, callbacks; the signature's form is confirmed by
several public clients.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from bridge.connectwise.callback_types import CALLBACK_TYPES
from bridge.domain.errors import PermanentError, UnsafeAddressError
from bridge.domain.identity import RecordKind

if TYPE_CHECKING:
    from datetime import datetime

    from bridge.domain.callback_endpoint import CallbackSecret, PsaAddress

MAX_BODY_BYTES = 256 * 1024
MAX_SECRET_CHARACTERS = 200
MAX_ID = 2**31 - 1
MAX_KEY_URL_CHARACTERS = 500

_ACTIONS = frozenset({"added", "updated", "deleted"})
_TYPE_NAME = re.compile(r"[A-Za-z]{1,40}")
_SIGNATURE_CHARACTERS = 44
_SIGNATURE = re.compile(r"[A-Za-z0-9+/]{43}=")
# The server doubles the slash behind the codebase. Only printable ASCII without any character
# that parsers disagree on: no backslash, no @, no quotes, no encoded octets.
_KEY_URL = re.compile(
    r"(?P<origin>https?://[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?)"
    r"(?:/v[A-Za-z0-9_.]{1,40})?/{1,2}system/callbackkey/index\.rails"
    r"\?(?P<query>[A-Za-z0-9_.=&+~-]{1,300})"
)
_KEY_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_LOOPBACK_HOST = re.compile(r"http://(?:127\.0\.0\.1|localhost)(?::[0-9]{1,5})?")


class Rejection(StrEnum):
    """Why a callback is not accepted. Fixed codes, fit for logs and metrics."""

    SECRET = "secret"  # noqa: S105 - the name of a reason
    TOO_LARGE = "too_large"
    NOT_JSON = "not_json"
    FIELDS = "fields"
    OTHER_COMPANY = "other_company"
    KEY_URL = "key_url"
    SIGNATURE = "signature"


class CallbackRejectedError(PermanentError):
    """The callback belongs to somebody else. ``reason`` names the check it failed."""

    def __init__(self, reason: Rejection) -> None:
        super().__init__(f"callback rejected: {reason.value}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class CallbackHint:
    """The content of a callback, before its signature is checked."""

    record_kind: RecordKind | None
    """None for a type that the bridge ignores; such a callback is accepted and dropped."""
    source_id: int
    action: str
    key_url: str = field(repr=False)
    """The URL at which the signing key is said to be."""


def check_secret(secret: str, stored: CallbackSecret | None, now: datetime) -> None:
    """Check the secret in the callback's path against the one or two hashes that are live now.

    Takes the same time whichever hash fits, and when there is nothing to compare with.
    Raises CallbackRejectedError.
    """
    given = hashlib.sha256(secret[:MAX_SECRET_CHARACTERS].encode(errors="replace")).hexdigest()
    nothing = "0" * len(given)
    current = stored.current_sha256 if stored else nothing
    ends_at = stored.previous_ends_at if stored else None
    is_over = ends_at is not None and ends_at <= now
    previous = (stored.previous_sha256 if stored and not is_over else None) or nothing
    is_current = hmac.compare_digest(given.encode(), current.encode())
    is_previous = hmac.compare_digest(given.encode(), previous.encode())
    if len(secret) > MAX_SECRET_CHARACTERS or not (is_current or is_previous):
        raise CallbackRejectedError(Rejection.SECRET)


def parse_callback(body: bytes, company_id: str) -> CallbackHint:
    """Read the few fields that matter; the record itself is always fetched afresh.

    ``company_id`` is the connection's own; ConnectWise compares it whatever the case.
    Raises CallbackRejectedError.
    """
    if len(body) > MAX_BODY_BYTES:
        raise CallbackRejectedError(Rejection.TOO_LARGE)
    message = _json_object(body)
    type_name, action = message.get("Type"), message.get("Action")
    source_id, metadata = message.get("ID"), message.get("Metadata")
    if not isinstance(type_name, str) or not _TYPE_NAME.fullmatch(type_name):
        raise CallbackRejectedError(Rejection.FIELDS)
    if not isinstance(action, str) or action.lower() not in _ACTIONS:
        raise CallbackRejectedError(Rejection.FIELDS)
    if not isinstance(source_id, int) or isinstance(source_id, bool):
        raise CallbackRejectedError(Rejection.FIELDS)
    if not 0 < source_id <= MAX_ID or not isinstance(metadata, Mapping):
        raise CallbackRejectedError(Rejection.FIELDS)
    key_url = metadata.get("key_url")
    if not isinstance(key_url, str):
        raise CallbackRejectedError(Rejection.FIELDS)
    if not _is_same_company(message.get("CompanyId"), company_id):
        raise CallbackRejectedError(Rejection.OTHER_COMPANY)
    return CallbackHint(CALLBACK_TYPES.get(type_name.lower()), source_id, action.lower(), key_url)


def check_key_url(
    key_url: str, address: PsaAddress, company_id: str, *, allow_loopback: bool = False
) -> None:
    """Check that a key comes from exactly where this connection's ConnectWise keeps its keys.

    That is its user interface's or its API's own origin, over https (http on loopback in local
    runs), the one path that serves keys, and the connection's own company.
    Raises UnsafeAddressError (key_url).
    """
    match = _KEY_URL.fullmatch(key_url) if len(key_url) <= MAX_KEY_URL_CHARACTERS else None
    if match is None:
        raise UnsafeAddressError("key_url")
    origin = match["origin"].lower().removesuffix(":443")
    is_secure = origin.startswith("https://") or (
        allow_loopback and _LOOPBACK_HOST.fullmatch(origin) is not None
    )
    if not is_secure or origin not in (address.site_url, address.api_origin):
        raise UnsafeAddressError("key_url")
    parameters = parse_qsl(match["query"], keep_blank_values=True)
    names = sorted(name for name, _ in parameters)
    values = dict(parameters)
    if names != ["companyName", "id"] or not _KEY_ID.fullmatch(values["id"]):
        raise UnsafeAddressError("key_url")
    if not _is_same_company(values["companyName"], company_id):
        raise UnsafeAddressError("key_url")


def check_signature(body: bytes, signature: str | None, signing_key: str) -> None:
    """Check the ``x-content-signature`` of the raw body.

    It is the Base64 of an HMAC-SHA256 whose key is the SHA-256 of the signing key, as 32 bytes.
    Raises CallbackRejectedError; a missing signature is a wrong one.
    """
    if not signature or len(signature) != _SIGNATURE_CHARACTERS:
        raise CallbackRejectedError(Rejection.SIGNATURE)
    if not signing_key or not _SIGNATURE.fullmatch(signature):
        raise CallbackRejectedError(Rejection.SIGNATURE)
    key = hashlib.sha256(signing_key.encode(errors="replace")).digest()
    expected = hmac.new(key, body, hashlib.sha256).digest()
    if not hmac.compare_digest(expected, b64decode(signature)):
        raise CallbackRejectedError(Rejection.SIGNATURE)


def _json_object(body: bytes) -> Mapping[str, object]:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise CallbackRejectedError(Rejection.NOT_JSON) from error
    if not isinstance(message, dict):
        raise CallbackRejectedError(Rejection.NOT_JSON)
    return message


def _is_same_company(given: object, company_id: str) -> bool:
    return isinstance(given, str) and given.casefold() == company_id.casefold()
