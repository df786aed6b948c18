"""A network whose servers answer what a test makes of a request, piece by piece."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Iterator

import httpcore

Answer = Callable[[bytes], Iterator[bytes]]
"""Makes the bytes that come back for the head of a request."""


class ScriptedNetwork(httpcore.NetworkBackend):
    """Each of its connections takes one request and answers it."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[object] | None = None,
    ) -> httpcore.NetworkStream:
        return _Connection(self._answer)


class _Connection(httpcore.NetworkStream):
    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._request = b""
        self._pieces: Iterator[bytes] = iter(())
        self._left = b""

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        is_first = not self._request
        self._request += buffer
        if is_first:
            self._pieces = self._answer(self._request)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if not self._left:
            self._left = next((piece for piece in self._pieces if piece), b"")
        piece, self._left = self._left[:max_bytes], self._left[max_bytes:]
        return piece

    def close(self) -> None:
        self._pieces = iter(())

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        return self


def answer_of(
    pieces: Iterator[bytes], *, status: int = 200, is_gzip: bool = False
) -> Iterator[bytes]:
    """Yield an answer that ends with its connection."""
    yield f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n".encode()
    yield b"Content-Encoding: gzip\r\n" if is_gzip else b""
    yield b"Connection: close\r\n\r\n"
    yield from pieces
