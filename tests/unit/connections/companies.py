"""ConnectWise companies behind one or several addresses, and partners who connect them."""

from __future__ import annotations

from datetime import timedelta

from bridge.connections.callbacks import sha256_of
from bridge.connections.connect import ConnectionRequest
from bridge.domain.company import CompanyClaim
from bridge.domain.connection import (
    CallbackSecret,
    Connection,
    ConnectionState,
    Credentials,
    PsaAddress,
)
from bridge.domain.identity import connection_id_of
from bridge.domain.job import Job
from bridge.domain.problem import Problem, ProblemCode
from bridge.ports import Stored
from tests.fakes.clock import START, FakeClock
from tests.fakes.jobs import do_job
from tests.unit.dashboard_api.world import SpyPsa, World

MINE, THEIRS = "partner-a", "partner-b"
CLOUD = PsaAddress(
    "https://na.myconnectwise.net", "https://api-na.myconnectwise.net", "v2025_1/", is_cloud=True
)
FIRST_DOOR, SECOND_DOOR = "https://psa.example", "https://alias.example"
OTHER_SERVER = "https://elsewhere.example"
KEYS, OTHER_KEYS = ("public-1", "private-1"), ("public-2", "private-2")
QUARANTINE_SECONDS = 60 + 600 + 60


class Companies(World):
    """One self-hosted ConnectWise behind two addresses, the cloud, and another server."""

    def __init__(self) -> None:
        super().__init__(clock=FakeClock(remaining_seconds=100_000.0))
        self.cloud = SpyPsa()
        self.elsewhere = SpyPsa()
        self.spy_gateway.others = {CLOUD.site_url: self.cloud, OTHER_SERVER: self.elsewhere}
        self.spy_gateway.address = CLOUD

    def connect(
        self,
        partner_id: str = MINE,
        site_url: str | None = FIRST_DOOR,
        *,
        company_id: str = "acme",
        keys: tuple[str, str] = KEYS,
    ) -> Connection:
        request = ConnectionRequest(partner_id, Credentials(company_id, *keys), site_url)
        self.connector.connect(request)
        connection_id = connection_id_of(partner_id, company_id, site_url or CLOUD.site_url)
        return self.stored_connection(connection_id)

    def connection_before(
        self,
        partner_id: str = MINE,
        site_url: str = FIRST_DOOR,
        *,
        keys: tuple[str, str] = KEYS,
        age: timedelta = timedelta(days=1),
    ) -> Connection:
        """Store a connection as version 0.1.0 left it: registered, and without a key."""
        connection_id = connection_id_of(partner_id, "acme", site_url)
        secret = f"secret-of-{connection_id}"
        connection = Connection(
            connection_id=connection_id,
            partner_id=partner_id,
            company_id="acme",
            address=PsaAddress(site_url, site_url, "v4_6_release/", is_cloud=False),
            state=ConnectionState.ACTIVE,
            created_at=START - age,
            callback_secret=CallbackSecret(sha256_of(secret)),
            member_identifier="AlternativeAgent",
        )
        self.connections.save(connection, expected_version=0)
        self.vault.put_credentials(connection_id, Credentials("acme", *keys, secret))
        self.server_at(site_url).callback_urls.append(
            f"{self.webhook_base_url}/webhooks/connectwise/{connection_id}/{secret}?recordId="
        )
        return connection

    def server_at(self, site_url: str) -> SpyPsa:
        return self.spy_gateway.others.get(site_url, self.psa)

    def disconnect(self, connection: Connection) -> None:
        self.disconnector.disconnect(connection.partner_id, connection.connection_id)

    def an_hour_later(self) -> None:
        """Let the hourly job run."""
        self.clock.advance(hours=1)
        self.clock.set_remaining(900)
        do_job(self, Job.CALLBACKS)

    def now_of(self, connection: Connection) -> Connection:
        return self.stored_connection(connection.connection_id)

    def problems_of(self, connection: Connection) -> dict[ProblemCode, Problem]:
        scope = (connection.partner_id, connection.connection_id)
        return {each.code: each for each in self.problems.open_of_connection(*scope).values()}

    def claim_of(self, connection: Connection) -> Stored[CompanyClaim]:
        return self.companies.get(self.now_of(connection).company_key)
