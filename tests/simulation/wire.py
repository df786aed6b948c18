"""The way to ConnectWise and back: requests and answers that weigh less than those of httpx.

A seed sends thousands of requests, and httpx reads each URL and header anew that we have just
written. What the bridge does with them is unchanged: ``light_http`` gives its exchange these
classes in place of httpx's. The contract tests take the same exchange through httpx itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote

import httpx

from bridge.connectwise import exchange
from connectwise_sandbox.engine import Engine
from connectwise_sandbox.messages import Fate, Request, Response

MAX_KEPT_URLS = 4_096


class Url:
    """Knows the parts of a URL that engine, faults and invariants look at."""

    __slots__ = ("_text", "path", "query", "target")

    def __init__(self, text: str) -> None:
        start = text.index("/", text.index("://") + 3)
        self._text = text
        self.target = text[start:]
        path, _, query = self.target.partition("?")
        self.path = unquote(path)
        self.query = tuple(_parameters(query)) if query else ()

    def __str__(self) -> str:
        return self._text


class LightRequest:
    """Stands for an ``httpx.Request`` whose URL is read already."""

    __slots__ = ("_content", "extensions", "headers", "method", "url")

    def __init__(
        self,
        method: str,
        url: Url,
        *,
        headers: Mapping[str, str],
        content: bytes | None,
        extensions: Mapping[str, Any],
    ) -> None:
        self.method = method
        self.url = url
        self.headers = headers
        self.extensions = extensions
        self._content = content or b""

    def read(self) -> bytes:
        return self._content


class _Headers(dict[str, str]):
    """Finds a header by its name in any case; they are stored in lower case."""

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)


@dataclass(slots=True)
class LightResponse:
    """Stands for an ``httpx.Response`` that has come as a whole."""

    status_code: int
    headers: _Headers
    content: bytes

    def iter_bytes(self) -> Iterator[bytes]:
        yield self.content

    def close(self) -> None:
        """Do nothing: no connection is held."""


class EngineWire:
    """Answers light requests from an engine, as ``EngineTransport`` answers those of httpx."""

    def __init__(self, engine: Engine, wait: Callable[[float], None]) -> None:
        self._engine = engine
        self._wait = wait

    def send(self, request: LightRequest) -> LightResponse:
        """Answer a request. Raises httpx.ReadTimeout and httpx.RemoteProtocolError."""
        url = request.url
        headers = {name.lower(): value for name, value in request.headers.items()}
        answer = self._engine.handle(
            Request(request.method, url.path, url.query, headers, request.read(), url.target)
        )
        limit_seconds = request.extensions["timeout"]["read"]
        if answer.fate is not Fate.SENT or not 0 == answer.delay_seconds <= limit_seconds:
            self._spend_time(answer, limit_seconds)
        received = _Headers(answer.headers)
        received["content-length"] = str(len(answer.body))
        return LightResponse(answer.status, received, answer.body)

    def _spend_time(self, answer: Response, limit_seconds: float) -> None:
        if answer.fate is Fate.WITHHELD or answer.delay_seconds > limit_seconds:
            self._wait(limit_seconds)
            raise httpx.ReadTimeout("no answer in time")
        if answer.delay_seconds > 0:
            self._wait(answer.delay_seconds)
        if answer.fate is Fate.CUT:
            raise httpx.RemoteProtocolError("the server closed the connection without an answer")


@contextmanager
def light_http() -> Iterator[None]:
    """Let the bridge's exchange make light requests."""
    light = SimpleNamespace(Request=LightRequest, Headers=httpx.Headers)
    with patch.multiple(exchange, httpx=light, _parsed=lru_cache(maxsize=MAX_KEPT_URLS)(Url)):
        yield


def _parameters(query: str) -> Iterator[tuple[str, str]]:
    """Read a query as ``parse_qsl`` does, which looks at its limits first."""
    for pair in query.split("&"):
        if pair:
            name, _, value = pair.partition("=")
            yield _decoded(name), _decoded(value)


def _decoded(text: str) -> str:
    text = text.replace("+", " ")
    return unquote(text) if "%" in text else text
