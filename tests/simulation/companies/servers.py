"""ConnectWise companies, each behind several names and with several API members."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

import httpx

from bridge.domain.connection import Connection, Credentials
from connectwise_sandbox.engine import Engine
from connectwise_sandbox.kinds import Kind
from connectwise_sandbox.messages import Request
from connectwise_sandbox.tenant import Identity
from tests.simulation.wire import EngineWire, LightRequest, LightResponse, Url

if TYPE_CHECKING:
    from tests.simulation.companies.provenance import Attempt
    from tests.simulation.companies.world import CompaniesWorld

CLOUD_SITE = "na.myconnectwise.net"
CLOUD_HOSTS = frozenset({CLOUD_SITE, f"api-{CLOUD_SITE}"})
COMPANY_INFO = "/login/companyinfo/"
LATER = "_perform_later"


@dataclass(eq=False)
class Company:
    """A company has one installation, host names that lead to it, and API members with keys."""

    engine: Engine
    hosts: list[str]
    is_in_cloud: bool
    members: dict[str, Identity] = field(default_factory=dict)
    """The members by their live public keys."""
    sending: Attempt | None = None
    """Whose request is being carried out."""

    @property
    def company_id(self) -> str:
        return self.engine.tenant.identity.company_id

    @property
    def registered_urls(self) -> list[str]:
        return [row["url"] for row in self.engine.tenant.store[Kind.CALLBACK]]

    def credentials_of(self, member: Identity, company_id: str = "") -> Credentials:
        return Credentials(company_id or self.company_id, member.public_key, member.private_key)

    def add_member(self, name: str) -> Identity:
        """Make an API member with a key pair of its own."""
        tenant = self.engine.tenant
        first = next(iter(tenant.store[Kind.MEMBER]))
        own = {key: value for key, value in first.items() if key not in ("id", "_info")}
        tenant.add(Kind.MEMBER, own | {"identifier": name}, "admin", announce=False)
        member = replace(
            tenant.identity,
            public_key=f"public-{name}",
            private_key=f"private-{name}",
            member_identifier=name,
        )
        self.members[member.public_key] = member
        return member

    @contextmanager
    def acting(self, identity: Identity, attempt: Attempt | None) -> Iterator[None]:
        """Let the installation take a request for this member's."""
        tenant = self.engine.tenant
        before = tenant.identity, self.sending
        tenant.identity, self.sending = identity, attempt
        try:
            yield
        finally:
            tenant.identity, self.sending = before

    def keep_whose_late_requests_are(self, over: Callable[[Attempt | None], None]) -> None:
        """Carry a late request out as the member who sent it, though its keys may be gone since."""
        engine = self.engine
        perform: Callable[[Request], object] = engine._perform

        def later(request: Request, seconds: float) -> None:
            identity, attempt = engine.tenant.identity, self.sending
            if attempt:
                attempt.is_late = True

            def act() -> None:
                with self.acting(identity, attempt):
                    perform(request)
                over(attempt)

            engine.tenant.put_off(seconds, act)

        vars(engine)[LATER] = later


class Servers:
    """All companies that a request may reach by its host, and in the cloud by its company id."""

    def __init__(self, companies: Sequence[Company]) -> None:
        self.companies = companies

    def at(self, host: str, company_id: str) -> Company | None:
        for company in self.companies:
            is_here = company.is_in_cloud if host in CLOUD_HOSTS else host in company.hosts
            if is_here and company.company_id.casefold() == company_id.casefold():
                return company
        return None

    def behind(self, connection: Connection) -> Company | None:
        """Return the company that a connection reaches, whatever the bridge believes."""
        host = connection.address.site_url.partition("://")[2]
        return self.at(host, connection.company_id)

    def has_host(self, host: str) -> bool:
        return host in CLOUD_HOSTS or any(host in each.hosts for each in self.companies)


class CompanyNetwork(httpx.BaseTransport):
    """Carries each request to the company that its host and company id mean."""

    def __init__(self, world: CompaniesWorld) -> None:
        self._world = world
        self._wires = {
            each: EngineWire(each.engine, wait=lambda seconds: world.clock.advance(seconds=seconds))
            for each in world.servers.companies
        }

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        light = cast(LightRequest, request)
        return self._world.pass_through(  # type: ignore[no-any-return]
            ("http", light.method.lower()), lambda: self._send(request, light), (light,)
        )

    def _send(self, request: httpx.Request, light: LightRequest) -> LightResponse:
        host = str(light.url).split("/")[2]
        if not self._world.servers.has_host(host):
            raise httpx.ConnectError("nobody is there")
        keys = _keys_in(light)
        company = self._world.servers.at(host, _company_id_in(light, keys))
        if company is None:
            # Any installation at that host says that it does not know the company.
            company = self._anyone_at(host)
            return self._wires[company].send(light)
        for on_request in self._world.on_requests:
            hit = on_request(self._world, request)
            if hit:
                company.engine.faults.add(hit)
                break
        identity = _identity(company, keys)
        attempt = self._world.provenance.sends(light, company)
        with company.acting(identity, attempt):
            return self._wires[company].send(_as_known(light, company, identity, keys))

    def _anyone_at(self, host: str) -> Company:
        companies = self._world.servers.companies
        here = [c for c in companies if (c.is_in_cloud if host in CLOUD_HOSTS else host in c.hosts)]
        return here[0]


def _keys_in(light: LightRequest) -> tuple[str, str, str]:
    """Return company id, public and private key of a request, empty where it has none."""
    encoded = light.headers.get("Authorization", "").partition(" ")[2]
    user, _, private_key = base64.b64decode(encoded).decode().partition(":")
    company_id, _, public_key = user.partition("+")
    return company_id, public_key, private_key


def _company_id_in(light: LightRequest, keys: tuple[str, str, str]) -> str:
    if light.url.path.startswith(COMPANY_INFO):
        return light.url.path.removeprefix(COMPANY_INFO)
    return keys[0]


def _identity(company: Company, keys: tuple[str, str, str]) -> Identity:
    """Return whose keys these are; nobody's are those of a member who may do nothing."""
    known = company.members.get(keys[1])
    if known is not None and known.private_key == keys[2]:
        return known
    return replace(company.engine.tenant.identity, private_key="nobody's")


def _as_known(
    light: LightRequest, company: Company, identity: Identity, keys: tuple[str, str, str]
) -> LightRequest:
    """Return the request with the company id as ConnectWise itself writes it."""
    headers: dict[str, Any] = dict(light.headers)
    if keys[0]:
        user = f"{company.company_id}+{keys[1]}:{keys[2]}"
        headers["Authorization"] = f"Basic {base64.b64encode(user.encode()).decode()}"
    url = light.url
    if url.path.startswith(COMPANY_INFO):
        origin = str(url).partition(COMPANY_INFO)[0]
        url = Url(f"{origin}{COMPANY_INFO}{company.company_id}")
    return LightRequest(
        light.method,
        url,
        headers=headers,
        content=light.read(),
        extensions=light.extensions,
    )
