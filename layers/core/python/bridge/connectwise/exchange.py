"""An exchange is one request and its answer, made directly over an httpx transport.

It avoids httpx's client, which would log whole URLs, keep cookies and follow settings of the
environment.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

import httpx

from bridge.connectwise.call_limits import CallLimits
from bridge.connectwise.egress import MAX_ANSWER_BYTES, TOTAL_SECONDS
from bridge.connectwise.json_text import parsed_bytes, read_json
from bridge.domain.errors import TooLargeError, UnavailableError

MAX_PARSED_BYTES = 64 * 1024 * 1024
"""An answer may take so much memory while it is parsed. A thousand records take a tenth of this to
a half, and where they take more they are asked for in parts."""
CONNECT_SECONDS = 5.0
WRITE_SECONDS = 10.0
POOL_SECONDS = 5.0

_LARGE_BYTES = 8 * 1024 * 1024
# Threads read for several partners in one process: large answers are parsed one after the other.
_turn_of_large = threading.Lock()
_SUCCESSES = range(200, 300)
_CLIENT_ERRORS = range(400, 500)
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9 _.-]{0,59}")
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_/.\[\]-]{0,79}")
_MAX_WORDS_LENGTH = 300
_MAX_NAMED_FIELDS = 20


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal is a JSON object in place of the answer that was asked for."""

    code: str
    """The code of the first detail, else the body's own."""
    fields: tuple[str, ...] = ()
    """The fields that the refusal names."""
    body_code: str = ""
    """The ``code`` of the body itself, empty where it is missing or something else than a text."""
    words: str = ""
    """What it says in words, on one line and cut short; only the partner's people may see it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer has been read to its end."""

    status: int
    headers: httpx.Headers
    body: bytes
    """The decompressed body."""

    def __repr__(self) -> str:
        return f"Answer({self.status})"

    @property
    def is_success(self) -> bool:
        return self.status in _SUCCESSES

    @property
    def is_client_error(self) -> bool:
        return self.status in _CLIENT_ERRORS

    @property
    def server_time(self) -> datetime | None:
        """Return the ``Date`` header in UTC, or None for a missing or unreadable one."""
        try:
            moment = parsedate_to_datetime(self.headers.get("Date", ""))
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            return None

    @property
    def parsed_bytes(self) -> int:
        """Return how much memory the body takes as JSON, at the worst."""
        return parsed_bytes(self.body)

    def json(self) -> Any:
        """Return the parsed body, as :func:`read_json` does.

        Raises UnavailableError for text and for JSON that ends early, TooLargeError for more than
        MAX_PARSED_BYTES.
        """
        needed_bytes = self.parsed_bytes
        if needed_bytes > MAX_PARSED_BYTES:
            raise TooLargeError("ConnectWise's answer is too large")
        # The error of a text that is no JSON holds the whole text, so it is let go of.
        turn = _turn_of_large if needed_bytes > _LARGE_BYTES else nullcontext()
        with turn, suppress(ValueError):
            return read_json(self.body)
        raise UnavailableError("the answer is not JSON")

    def refusal(self) -> Refusal | None:
        """Return the refusal in a JSON object, or None for text, HTML and an empty body.

        ConnectWise answers errors as JSON objects with ``code``, or ``error`` when throttling
        (developer guide). Gateways before it write JSON too; ``failures`` tells them apart.
        """
        try:
            body = self.json()
        except UnavailableError:
            return None
        if not isinstance(body, dict):
            return None
        errors = body.get("errors")
        listed = errors if isinstance(errors, list) else []
        details = [each for each in listed if isinstance(each, dict)]
        fields = (str(each.get("field", "")) for each in details[:_MAX_NAMED_FIELDS])
        codes = [each.get("code") for each in details] + [body.get("code"), body.get("error")]
        code = next((c for c in codes if isinstance(c, str) and _CODE.fullmatch(c)), "unknown")
        body_code = body.get("code")
        return Refusal(
            code,
            tuple(name for name in fields if _FIELD.fullmatch(name)),
            body_code if isinstance(body_code, str) else "",
            _words([*(each.get("message") for each in details), body.get("message")]),
        )


def _words(messages: Sequence[object]) -> str:
    """Return the first message that is a text, printable and on one line."""
    text = next((each for each in messages if isinstance(each, str) and each.strip()), "")
    printable = "".join(c if c.isprintable() else " " for c in text[: 2 * _MAX_WORDS_LENGTH])
    return " ".join(printable.split())[:_MAX_WORDS_LENGTH]


def json_bytes(value: object) -> bytes:
    """Return JSON in which decimals are numbers with all their places, such as ``110.00``.

    Raises TypeError for a float: an amount must never have been one.
    """
    return _json_text(value).encode()


def _json_text(value: object) -> str:
    match value:
        case Mapping():
            pairs = (f"{json.dumps(name)}: {_json_text(each)}" for name, each in value.items())
            return f"{{{', '.join(pairs)}}}"
        case list():
            return f"[{', '.join(map(_json_text, value))}]"
        case Decimal() if value.is_finite():
            return f"{value:f}"
        case float() | Decimal():
            raise TypeError("a number in JSON is an integer or a decimal")
    return json.dumps(value)


@lru_cache(maxsize=512)
def _parsed(url: str) -> httpx.URL:
    """Return the URL parsed by httpx, from a cache: parsing takes longer than all else here."""
    return httpx.URL(url)


def exchange(
    transport: httpx.BaseTransport,
    method: str,
    url: str,
    *,
    limits: CallLimits,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
) -> Answer:
    """Send one request and read the whole answer within ``limits``.

    Raises httpx.TransportError, whose subclasses tell the cause, and UnsafeAddressError.
    """
    seconds = limits.seconds
    timeouts = {
        "connect": min(CONNECT_SECONDS, seconds),
        "read": seconds,
        "write": min(WRITE_SECONDS, seconds),
        "pool": min(POOL_SECONDS, seconds),
    }
    request = httpx.Request(
        method,
        _parsed(url),
        headers=dict(headers or {}),
        content=content,
        extensions={
            "timeout": timeouts,
            TOTAL_SECONDS: seconds,
            MAX_ANSWER_BYTES: limits.answer_bytes,
        },
    )
    response = transport.handle_request(request)
    # A body may come byte by byte: whole pieces of it would take many times its length.
    body = bytearray()
    try:
        for piece in response.iter_bytes():
            body += piece
    finally:
        response.close()
    return Answer(response.status_code, response.headers, bytes(body))
