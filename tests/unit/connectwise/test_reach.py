"""Servers that are not reached are told apart, over real sockets on this machine."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import httpcore
import httpx
import pytest

from bridge.connectwise.call_limits import DISCOVERY, GREETING
from bridge.connectwise.discovery import (
    ALL_REGIONS_SECONDS,
    CLOUD_REGIONS,
    discover,
    read_address,
)
from bridge.connectwise.egress import TOTAL_SECONDS, GuardedTransport, UnsafeAnswerError
from bridge.domain.errors import (
    SiteUnreachableError,
    UnavailableError,
    UnreachedCause,
    UnsafeAddressError,
)
from tests.unit.connectwise.sandbox import sandboxed_world

SITE = "https://connect.acme.example"
SOON = 0.2


@contextmanager
def listening(*, answer: bytes = b"") -> Iterator[str]:
    """Listen on a free port; connections get these bytes, or stay without any."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                held.append(connection)
                if answer:
                    connection.sendall(answer)
                    connection.shutdown(socket.SHUT_WR)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
        for connection in held:
            connection.close()


def closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


def cause_at(url: str, *, seconds: float = 5.0) -> tuple[UnreachedCause, str]:
    with (
        GuardedTransport(allow_loopback=True) as transport,
        pytest.raises(SiteUnreachableError) as raised,
    ):
        read_address(transport, url, "acme", seconds=seconds)
    return raised.value.cause, raised.value.address


def test_a_closed_port_is_told_with_its_address() -> None:
    url = f"http://{closed_port()}"
    assert cause_at(url) == (UnreachedCause.PORT_CLOSED, url)


def test_a_server_that_hangs_is_told_with_its_address() -> None:
    with listening() as place:
        url = f"http://{place}"
        assert cause_at(url, seconds=SOON) == (UnreachedCause.NO_ANSWER, url)


def test_a_server_without_tls_is_told() -> None:
    with listening(answer=b"HTTP/1.1 400 Bad Request\r\n\r\n") as place:
        url = f"https://{place}"
        assert cause_at(url) == (UnreachedCause.NO_TLS, url)


def test_another_kind_of_server_is_told() -> None:
    page = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>"
    with listening(answer=page) as place:
        url = f"http://{place}"
        assert cause_at(url) == (UnreachedCause.NOT_CONNECTWISE, url)


@pytest.mark.parametrize(
    "error",
    [
        socket.gaierror(socket.EAI_NONAME, "no such host"),
        UnicodeError("label empty or too long"),
    ],
)
def test_a_mistyped_host_is_told_with_its_address(error: Exception) -> None:
    def unknown(_host: str) -> Sequence[str]:
        raise error

    with (
        GuardedTransport(resolver=unknown) as transport,
        pytest.raises(SiteUnreachableError) as raised,
    ):
        discover(transport, "acme", "conect.acme.example/v4_6_release")
    assert raised.value.cause is UnreachedCause.HOST_UNKNOWN
    assert raised.value.address == "https://conect.acme.example"


def test_a_resolver_that_hangs_is_given_up_within_the_calls_time() -> None:
    release = threading.Event()

    def hanging(_host: str) -> Sequence[str]:
        release.wait()
        return ()

    with (
        GuardedTransport(resolver=hanging) as transport,
        pytest.raises(SiteUnreachableError) as raised,
    ):
        read_address(transport, SITE, "acme", seconds=SOON)
    release.set()
    assert raised.value.cause is UnreachedCause.NO_ANSWER


def test_a_private_address_stays_refused() -> None:
    with (
        GuardedTransport(resolver=lambda _: ("10.0.0.1",)) as transport,
        pytest.raises(UnsafeAddressError) as raised,
    ):
        discover(transport, "acme", SITE)
    assert raised.value.reason == "address"


def failing(error: Exception) -> httpx.MockTransport:
    def fail(_request: httpx.Request) -> httpx.Response:
        raise error

    return httpx.MockTransport(fail)


def with_cause(cause: Exception) -> httpx.ConnectError:
    behind = httpcore.ConnectError("handshake")
    behind.__cause__ = cause
    error = httpx.ConnectError("handshake")
    error.__cause__ = behind
    return error


@pytest.mark.parametrize(
    ("transport", "cause"),
    [
        (
            failing(with_cause(ssl.SSLCertVerificationError("self-signed"))),
            UnreachedCause.CERTIFICATE_INVALID,
        ),
        (failing(with_cause(ssl.SSLError("wrong version"))), UnreachedCause.NO_TLS),
        (failing(with_cause(OSError("no route to host"))), UnreachedCause.NO_ANSWER),
        (failing(httpx.ReadTimeout("slow")), UnreachedCause.NO_ANSWER),
        (failing(UnsafeAnswerError("redirect")), UnreachedCause.NOT_CONNECTWISE),
        (httpx.MockTransport(lambda _: httpx.Response(503)), UnreachedCause.FAILING),
        (httpx.MockTransport(lambda _: httpx.Response(403)), UnreachedCause.NOT_CONNECTWISE),
        (
            httpx.MockTransport(lambda _: httpx.Response(200, json={"Codebase": "x"})),
            UnreachedCause.NO_CODEBASE,
        ),
    ],
)
def test_other_causes_are_told_by_the_type_of_the_failure(
    transport: httpx.MockTransport, cause: UnreachedCause
) -> None:
    with pytest.raises(SiteUnreachableError) as raised:
        discover(transport, "acme", SITE)
    assert (raised.value.cause, raised.value.address) == (cause, SITE)


# --- ten seconds in total ----------------------------------------------------------------------


def test_a_person_who_connects_waits_ten_seconds_at_most_for_a_silent_server() -> None:
    assert DISCOVERY.seconds + GREETING.seconds <= 10
    world = sandboxed_world(customers=1, invoices=1)
    asked: list[float] = []

    def silent(request: httpx.Request) -> httpx.Response:
        asked.append(request.extensions[TOTAL_SECONDS])
        world.clock.sleep(asked[-1])
        raise httpx.ReadTimeout("silent")

    gateway = world.gateway(httpx.MockTransport(silent))
    before = world.clock.now()
    for call in (
        lambda: gateway.discover("acme", SITE),
        lambda: gateway.open(world.connection).read_system_info(),
    ):
        with pytest.raises(SiteUnreachableError) as raised:
            call()
        assert raised.value.cause is UnreachedCause.NO_ANSWER

    assert len(asked) == 2
    assert (world.clock.now() - before).total_seconds() <= 10


def test_silent_regions_of_the_cloud_are_given_up_after_ten_seconds() -> None:
    now = 100.0
    asked: list[float] = []

    def silent(request: httpx.Request) -> httpx.Response:
        nonlocal now
        asked.append(request.extensions[TOTAL_SECONDS])
        now += asked[-1]
        raise httpx.ReadTimeout("silent")

    with pytest.raises(UnavailableError):
        discover(httpx.MockTransport(silent), "acme", None, monotonic=lambda: now)

    assert sum(asked) <= ALL_REGIONS_SECONDS
    assert len(asked) < len(CLOUD_REGIONS)


def test_a_server_that_goes_away_later_is_told_by_its_cause_too() -> None:
    world = sandboxed_world(customers=1, invoices=1)
    refused = failing(with_cause(ConnectionRefusedError()))

    with pytest.raises(SiteUnreachableError) as raised:
        world.gateway(refused).open(world.connection).read_system_info()

    assert raised.value.cause is UnreachedCause.PORT_CLOSED
    assert raised.value.address == world.connection.address.api_origin
