"""Requests that go on beside each other over one transport end each in its own time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx
import pytest

from bridge.connectwise.egress import TOTAL_SECONDS, GuardedTransport
from tests.unit.connectwise.scripted_network import Network, OpenStream

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"


@dataclass
class Meeting:
    """Two requests wait for each other where their answers begin, on a clock that stands still."""

    barrier: threading.Barrier = field(default_factory=lambda: threading.Barrier(2, timeout=30))
    seconds: float = 100.0
    limits: dict[str, list[float | None]] = field(default_factory=dict)
    """The seconds that each read might take, by the path of its request."""

    def now(self) -> float:
        return self.seconds

    def pass_by(self, seconds: float) -> None:
        self.seconds += seconds


class Line(OpenStream):
    """A connection whose answers come in two parts, the other request in between."""

    def __init__(self, meeting: Meeting) -> None:
        self._meeting = meeting
        self._path = ""
        self._parts: Iterator[bytes] = iter(())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if b" HTTP/1.1\r\n" in buffer:
            self._path = buffer.split(b" ")[1].decode()
            self._parts = iter((HEAD, b"[]"))

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._meeting.limits.setdefault(self._path, []).append(timeout)
        self._meeting.barrier.wait()
        return next(self._parts, b"")

    def get_extra_info(self, info: str) -> object:
        return False if info == "is_readable" else None


def transport(meeting: Meeting) -> GuardedTransport:
    network = Network(lambda *_: Line(meeting))
    return GuardedTransport(
        resolver=lambda _: ("52.1.2.3",), backend=network, monotonic=meeting.now
    )


def get(over: GuardedTransport, path: str, seconds: float) -> bytes:
    request = httpx.Request(
        "GET", f"https://na.myconnectwise.net{path}", extensions={TOTAL_SECONDS: seconds}
    )
    response = over.handle_request(request)
    try:
        return response.read()
    finally:
        response.close()


def test_a_read_beside_a_payment_leaves_the_payments_time_as_it_is() -> None:
    meeting = Meeting()
    shared = transport(meeting)

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(get, (shared, shared), ("/payment", "/page"), (30.0, 40.0)))

    assert answers == [b"[]", b"[]"]
    assert meeting.limits == {"/payment": [30.0, 30.0], "/page": [40.0, 40.0]}


def test_a_kept_connection_has_the_time_of_the_request_that_uses_it() -> None:
    meeting = Meeting(barrier=threading.Barrier(1))
    shared = transport(meeting)

    get(shared, "/first", 40.0)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(get, shared, "/second", 5.0).result()

    assert meeting.limits == {"/first": [40.0, 40.0], "/second": [5.0, 5.0]}


def test_a_request_ends_in_its_own_time_while_another_one_goes_on() -> None:
    """The clock moves beyond the shorter time once both answers have begun."""
    meeting = Meeting()
    meeting.barrier = threading.Barrier(2, action=lambda: meeting.pass_by(20))
    shared = transport(meeting)

    with ThreadPoolExecutor(2) as pool:
        short = pool.submit(get, shared, "/short", 10.0)
        long = pool.submit(get, shared, "/long", 40.0)
        with pytest.raises(httpx.ReadTimeout):
            short.result()
        meeting.barrier.abort()
        assert isinstance(long.exception(), threading.BrokenBarrierError)

    assert meeting.limits == {"/short": [10.0], "/long": [40.0, 20.0]}
