"""A client whose transport plays a script, so that a test says what each request meets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import httpx

from bridge.connectwise.access import Access
from bridge.connectwise.client import ConnectWiseClient
from bridge.domain.connection import Credentials, PsaAddress
from tests.fakes.clock import FakeClock
from tests.unit.connectwise.sandbox import OpenLimiter

ADDRESS = PsaAddress(
    "https://na.myconnectwise.net", "https://api-na.myconnectwise.net", "v2025_1/", is_cloud=True
)
KEYS = Credentials("acme", "public", "private")
Step = httpx.Response | Exception


@dataclass
class Bench:
    """A client whose transport plays a script and keeps what was sent."""

    script: Iterator[Step]
    clock: FakeClock = field(default_factory=FakeClock)
    limiter: OpenLimiter = field(default_factory=OpenLimiter)
    sent: list[httpx.Request] = field(default_factory=list)
    vault: list[Credentials] = field(default_factory=lambda: [KEYS])
    found: PsaAddress = ADDRESS
    told: list[PsaAddress] = field(default_factory=list)

    def play(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        step = next(self.script)
        if isinstance(step, Exception):
            raise step
        return step

    def client(self, transport: httpx.BaseTransport | None = None) -> ConnectWiseClient:
        def credentials(*, is_fresh: bool = False) -> Credentials:
            return self.vault[-1] if is_fresh else self.vault[0]

        return ConnectWiseClient(
            partner_id="partner-1",
            connection_id="connection-1",
            access=Access(
                address=ADDRESS,
                credentials=credentials,
                client_id=lambda: "client-guid",
                rediscover=lambda: self.found,
                on_codebase_changed=self.told.append,
            ),
            transport=transport or httpx.MockTransport(self.play),
            limiter=self.limiter,
            clock=self.clock,
        )


def bench(*steps: Step) -> Bench:
    return Bench(iter(steps))


def ok(value: object = ()) -> httpx.Response:
    return httpx.Response(200, json=list(value) if isinstance(value, Iterable) else value)


def refused(status: int, code: str = "Some", **headers: str) -> httpx.Response:
    body = {"code": code, "message": "text", "errors": None}
    return httpx.Response(status, json=body, headers=headers)


TEXT_400 = httpx.Response(400, text="Cannot route. Codebase/company is invalid")
HTML_404 = httpx.Response(404, html="<html>not found</html>")
