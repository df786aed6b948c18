"""The httpx transport lets a client in this process talk to an engine directly."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from connectwise_sandbox.engine import Engine
from connectwise_sandbox.messages import Fate, Request, Response


class EngineTransport(httpx.BaseTransport):
    """An engine transport answers every request of an httpx client from an engine.

    It calls `wait` with the seconds that an answer takes, at most the client's read limit; a
    simulation moves its clock there. A late answer raises httpx.ReadTimeout, a cut connection
    httpx.RemoteProtocolError.
    """

    def __init__(self, engine: Engine, wait: Callable[[float], None] = lambda _: None) -> None:
        self._engine = engine
        self._wait = wait

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request of an httpx client."""
        answer = self._engine.handle(
            Request.of(
                method=request.method,
                target=request.url.raw_path.decode("ascii"),
                headers={
                    name.decode("ascii"): value.decode("latin-1")
                    for name, value in request.headers.raw
                },
                body=request.read(),
            )
        )
        limit_seconds = _read_limit_seconds(request)
        self._spend_time(answer, limit_seconds, request)
        headers = [(name.encode(), value.encode()) for name, value in answer.headers.items()]
        headers.append((b"content-length", str(len(answer.body)).encode()))
        return httpx.Response(answer.status, headers=headers, stream=httpx.ByteStream(answer.body))

    def _spend_time(
        self, answer: Response, limit_seconds: float | None, request: httpx.Request
    ) -> None:
        withheld = answer.fate is Fate.WITHHELD
        too_slow = limit_seconds is not None and answer.delay_seconds > limit_seconds
        if withheld or too_slow:
            self._wait(limit_seconds or 0.0)
            raise httpx.ReadTimeout("no answer in time", request=request)
        if answer.delay_seconds > 0:
            self._wait(answer.delay_seconds)
        if answer.fate is Fate.CUT:
            message = "the server closed the connection without an answer"
            raise httpx.RemoteProtocolError(message, request=request)


def _read_limit_seconds(request: httpx.Request) -> float | None:
    limits = request.extensions.get("timeout", {})
    value = limits.get("read")
    return float(value) if value is not None else None
