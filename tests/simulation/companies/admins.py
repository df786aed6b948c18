"""The partners' admins: they connect, disconnect, move and change keys, often at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from bridge.connections.connect import ConnectionRequest
from bridge.connections.move import MoveRequest
from bridge.domain.connection import Connection, ConnectionState
from bridge.domain.errors import NotPossibleError
from bridge.domain.write_back import Reason
from connectwise_sandbox.tenant import Identity
from tests.simulation.companies.connect_rules import ConnectRules
from tests.simulation.companies.servers import CLOUD_SITE, Company
from tests.simulation.companies.world import (
    CompaniesWorld,
    Reconnect,
    companies_world,
)
from tests.simulation.parts import Actor
from tests.simulation.world import Invocation, World

T = TypeVar("T")
Tasks = dict[str, tuple[Callable[[], str], float]]

CONNECT, DISCONNECT, MOVE, KEYS, VERIFY = "connect", "disconnect", "move", "change keys", "verify"
SET_UPS = frozenset({CONNECT, DISCONNECT, MOVE, KEYS})
RECONNECTS_IN_CALM = timedelta(minutes=90)
"""By then whatever was sent is over, and others may claim what was disconnected last."""
WAITED = (Reason.DISCONNECTED, Reason.MEMBER_UNKNOWN)


@dataclass(frozen=True)
class Habits:
    """How often an admin does what, compared with the other things."""

    minutes_between: float = 20.0
    connects: float = 4.0
    disconnects: float = 2.0
    moves: float = 1.0
    changes_keys: float = 1.0
    own_keys: bool = True
    """Each partner has an API member of its own; else all share the first one."""


class Admin(Actor):
    """One partner's admin."""

    def __init__(self, partner_id: str, habits: Habits, rules: ConnectRules) -> None:
        self.name = f"admin of {partner_id}"
        self._partner_id = partner_id
        self._habits = habits
        self._rules = rules
        self._members: dict[Company, Identity] = {}
        self._next_at: datetime | None = None
        self._calm_since: datetime | None = None
        self._has_reconnected: set[str] = set()

    def weight(self, world: World) -> float:
        world = companies_world(world)
        if world.is_calm:
            return 1.0 if self._calm_tasks(world) else 0.0
        if world.is_before_deploy:
            return 0.0
        worker = world.worker
        if worker is not None and worker.function in SET_UPS and world.depth < 3:
            return 0.3
        if self._next_at is None:
            self._wait(world)
        if self._has_late_posts(world):
            return 0.2
        return 1.0 if self._next_at and self._next_at <= world.clock.now() else 0.0

    def act(self, world: World) -> str:
        world = companies_world(world)
        if world.is_calm:
            task = world.random.choice(self._calm_tasks(world))
            self._wait(world)
            return task()
        self._wait(world)
        tasks = self._tasks(world)
        names = list(tasks)
        name = world.random.choices(names, [tasks[each][1] for each in names])[0]
        return f"{name}: {tasks[name][0]()}"

    def _tasks(self, world: CompaniesWorld) -> Tasks:
        """Return what may be done now, each with its weight."""
        habits = self._habits
        tasks: Tasks = {CONNECT: (partial(self._connect_somewhere, world), habits.connects)}
        live = [each for each in self._own(world) if each.is_syncing]
        if live:
            connection = world.random.choice(live)
            is_well = connection.state is ConnectionState.ACTIVE
            often = 5.0 if self._has_late_posts(world) else 1.0
            tasks |= {
                DISCONNECT: (
                    partial(self._disconnect, world, connection),
                    often * habits.disconnects,
                ),
                MOVE: (partial(self._move, world, connection), habits.moves),
                KEYS: (
                    partial(self._change_keys, world, connection),
                    2 * often * habits.changes_keys,
                ),
                VERIFY: (partial(self._verify, world, connection), 0.0 if is_well else 4.0),
            }
        return tasks

    def calm_down(self, world: World) -> None:
        self._calm_since = world.clock.now()
        self._next_at = None

    def _wait(self, world: World) -> None:
        minutes = world.random.expovariate(1 / self._habits.minutes_between)
        self._next_at = world.clock.now() + timedelta(minutes=minutes)

    def _own(self, world: CompaniesWorld) -> list[Connection]:
        return list(world.outside.connections.list_of_partner(self._partner_id))

    def _has_late_posts(self, world: CompaniesWorld) -> bool:
        """Tell whether a post of this partner may still come: the worst time for a change."""
        return any(
            each.is_late and each.write_back.partner_id == self._partner_id
            for each in world.provenance.under_way
        )

    # --- when all is calm ------------------------------------------------------------------------

    def _calm_tasks(self, world: CompaniesWorld) -> list[Callable[[], str]]:
        """Verify what is degraded or stuck, and connect once again what payments wait for."""
        now = world.clock.now()
        if self._next_at and self._next_at > now:
            return []
        tasks: list[Callable[[], str]] = []
        troubled = (ConnectionState.DEGRADED, ConnectionState.IMPORTING)
        own = [each for each in self._own(world) if each.state in troubled]
        tasks += [partial(self._verify, world, each) for each in own]
        is_time = self._calm_since and now > self._calm_since + RECONNECTS_IN_CALM
        for connection in self._own(world) if is_time else []:
            is_new = connection.connection_id not in self._has_reconnected
            is_down = connection.state is ConnectionState.DISCONNECTED
            if is_new and is_down and _waiting(world, connection):
                tasks.append(partial(self._reconnect, world, connection))
        return tasks

    def _reconnect(self, world: CompaniesWorld, connection: Connection) -> str:
        self._has_reconnected.add(connection.connection_id)
        company = world.tale_of(connection.connection_id).company
        host = connection.address.site_url.partition("://")[2]
        if company is None or not world.servers.has_host(host):
            return "its server is gone"
        member = self._member(world, company)
        return self._connect(world, company, member, host, connection.company_id)

    # --- connecting ------------------------------------------------------------------------------

    def _connect_somewhere(self, world: CompaniesWorld) -> str:
        company = world.random.choice(world.servers.companies)
        doors = [*company.hosts, *([CLOUD_SITE, CLOUD_SITE] if company.is_in_cloud else [])]
        spelling = world.random.choice((str, str, str.upper, str.title))
        host = world.random.choice(doors)
        member = self._member(world, company)
        return self._connect(world, company, member, host, spelling(company.company_id))

    def _connect(
        self, world: CompaniesWorld, company: Company, member: Identity, host: str, company_id: str
    ) -> str:
        credentials = company.credentials_of(member, company_id)
        site = world.random.choice((host, f"https://{host.upper()}/v4_6_release/"))
        request = ConnectionRequest(self._partner_id, credentials, site)
        waiting = {c.connection_id: _waiting(world, c) for c in self._own(world)}
        attempt = self._rules.begins(world, company, request, host)
        invocation = world.call(CONNECT, lambda wiring: wiring.connector.connect(request))
        self._rules.ends(world, attempt, invocation)
        connected = invocation.value
        if connected is None:
            return f"{host} {company_id}: {outcome_of(invocation)}"
        known = waiting.get(connected.connection_id) or set()
        if known:
            world.play_out("reconnected while payments waited")
            world.reconnects.append(Reconnect(world.clock.now(), connected.connection_id, known))
        return f"{host} {company_id}: {connected.connection_id[:6]}"

    def _member(self, world: CompaniesWorld, company: Company) -> Identity:
        """Return the API member of this partner at a company, or the one that all share."""
        if not self._habits.own_keys:
            return next(iter(company.members.values()))
        known = self._members.get(company)
        if known is None or known.public_key not in company.members:
            name = f"Bridge{len(company.members)}of{self._partner_id[-6:]}{world.calls}"
            known = self._members[company] = company.add_member(name)
        return known

    # --- what else they do -----------------------------------------------------------------------

    def _disconnect(self, world: CompaniesWorld, connection: Connection) -> str:
        ids = (self._partner_id, connection.connection_id)
        invocation = world.call(DISCONNECT, lambda wiring: wiring.disconnector.disconnect(*ids))
        world.play_out(f"disconnect: {outcome_of(invocation)}")
        return f"{connection.connection_id[:6]}: {outcome_of(invocation)}"

    def _change_keys(self, world: CompaniesWorld, connection: Connection) -> str:
        company = world.tale_of(connection.connection_id).company
        if company is None:
            return "no company"
        before = world.public_key_of(connection)
        fresh = company.add_member(f"Member{world.calls}")
        under_way = world.provenance.under_way
        is_unclear = any(each.is_late and each.company is company for each in under_way)
        invocation = world.call(
            KEYS,
            lambda wiring: wiring.verifier.change_keys(
                connection, public_key=fresh.public_key, private_key=fresh.private_key
            ),
        )
        if invocation.has_succeeded:
            self._members[company] = fresh
            place = (company, fresh.public_key, "")
            line = {world.tale_of(connection.connection_id).line}
            world.lines.join(connection.connection_id, *place, line)
            self._revoke(world, company, before)
            world.play_out("keys changed while a post was late" if is_unclear else "keys changed")
        return f"{connection.connection_id[:6]}: {outcome_of(invocation)}"

    def _revoke(self, world: CompaniesWorld, company: Company, public_key: str) -> None:
        """Take old keys away unless another connection lives on them."""
        users = [
            each
            for each in world.connections_to(company)
            if each.state is not ConnectionState.DISCONNECTED
            and world.public_key_of(each) == public_key
        ]
        if not users and world.random.random() < 0.7 and len(company.members) > 1:
            company.members.pop(public_key, None)

    def _move(self, world: CompaniesWorld, connection: Connection) -> str:
        """The company's server gets another name, and the connection follows it."""
        company = world.tale_of(connection.connection_id).company
        public_key = world.public_key_of(connection)
        member = company.members.get(public_key) if company else None
        if company is None or member is None:
            return "no keys"
        old = connection.address.site_url.partition("://")[2]
        company.hosts.append(f"moved{world.calls}.example")
        host = world.random.choice(company.hosts)
        request = MoveRequest(company.credentials_of(member), host)
        reached = world.lines.known(company, public_key, host) | world.lines.lines_of(
            world.lines.listed(company)
        )
        ids = (self._partner_id, connection.connection_id)
        invocation = world.call(MOVE, lambda wiring: wiring.connection_move.move(*ids, request))
        world.play_out(f"move: {outcome_of(invocation)}")
        if invocation.has_succeeded:
            reached.add(world.tale_of(connection.connection_id).line)
            place = (company, public_key, host)
            world.lines.join(connection.connection_id, *place, reached)
            self._take_away(world, company, old)
        return f"{connection.connection_id[:6]} to {host}: {outcome_of(invocation)}"

    def _take_away(self, world: CompaniesWorld, company: Company, host: str) -> None:
        here = [
            each
            for each in world.connections_to(company)
            if each.address.site_url.partition("://")[2] == host and each.is_syncing
        ]
        is_meant = world.random.random() < 0.5 and len(company.hosts) > 1
        if is_meant and not here and host in company.hosts:
            company.hosts.remove(host)

    def _verify(self, world: CompaniesWorld, connection: Connection) -> str:
        invocation = world.call(VERIFY, lambda wiring: wiring.verifier.verify(connection))
        return f"{connection.connection_id[:6]}: {outcome_of(invocation)}"


def _waiting(world: CompaniesWorld, connection: Connection) -> set[str]:
    """Return the write-backs that wait for a connection and are shown so."""
    return {
        each.write_back_id
        for each in world.write_backs_of(connection)
        if each.reason in WAITED and not each.has_ended
    }


def outcome_of(invocation: Invocation[T]) -> str:
    if invocation.has_crashed:
        return "crashed"
    if isinstance(invocation.error, NotPossibleError):
        return invocation.error.reason
    return type(invocation.error).__name__ if invocation.error else "done"
