"""A bridge to a sandboxed ConnectWise in this process: no sockets, no waiting."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx

from bridge.connectwise.gateway import ConnectWiseGateway, InformationMissed
from bridge.connectwise.psa import ConnectWisePsa
from bridge.domain.connection import Connection, ConnectionState, Credentials, PsaAddress
from bridge.ports import CallPurpose
from connectwise_sandbox.clock import ManualClock
from connectwise_sandbox.engine import Engine
from connectwise_sandbox.httpx_transport import EngineTransport
from connectwise_sandbox.server import stocked_engine
from tests.fakes.clock import START, FakeClock
from tests.fakes.vault import InMemoryVault

CONNECTION_ID = "c" * 32
PARTNER_ID = "partner-1"
SITE_URL = "https://na.myconnectwise.net"


class OpenLimiter:
    """Lets every call through and notes what it was told."""

    def __init__(self) -> None:
        self.acquired = 0
        self.purposes: list[CallPurpose] = []
        self.wait_seconds = 0.0
        self.pauses: list[float] = []

    def acquire(self, connection_id: str, purpose: CallPurpose = CallPurpose.MIRROR) -> float:
        self.acquired += 1
        self.purposes.append(purpose)
        return self.wait_seconds

    def pause(self, connection_id: str, *, seconds: float) -> None:
        self.pauses.append(seconds)


@dataclass
class World:
    """A sandbox, a connection to it, and everything the adapter was given."""

    engine: Engine
    engine_clock: ManualClock
    connection: Connection
    vault: InMemoryVault
    clock: FakeClock = field(default_factory=FakeClock)
    limiter: OpenLimiter = field(default_factory=OpenLimiter)
    addresses_found: list[PsaAddress] = field(default_factory=list)
    information_missed: list[Connection] = field(default_factory=list)

    @property
    def credentials(self) -> Credentials:
        identity = self.engine.tenant.identity
        return Credentials(identity.company_id, identity.public_key, identity.private_key)

    def transport(self) -> httpx.BaseTransport:
        return EngineTransport(self.engine, wait=self.clock.sleep)

    def gateway(
        self,
        transport: httpx.BaseTransport | None = None,
        on_information_missed: InformationMissed | None = None,
    ) -> ConnectWiseGateway:
        return ConnectWiseGateway(
            transport=transport or self.transport(),
            vault=self.vault,
            limiter=self.limiter,
            clock=self.clock,
            on_codebase_changed=lambda _, found: self.addresses_found.append(found),
            on_information_missed=on_information_missed or self.information_missed.append,
        )

    def psa(self) -> ConnectWisePsa:
        return self.gateway().open(self.connection)


def connection_to(engine: Engine) -> Connection:
    return Connection(
        connection_id=CONNECTION_ID,
        partner_id=PARTNER_ID,
        company_id=engine.tenant.identity.company_id,
        address=PsaAddress(
            site_url=SITE_URL,
            api_origin="https://api-na.myconnectwise.net",
            codebase=engine.tenant.codebase,
            is_cloud=True,
        ),
        state=ConnectionState.ACTIVE,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def sandboxed_world(*, customers: int = 5, invoices: int = 30, seed: int = 7) -> World:
    engine_clock = ManualClock(START)
    engine = stocked_engine(seed=seed, customers=customers, invoices=invoices, clock=engine_clock)
    engine.tenant.base_url = SITE_URL
    identity = engine.tenant.identity
    vault = InMemoryVault(identity.client_id)
    credentials = Credentials(identity.company_id, identity.public_key, identity.private_key)
    vault.put_credentials(CONNECTION_ID, credentials)
    return World(engine, engine_clock, connection_to(engine), vault)
