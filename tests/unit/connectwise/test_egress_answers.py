"""Which answers the bridge takes, from real servers on this machine."""

from __future__ import annotations

import gzip
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from bridge.connectwise.call_limits import MAX_REFUSAL_BYTES
from bridge.connectwise.egress import (
    MAX_ANSWER_BYTES,
    TOTAL_SECONDS,
    GuardedTransport,
    UnsafeAnswerError,
)
from infra.local.patience import PATIENCE_SECONDS

Answer = Callable[[BaseHTTPRequestHandler], None]
DRIP_SECONDS = 0.1


@contextmanager
def answering(answer: Answer) -> Iterator[str]:
    """Serve one answer on a free port of loopback until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            try:
                answer(self)
            except OSError:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def body(content: bytes, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def read(url: str, *, max_bytes: int = 10_000, seconds: float = PATIENCE_SECONDS) -> httpx.Response:
    timeout = {"connect": seconds, "read": seconds, "write": seconds, "pool": seconds}
    limits = {"timeout": timeout, TOTAL_SECONDS: seconds, MAX_ANSWER_BYTES: max_bytes}
    with GuardedTransport(allow_loopback=True) as transport:
        request = httpx.Request("GET", url, extensions=limits)
        response = transport.handle_request(request)
        try:
            response.read()
        finally:
            response.close()
        return response


def test_an_answer_is_read() -> None:
    with answering(body(b"[1]")) as url:
        assert read(url).content == b"[1]"


def test_a_compressed_answer_is_read() -> None:
    content = b"[1,2,3]" * 500
    with answering(body(gzip.compress(content), Content_Encoding="gzip")) as url:
        response = read(url)
    assert response.content == content
    assert "Content-Encoding" not in response.headers


def test_an_empty_answer_may_claim_to_be_compressed() -> None:
    with answering(body(b"", Content_Encoding="gzip")) as url:
        assert read(url).content == b""


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 304])
def test_a_redirect_is_not_followed(status: int) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Location", "http://169.254.169.254/latest/meta-data/")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    with answering(answer) as url, pytest.raises(UnsafeAnswerError) as raised:
        read(url)
    assert raised.value.reason == "redirect"


@pytest.mark.parametrize("size", [10_001, 200_000])
def test_an_answer_beyond_the_limit_is_cut_off(size: int) -> None:
    with answering(body(b"x" * size)) as url, pytest.raises(UnsafeAnswerError) as raised:
        read(url)
    assert raised.value.reason == "too_large"


@pytest.mark.parametrize(
    "rest",
    [b"\0" * 5_000, gzip.compress(b"x" * 5_000, mtime=0), b"{"],
    ids=["zeros", "another stream", "text"],
)
def test_what_comes_behind_a_compressed_answer_stays_unread(rest: bytes) -> None:
    with answering(body(gzip.compress(b"[1]") + rest, Content_Encoding="gzip")) as url:
        assert read(url).content == b"[1]"


def test_a_compressed_answer_that_never_begins_is_cut_off() -> None:
    """Its header holds a file name without an end."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Encoding", "gzip")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"a\r\n\x1f\x8b\x08\x08\0\0\0\0\0\xff\r\n")
        while True:
            handler.wfile.write(b"400\r\n" + b"x" * 0x400 + b"\r\n")

    with answering(answer) as url, pytest.raises(UnsafeAnswerError) as raised:
        read(url)
    assert raised.value.reason == "too_large"


@pytest.mark.parametrize("status", [400, 401, 404, 500])
def test_of_a_refusal_the_beginning_is_read(status: int) -> None:
    content = b"x" * (3 * MAX_REFUSAL_BYTES)

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    with answering(answer) as url:
        response = read(url, max_bytes=10 * MAX_REFUSAL_BYTES)

    assert (response.status_code, len(response.content)) == (status, MAX_REFUSAL_BYTES)


def test_an_answer_at_the_limit_is_read() -> None:
    with answering(body(b"x" * 10_000)) as url:
        assert len(read(url).content) == 10_000


def test_an_endless_answer_is_cut_off() -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        while True:
            handler.wfile.write(b"400\r\n" + b"x" * 0x400 + b"\r\n")

    with answering(answer) as url, pytest.raises(UnsafeAnswerError) as raised:
        read(url)
    assert raised.value.reason == "too_large"


def test_a_small_answer_that_swells_is_cut_off() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    assert len(bomb) < 60_000

    with (
        answering(body(bomb, Content_Encoding="gzip")) as url,
        pytest.raises(UnsafeAnswerError) as raised,
    ):
        read(url)
    assert raised.value.reason == "too_large"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (gzip.compress(gzip.compress(b"x")), "gzip, gzip"),
        (zlib.compress(b"x"), "deflate"),
        (b"x", "br"),
        (b"not compressed", "gzip"),
    ],
    ids=["twice", "deflate", "brotli", "not at all"],
)
def test_an_encoding_nobody_asked_for_is_refused(content: bytes, encoding: str) -> None:
    with (
        answering(body(content, Content_Encoding=encoding)) as url,
        pytest.raises(UnsafeAnswerError) as raised,
    ):
        read(url)
    assert raised.value.reason == "encoding"


def test_a_compressed_answer_that_ends_early_is_an_error_of_the_network() -> None:
    content = gzip.compress(bytes(range(256)) * 20)[:-30]
    with answering(body(content, Content_Encoding="gzip")) as url, pytest.raises(httpx.ReadError):
        read(url)


def _drip(handler: BaseHTTPRequestHandler, text: bytes) -> None:
    for position in range(len(text)):
        handler.wfile.write(text[position : position + 1])
        handler.wfile.flush()
        time.sleep(DRIP_SECONDS)


def dripping_body(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "60")
    handler.end_headers()
    _drip(handler, b"x" * 60)


def dripping_headers(handler: BaseHTTPRequestHandler) -> None:
    _drip(handler, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Padding: " + b"x" * 60 + b"\r\n\r\n")


@pytest.mark.parametrize("answer", [dripping_body, dripping_headers])
def test_an_answer_that_drips_ends_with_the_total_time(answer: Answer) -> None:
    """Each byte comes in time: a limit on every read alone would let all of it through."""
    with answering(answer) as url, pytest.raises(httpx.TimeoutException):
        read(url, seconds=5 * DRIP_SECONDS)


def test_connections_are_given_back_after_answers_that_were_cut_off() -> None:
    with (
        answering(body(b"x" * 20_000)) as url,
        GuardedTransport(allow_loopback=True) as transport,
    ):
        for _ in range(15):
            response = transport.handle_request(
                httpx.Request("GET", url, extensions={MAX_ANSWER_BYTES: 10_000})
            )
            with pytest.raises(UnsafeAnswerError):
                response.read()
            response.close()
