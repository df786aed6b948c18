"""Networks of a test's own: its connections, and servers that answer piece by piece."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Iterator

import httpcore

Answer = Callable[[bytes], Iterator[bytes]]
"""Makes the bytes that come back for the head of a request."""


class Network(httpcore.NetworkBackend):
    """Each of its connections is what ``connect`` makes for a host and a port."""

    def __init__(self, connect: Callable[[str, int], httpcore.NetworkStream]) -> None:
        self._connect = connect

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[object] | None = None,
    ) -> httpcore.NetworkStream:
        return self._connect(host, port)


class OpenStream(httpcore.NetworkStream):
    """A stream that takes any certificate, and whose end nobody notices."""

    def close(self) -> None:
        pass

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        return self


class ScriptedNetwork(Network):
    """Each of its connections takes one request and answers it."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(lambda *_: _Connection(answer))


class _Connection(OpenStream):
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


def answer_of(
    pieces: Iterator[bytes], *, status: int = 200, is_gzip: bool = False
) -> Iterator[bytes]:
    """Yield an answer that ends with its connection."""
    yield f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n".encode()
    yield b"Content-Encoding: gzip\r\n" if is_gzip else b""
    yield b"Connection: close\r\n\r\n"
    yield from pieces
