"""Requests go into the engine and responses come out, free of any transport."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, unquote

Headers = Mapping[str, str]

JSON_TYPE = "application/json; charset=utf-8"


class Fate(StrEnum):
    """A fate tells the transport how to treat an answer."""

    SENT = "sent"
    WITHHELD = "withheld"
    """Every byte is kept back; the caller's own time limit ends the wait."""
    CUT = "cut"
    """The connection is closed before the first byte."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request is one HTTP request, decoded."""

    method: str
    path: str
    """Decoded."""
    query: tuple[tuple[str, str], ...] = ()
    """The decoded parameters in order."""
    headers: Headers = field(default_factory=dict)
    """By names in lower case."""
    body: bytes = b""
    target: str = ""
    """Path and query as they came."""

    @classmethod
    def of(cls, method: str, target: str, headers: Headers, body: bytes = b"") -> Request:
        """Build a request from its raw parts; `headers` may be in any case."""
        path, query = _path_and_query(target)
        return cls(
            method=method.upper(),
            path=path,
            query=query,
            headers={name.lower(): value for name, value in headers.items()},
            body=body,
            target=target,
        )

    def parameter(self, name: str) -> str | None:
        """Return the first query parameter named `name`, in any case."""
        return _first_values(self.query).get(name.lower())


@dataclass(frozen=True, slots=True)
class Response:
    """A response is one HTTP answer and its treatment by the transport."""

    status: int
    headers: Headers = field(default_factory=dict)
    body: bytes = b""
    fate: Fate = Fate.SENT
    delay_seconds: float = 0.0
    """Pass before the answer is sent."""

    def json(self) -> Any:
        """Return the parsed body, its numbers with a decimal point as Decimal."""
        return json.loads(self.body, parse_float=Decimal)


@dataclass(frozen=True, slots=True)
class RawJson:
    """Raw JSON is written as it stands, even where readers choke on it."""

    text: str


def encode_json(payload: object) -> bytes:
    """Return JSON in UTF-8; a Decimal is written as a double (`147350.0`), RawJson as its text."""
    written = _ENCODER.encode(payload)
    if _RAW_MARK in written:
        written = _MARKED_TEXT.sub(lambda found: str(json.loads(f'"{found[1]}"')), written)
    return written.encode()


def json_response(status: int, payload: object, headers: Headers | None = None) -> Response:
    """Return an answer with a JSON body."""
    return Response(status, {"content-type": JSON_TYPE, **(headers or {})}, encode_json(payload))


def text_response(status: int, text: str, content_type: str = "text/plain") -> Response:
    """Return an answer with a text body."""
    return Response(status, {"content-type": f"{content_type}; charset=utf-8"}, text.encode())


@lru_cache(maxsize=1_024)
def _path_and_query(target: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    path, _, query = target.partition("?")
    return unquote(path), tuple(parse_qsl(query, keep_blank_values=True))


@lru_cache(maxsize=1_024)
def _first_values(query: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    return {name.lower(): value for name, value in reversed(query)}


_RAW_MARK = "\ufdd0"
"""A code point outside all texts; it marks raw JSON until the whole text is written."""
_MARKED_TEXT = re.compile(rf'"{_RAW_MARK}((?:[^"\\]|\\.)*)"')


def _written_form(value: object) -> float | str:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, RawJson):
        return _RAW_MARK + value.text
    raise TypeError(f"{type(value).__name__} has no form in JSON")


_ENCODER = json.JSONEncoder(
    default=_written_form, ensure_ascii=False, separators=(",", ":"), allow_nan=False
)
