"""An ASGI application hands HTTP requests to the engine, and a task sends its callbacks."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from urllib.parse import urlsplit, urlunsplit

import httpx
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response as HttpResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from connectwise_sandbox.bodies import MAX_BODY_BYTES
from connectwise_sandbox.deliveries import ANSWER_LIMIT_SECONDS, Delivery
from connectwise_sandbox.engine import Engine
from connectwise_sandbox.messages import Fate, Request, Response

HOLD_SECONDS = 120.0
"""Time that a connection stays open while its answer is withheld."""
MAX_DELIVERIES_AT_ONCE = 20
_PUMP_SECONDS = 0.02
_LOOPBACK = "127.0.0.1"
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]

CutConnection = Callable[[tuple[str, int]], None]
"""Closes the connection of a client, named by host and port, before any answer."""


def build_app(engine: Engine, lock: threading.Lock, cut: CutConnection) -> Starlette:
    """Return the application; `lock` keeps the engine to one caller at a time."""

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        pump = asyncio.create_task(_deliver_forever(engine, lock))
        try:
            yield
        finally:
            pump.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await pump

    async def answer(request: HttpRequest) -> HttpResponse:
        body = await _read_body(request)
        incoming = Request.of(request.method, _read_target(request.scope), request.headers, body)
        with lock:
            response = engine.handle(incoming)
        return _Answer(response, cut)

    return Starlette(routes=[Route("/{path:path}", answer, methods=_METHODS)], lifespan=lifespan)


class _Answer(HttpResponse):
    """An answer is sent, withheld or cut, as its fate says."""

    def __init__(self, response: Response, cut: CutConnection) -> None:
        super().__init__(response.body, response.status, dict(response.headers))
        self._delay_seconds = response.delay_seconds
        self._fate = response.fate
        self._cut = cut

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # A server that ends cancels what still waits; the connection is cut then.
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(self._delay_seconds)
            if self._fate is Fate.WITHHELD:
                await _until_disconnected(receive)
            if self._fate is Fate.SENT:
                await super().__call__(scope, receive, send)
                return
        self._cut(scope["client"])
        await _until_disconnected(receive)


async def _until_disconnected(receive: Receive) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(HOLD_SECONDS):
            while (await receive())["type"] != "http.disconnect":
                pass


async def _read_body(request: HttpRequest) -> bytes:
    """Return the body, cut off just above the engine's limit."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            return body[: MAX_BODY_BYTES + 1]
    return body


def _read_target(scope: Scope) -> str:
    raw_path: bytes = scope["raw_path"]
    query: bytes = scope["query_string"]
    return (raw_path + b"?" + query if query else raw_path).decode("latin-1")


async def _deliver_forever(engine: Engine, lock: threading.Lock) -> None:
    """Send each callback when it falls due, in that order."""
    limit = asyncio.Semaphore(MAX_DELIVERIES_AT_ONCE)
    async with (
        httpx.AsyncClient(timeout=ANSWER_LIMIT_SECONDS, trust_env=False) as client,
        asyncio.TaskGroup() as sending,
    ):
        while True:
            with lock:
                due = engine.take_due_deliveries()
            for delivery in due:
                sending.create_task(_deliver(client, limit, engine, lock, delivery))
            await asyncio.sleep(_PUMP_SECONDS)


async def _deliver(
    client: httpx.AsyncClient,
    limit: asyncio.Semaphore,
    engine: Engine,
    lock: threading.Lock,
    delivery: Delivery,
) -> None:
    url, host = _resolve_loopback(delivery.url)
    status: int | None = None
    async with limit:
        with contextlib.suppress(httpx.HTTPError, httpx.InvalidURL, TimeoutError):
            async with asyncio.timeout(ANSWER_LIMIT_SECONDS):
                headers = {**delivery.headers, "host": host}
                request = client.stream("POST", url, content=delivery.body, headers=headers)
                async with request as answer:
                    status = answer.status_code
    with lock:
        engine.record_delivery_result(delivery.id, status)


def _resolve_loopback(url: str) -> tuple[str, str]:
    """Return the URL to connect to and the Host header.

    Names below `.localhost` mean this machine (RFC 6761), even if its resolver disagrees.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host != "localhost" and not host.endswith(".localhost"):
        return url, parts.netloc
    port = f":{parts.port}" if parts.port else ""
    return urlunsplit(parts._replace(netloc=f"{_LOOPBACK}{port}")), parts.netloc
