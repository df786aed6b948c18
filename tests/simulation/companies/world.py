"""A world with several partners, connections and ConnectWise companies."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, partial
from types import SimpleNamespace
from typing import Any, TypeVar, cast
from unittest.mock import patch

from bridge.connections import callbacks
from bridge.connections.connect import Connector
from bridge.connections.disconnect import Disconnector
from bridge.connections.move import ConnectionMove
from bridge.domain.connection import Connection, ConnectionState, PaymentsStop
from bridge.domain.errors import NotFoundError
from bridge.domain.problem import ProblemCode, ProblemReport
from bridge.domain.write_back import WriteBack
from bridge.wiring import use_cases
from connectwise_sandbox.kinds import Kind
from connectwise_sandbox.server import stocked_engine
from tests.fakes.ledger import InMemoryLedgerStore
from tests.simulation.clocks import WorkerClock
from tests.simulation.companies.lines import Lines
from tests.simulation.companies.provenance import Provenance, Tale
from tests.simulation.companies.servers import Company, CompanyNetwork, Servers
from tests.simulation.people import API_TIMEOUT_SECONDS
from tests.simulation.wiring import Wiring
from tests.simulation.world import PARTNER_ID, Invocation, World

T = TypeVar("T")

PARTNERS = (PARTNER_ID, "partner-second", "partner-third")
OLD_WORKER = "worker of the release before"
CALLBACKS_JOB = "callbacks"
HARMLESS = ("unclear",)
"""After these the bridge keeps its promised times; all other faults may hold it up."""


class CompaniesWiring(Wiring):
    """One worker's memory, with the use cases that set connections up."""

    @classmethod
    def flaws(cls) -> AbstractContextManager[object]:
        """Return what is wrong with the bridge while a story is played, in broken variants."""
        return nullcontext()

    @cached_property
    def connector(self) -> Connector:
        return use_cases.connector(self)

    @cached_property
    def disconnector(self) -> Disconnector:
        return use_cases.disconnector(self)

    @cached_property
    def connection_move(self) -> ConnectionMove:
        return use_cases.connection_move(self)


class CompaniesLedger(InMemoryLedgerStore):
    """A ledger in which workers of the release before leave out what they do not know."""

    world: CompaniesWorld

    def _put_write_back(self, write_back: WriteBack, version: int) -> None:
        if self.world.is_old_worker:
            self._forget_what_stood(write_back)
        super()._put_write_back(write_back, version)

    def _forget_what_stood(self, write_back: WriteBack) -> None:
        for key, stored in self._write_backs.items():
            known = stored.value
            if known is None:
                continue
            if (known.connection_id, known.write_back_id) == (
                write_back.connection_id,
                write_back.write_back_id,
            ):
                self._write_backs[key] = type(stored)(None, stored.version)
                return

    def every(self) -> list[WriteBack]:
        return [stored.value for stored in self._write_backs.values() if stored.value]


@dataclass(frozen=True)
class Plot:
    """What a story is about, beside what goes wrong."""

    deploys_after: timedelta = timedelta(0)
    """Until then only workers of the release before are at work."""
    old_until: timedelta = timedelta(0)
    """Until then such workers are at work beside the new ones."""
    pair: str = ""
    """The partners of two connections of the release before to one company: "", same or others."""
    pair_shares_keys: bool = False


@dataclass
class Reconnect:
    """A connection was connected again, and these write-backs waited for it."""

    at: datetime
    connection_id: str
    waiting: set[str]


class CompaniesWorld(World):
    """Knows in truth what each connection reaches, and what became of each request."""

    def __init__(self, seed: int, *, plot: Plot, **parts: Any) -> None:
        super().__init__(seed, **parts)
        self.plot = plot
        self.servers = Servers(self._companies())
        self.network = cast(Any, CompanyNetwork(self))
        self.provenance = Provenance(self)
        self.ledger.world = self
        self.tales: dict[str, Tale] = {}
        self.lines = Lines(self)
        self.played: Counter[str] = Counter()
        self.reconnects: list[Reconnect] = []
        self.ticks_of_pairs: Counter[Company] = Counter()
        self.began_at = self.clock.now()
        self.deploys_at = self.began_at + plot.deploys_after
        self.old_until = self.began_at + plot.old_until
        self.troubled_at = self.began_at
        for company in self.servers.companies:
            company.keep_whose_late_requests_are(self.provenance.over)

    # --- setting up ------------------------------------------------------------------------------

    def make_ledger(self) -> CompaniesLedger:
        return CompaniesLedger(self.clock)

    def _store_connection(self) -> None:
        """Begin without any connection."""

    def _companies(self) -> list[Company]:
        """Return a company in the cloud with a host of its own, and a self-hosted one."""
        other = stocked_engine(
            seed=self.seed + 1_000_000,
            customers=self.books.customers,
            invoices=self.books.invoices,
            clock=self.connectwise_now,
            switches=self.books.switches.model_copy(update={"hosting": "on_premise"}),
        )
        other.tenant.base_url = "https://own.example"
        companies = [
            Company(self.engine, ["vanity.example"], is_in_cloud=True),
            Company(other, ["own.example", "alias.example"], is_in_cloud=False),
        ]
        for company in companies:
            tenant = company.engine.tenant
            company.members[tenant.identity.public_key] = tenant.identity
            for invoice in list(tenant.store[Kind.INVOICE]):
                open_one = {name: value for name, value in invoice.items() if name != "glBatch"}
                tenant.change(Kind.INVOICE, open_one, "admin", announce=False)
                company.engine.people.reopen_invoice(invoice["id"])
                company.engine.people.change_total(invoice["id"], invoice["total"] + 1_000)
        return companies

    @contextmanager
    def _known_secrets(self) -> Iterator[None]:
        """Let callback secrets come from the seed."""

        def token(_: int) -> str:
            self._secrets += 1
            return hashlib.sha256(f"{self.seed} {self._secrets}".encode()).hexdigest()

        known = SimpleNamespace(token_urlsafe=token)
        wiring = cast(type[CompaniesWiring], self._wiring)
        with patch.object(callbacks, "secrets", known), wiring.flaws():
            yield

    _secrets = 0

    def surroundings(self) -> AbstractContextManager[object]:
        return self._known_secrets()

    # --- who and what ----------------------------------------------------------------------------

    @property
    def ledger(self) -> CompaniesLedger:
        """The ledger itself: looking at it is no port call."""
        return cast(CompaniesLedger, self.outside.ledger)

    @property
    def is_old_worker(self) -> bool:
        return self.worker is not None and self.worker.function == OLD_WORKER

    def call(self, what: str, do: Callable[[CompaniesWiring], T]) -> Invocation[T]:
        """Have the dashboard's API do something with connections."""

        def work(wiring: Wiring) -> T:
            assert isinstance(wiring, CompaniesWiring)
            return do(wiring)

        return self.invoke(what, API_TIMEOUT_SECONDS, work)

    def is_at_work(self, worker: WorkerClock) -> bool:
        return worker in self._workers

    def connection_of(self, connection_id: str) -> Connection | None:
        return self.outside.connections.get(connection_id).value

    def may_write(self, connection_id: str) -> bool:
        connection = self.connection_of(connection_id)
        return connection is not None and connection.may_write

    def every_connection(self) -> list[Connection]:
        every = [c for each in PARTNERS for c in self.outside.connections.list_of_partner(each)]
        return sorted(every, key=lambda each: each.connection_id)

    def connections_to(self, company: Company) -> list[Connection]:
        every = self.every_connection()
        return [each for each in every if self.tale_of(each.connection_id).company is company]

    def tale_of(self, connection_id: str) -> Tale:
        return self.tales.setdefault(connection_id, Tale())

    def write_backs_of(self, connection: Connection) -> list[WriteBack]:
        every = self.ledger.every()
        return [each for each in every if each.connection_id == connection.connection_id]

    def public_key_of(self, connection: Connection) -> str:
        """Return the stored public key, "" where none is."""
        try:
            return self.outside.vault.get_credentials(connection.connection_id).public_key
        except NotFoundError:
            return ""

    def has_live_keys(self, connection: Connection, company: Company) -> bool:
        """Tell whether ConnectWise still accepts the keys that are stored."""
        return self.public_key_of(connection) in company.members

    def writers_of(self, company: Company) -> list[Connection]:
        """Return the connections that may write into a company at present."""
        return [
            each
            for each in self.connections_to(company)
            if each.may_write and self.has_live_keys(each, company)
        ]

    @property
    def is_before_deploy(self) -> bool:
        return self.clock.now() < self.deploys_at

    @property
    def has_old_workers(self) -> bool:
        return not self.is_calm and self.clock.now() < self.old_until

    @property
    def undisturbed_for(self) -> timedelta:
        return self.clock.now() - self.troubled_at

    # --- what is written down --------------------------------------------------------------------

    def play_out(self, name: str) -> None:
        """Count something that the story was to play."""
        self.played[name] += 1

    def tell(self, what: str) -> None:
        self.note(f"{'  ' * self.depth}      {what}")

    def note_fault(self, name: str) -> None:
        super().note_fault(name)
        if not name.startswith(HARMLESS):
            self.troubled_at = self.clock.now()

    def pass_through(
        self,
        name: tuple[str, str],
        do: Any,
        arguments: tuple[object, ...] = (),
        named: dict[str, object] | None = None,
    ) -> Any:
        """Show provenance what a worker stored, before anything else can happen."""
        if name == ("ledger", "save_write_back"):
            is_stated = (named or {}).get("extend_until") is not None
            do = partial(self._saved, do, cast(WriteBack, arguments[0]), is_stated)
        elif name == ("connections", "save"):
            do = partial(self._connection_saved, do, cast(Connection, arguments[0]))
        elif name == ("problems", "report"):
            self._shown(cast(ProblemReport, arguments[0]))
        elif name == ("ledger", "take_lease"):
            self._looked_at(cast(str, (named or {})["holder_id"]))
        return super().pass_through(name, do, arguments, named)

    def _saved(self, do: Any, write_back: WriteBack, is_stated: bool) -> Any:
        result = do()
        if is_stated:
            self.provenance.stated(write_back)
        if self.is_old_worker:
            tale = self.tale_of(write_back.connection_id)
            tale.seen_by_old[write_back.write_back_id] = self.clock.now()
            if write_back.psa_payment_id:
                tale.old_adoptions.add(write_back.psa_payment_id)
        return result

    def _connection_saved(self, do: Any, connection: Connection) -> Any:
        before = self.connection_of(connection.connection_id)
        result = do()
        self.note_connection(before, connection)
        return result

    def note_connection(self, before: Connection | None, connection: Connection) -> None:
        """Note what a stored connection may do from now on, and where its requests go."""
        tale, now = self.tale_of(connection.connection_id), self.clock.now()
        tale.company = self.servers.behind(connection) or tale.company
        stops = connection.payments_stopped - (before.payments_stopped if before else set())
        if PaymentsStop.COMPANY_CONNECTED_TWICE in stops:
            self.play_out("stopped: connected twice")
        if connection.state is ConnectionState.VERIFYING:
            # Whether it is known again is seen when it is connected.
            tale.line = 0
        if connection.is_syncing and not (before and before.is_syncing):
            tale.times_begun += 1
        if connection.owners_moved_to != (before.owners_moved_to if before else ""):
            tale.moved_at = now
        if connection.may_write:
            tale.stopped_at = tale.gave_up_at = None
        elif tale.stopped_at is None:
            tale.stopped_at = now
        is_down = connection.state is ConnectionState.DISCONNECTED
        if before and before.may_write and is_down and self._holds_claim(connection):
            tale.gave_up_at = now

    def _holds_claim(self, connection: Connection) -> bool:
        """Tell whether the claim is its own still, which one of the release before may have taken
        over."""
        claim = self.outside.companies.get(connection.company_key).value
        return claim is None or claim.connection_id == connection.connection_id

    def _shown(self, report: ProblemReport) -> None:
        if report.code is ProblemCode.PAYMENT_DISPUTED:
            self.play_out("a dispute is shown")

    def _looked_at(self, write_back_id: str) -> None:
        for each in self.reconnects:
            if write_back_id in each.waiting:
                each.waiting.discard(write_back_id)
                self.play_out("looked at after a reconnect")


def companies_world(world: World) -> CompaniesWorld:
    assert isinstance(world, CompaniesWorld)
    return world
