"""The server offers an engine over HTTP, in the main thread or in a thread for tests."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from types import FrameType

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from connectwise_sandbox.admin import ADMIN_PREFIX
from connectwise_sandbox.asgi import build_app
from connectwise_sandbox.books import open_books
from connectwise_sandbox.certificate import Certificate, temporary_certificate
from connectwise_sandbox.clock import Clock, system_clock
from connectwise_sandbox.engine import Engine
from connectwise_sandbox.switches import Switches

LOOPBACK = "127.0.0.1"
START_SECONDS = 30.0
STOP_SECONDS = 10.0
_POLL_SECONDS = 0.005


@dataclass(frozen=True, slots=True)
class Announcement:
    """An announcement tells a client the sandbox's addresses and keys."""

    base_url: str
    company_id: str
    public_key: str
    private_key: str = field(repr=False)
    client_id: str
    admin_url: str
    certificate_path: str | None = None
    """The file with the certificate that a client has to trust; None for plain HTTP."""

    def as_dict(self) -> dict[str, str]:
        """Return the fields by name, those that have a value."""
        return {name: value for name, value in asdict(self).items() if value is not None}


class SandboxServer:
    """A sandbox server answers for one engine on one port; port 0 takes a free one.

    The constructor binds the port, so that `announcement` is complete before `run`.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        host: str = LOOPBACK,
        port: int = 0,
        certificate: Certificate | None = None,
    ) -> None:
        self.engine = engine
        self.lock = threading.Lock()
        self._certificate = certificate
        self._socket = _bind(host, port)
        bound_port = self._socket.getsockname()[1]
        scheme = "http" if certificate is None else "https"
        engine.tenant.base_url = f"{scheme}://{host}:{bound_port}"
        self._connections: dict[tuple[str, int], H11Protocol] = {}
        config = uvicorn.Config(
            build_app(engine, self.lock, self._cut_connection),
            http=_registering_protocol(self._connections),
            ws="none",
            lifespan="on",
            access_log=False,
            log_level="warning",
            date_header=False,
            server_header=False,
            timeout_graceful_shutdown=1,
            ssl_certfile=certificate.certificate_path if certificate else None,
            ssl_keyfile=certificate.key_path if certificate else None,
        )
        self._server = _PatientServer(config)

    @property
    def announcement(self) -> Announcement:
        """Return the addresses and keys of the sandbox."""
        tenant = self.engine.tenant
        identity = tenant.identity
        return Announcement(
            base_url=tenant.base_url,
            company_id=identity.company_id,
            public_key=identity.public_key,
            private_key=identity.private_key,
            client_id=identity.client_id,
            admin_url=f"{tenant.base_url}{ADMIN_PREFIX}",
            certificate_path=str(self._certificate.certificate_path) if self._certificate else None,
        )

    @property
    def is_ready(self) -> bool:
        """Return whether requests are being answered."""
        return self._server.started

    def run(self) -> None:
        """Serve until `stop`, SIGINT or SIGTERM."""
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._socket.close()

    def stop(self) -> None:
        """Ask `run` to end; safe from any thread."""
        self._server.should_exit = True

    def _cut_connection(self, client: tuple[str, int]) -> None:
        host, port = client
        protocol = self._connections.get((host, port))
        if protocol is not None:
            protocol.transport.abort()


class RunningSandbox:
    """A running sandbox serves in a thread of this process; `locked()` gives its engine."""

    def __init__(self, server: SandboxServer) -> None:
        self._server = server
        self.announcement = server.announcement
        self.base_url = self.announcement.base_url
        self.admin_url = self.announcement.admin_url

    @contextlib.contextmanager
    def locked(self) -> Iterator[Engine]:
        """Give the engine and hold requests back meanwhile."""
        with self._server.lock:
            yield self._server.engine


@contextlib.contextmanager
def running_sandbox(
    *,
    seed: int = 7,
    customers: int = 10,
    invoices: int = 50,
    clock: Clock = system_clock,
    switches: Switches | None = None,
    port: int = 0,
    tls: bool = False,
) -> Iterator[RunningSandbox]:
    """Run a sandbox on loopback for the length of a `with` block.

    Raises TimeoutError if it fails to start or stop in time.
    """
    engine = stocked_engine(
        seed=seed, customers=customers, invoices=invoices, clock=clock, switches=switches
    )
    with certificate_if(tls, LOOPBACK) as certificate:
        server = SandboxServer(engine, port=port, certificate=certificate)
        thread = threading.Thread(target=server.run, name="connectwise-sandbox", daemon=True)
        thread.start()
        try:
            _await_ready(server, thread)
            yield RunningSandbox(server)
        finally:
            server.stop()
            thread.join(STOP_SECONDS)
            if thread.is_alive():
                raise TimeoutError("the sandbox did not stop")


def certificate_if(
    tls: bool,
    host: str,
) -> AbstractContextManager[Certificate | None]:
    """Return a context that gives a certificate for a host if TLS is wanted, else None."""
    return temporary_certificate(host) if tls else contextlib.nullcontext()


def stocked_engine(
    *,
    seed: int,
    customers: int,
    invoices: int,
    clock: Clock = system_clock,
    switches: Switches | None = None,
) -> Engine:
    """Return an engine with generated books."""
    engine = Engine(clock=clock, seed=seed, switches=switches)
    open_books(engine.tenant, seed=seed, customers=customers, invoices=invoices)
    return engine


class _PatientServer(uvicorn.Server):
    """A patient server shuts down in order, however often Ctrl-C is pressed."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to shut down at the first signal."""
        if not self.should_exit:
            super().handle_exit(sig, frame)


def _await_ready(server: SandboxServer, thread: threading.Thread) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not server.is_ready:
        if time.monotonic() > deadline or not thread.is_alive():
            raise TimeoutError("the sandbox did not start")
        time.sleep(_POLL_SECONDS)


def _bind(host: str, port: int) -> socket.socket:
    # asyncio switches Nagle's delay off only where the protocol is named.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def _registering_protocol(
    connections: dict[tuple[str, int], H11Protocol],
) -> type[H11Protocol]:
    """Return uvicorn's protocol extended to note each connection, so that it can be cut.

    ASGI lacks a message that closes a connection before an answer.
    """

    class RegisteringProtocol(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            if self.client is not None:
                connections[self.client] = self

        def connection_lost(self, exc: Exception | None) -> None:
            if self.client is not None:
                connections.pop(self.client, None)
            super().connection_lost(exc)

    return RegisteringProtocol
