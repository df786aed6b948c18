"""Who is connected when a story of companies begins."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta

from bridge.connections.callback_url import callback_url
from bridge.connections.connect import ConnectionRequest
from bridge.domain.connection import CallbackSecret, Connection, ConnectionState, Credentials
from bridge.domain.identity import connection_id_of
from bridge.domain.run import RunKind
from tests.fakes.ports import WEBHOOK_BASE_URL
from tests.simulation.actors import Messages
from tests.simulation.companies.admins import CONNECT
from tests.simulation.companies.servers import CLOUD_SITE, Company
from tests.simulation.companies.world import PARTNERS, CompaniesWiring, CompaniesWorld
from tests.simulation.functions import WORKERS


@dataclass(frozen=True)
class Start:
    """By which door and with which keys a partner is connected at first."""

    partner_id: str
    host: str
    credentials: Credentials


def set_the_stage(world: CompaniesWorld) -> None:
    """Connect whoever is connected when the story begins; nothing goes wrong yet."""
    weather, world.faults = world.faults, ()
    company = world.random.choice(world.servers.companies)
    if world.plot.pair:
        _connect_as_before(world, company)
    else:
        member = next(iter(company.members.values()))
        credentials = company.credentials_of(member)
        host = world.random.choice(company.hosts)
        request = ConnectionRequest(PARTNERS[0], credentials, host)
        made = world.call(CONNECT, lambda wiring: wiring.connector.connect(request)).value
        assert made is not None
        world.lines.join(made.connection_id, company, member.public_key, host, set())
    importer = Messages(next(each for each in WORKERS if each.queue == "run-steps"))
    while world.queues["run-steps"].has_visible():
        importer.act(world)
    world.faults = weather


def _connect_as_before(world: CompaniesWorld, company: Company) -> None:
    """Store connections as the release before did: one, or two to the same company."""
    hosts = [*company.hosts, *([CLOUD_SITE] if company.is_in_cloud else [])]
    others = PARTNERS[1] if world.plot.pair == "others" else PARTNERS[0]
    partners = [PARTNERS[0]] if world.plot.pair == "alone" else [PARTNERS[0], others]
    member = next(iter(company.members.values()))
    if not world.plot.pair_shares_keys:
        company.add_member("SecondBridge")
    members = [member, list(company.members.values())[-1]]
    places = zip(partners, world.random.sample(hosts, len(partners)), members, strict=False)
    for number, (partner_id, host, keys) in enumerate(places):
        _store_as_before(
            world, company, Start(partner_id, host, company.credentials_of(keys)), number
        )


def _store_as_before(world: CompaniesWorld, company: Company, start: Start, number: int) -> None:
    partner_id, host, credentials = start.partner_id, start.host, start.credentials
    site = f"https://{host}"
    connection_id = connection_id_of(partner_id, credentials.company_id, site)
    secret = f"simulated-callback-secret-{number}"
    digest = hashlib.sha256(secret.encode()).hexdigest()
    member = company.members[credentials.public_key].member_identifier

    def store(wiring: CompaniesWiring) -> None:
        address = wiring.gateway.discover(credentials.company_id, site)
        connection = Connection(
            connection_id=connection_id,
            partner_id=partner_id,
            company_id=credentials.company_id,
            address=address,
            state=ConnectionState.IMPORTING,
            created_at=world.clock.now() - timedelta(days=30 - number),
            callback_secret=CallbackSecret(digest),
            member_identifier=member,
        )
        wiring.connections.save(connection, expected_version=0)
        wiring.vault.put_credentials(connection_id, replace(credentials, callback_secret=secret))
        url = callback_url(WEBHOOK_BASE_URL, connection_id, secret)
        wiring.gateway.open(connection).ensure_callbacks(url)
        wiring.run_starter.start(connection, RunKind.IMPORT)

    world.call(CONNECT, store)
    world.tale_of(connection_id).is_of_before = True
    world.lines.begin(connection_id)
