"""A world: ConnectWise, the bridge's stores and queues, whoever acts on them, and one seed."""

from __future__ import annotations

import hashlib
from bisect import bisect
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Any, Generic, TypeVar

from bridge.connectwise.held_turns import HeldTurns
from bridge.domain.connection import (
    CallbackSecret,
    Connection,
    ConnectionState,
    Credentials,
    PsaAddress,
)
from bridge.domain.errors import BridgeError
from bridge.domain.filters import ImportFilters
from bridge.ports import Clock
from connectwise_sandbox.server import stocked_engine
from connectwise_sandbox.switches import Switches
from tests.fakes.archivings import InMemoryArchivingStore
from tests.fakes.clock import START, FakeClock
from tests.fakes.companies import InMemoryCompanyStore
from tests.fakes.connections import InMemoryConnectionStore
from tests.fakes.coordination import (
    InMemoryJobTurns,
    InMemoryPartnerPlaces,
    InMemoryRateLimiter,
    InMemoryReadMarks,
    InMemorySigningKeyStore,
    InMemorySilenceStore,
)
from tests.fakes.documents import InMemoryDocuments
from tests.fakes.events import InMemoryEventBus
from tests.fakes.ledger import InMemoryLedgerStore
from tests.fakes.outstanding import InMemoryOutstandingStore
from tests.fakes.payment_control import InMemoryPaymentControlStore
from tests.fakes.problems import InMemoryProblemStore
from tests.fakes.queues import InMemoryParkedQueue
from tests.fakes.records import InMemoryRecordStore
from tests.fakes.runs import InMemoryRunStore
from tests.fakes.vault import InMemoryVault
from tests.simulation.clocks import WorkerClock
from tests.simulation.functions import (
    DEAD_LETTERS_TIMEOUT_SECONDS,
    VISIBILITY_PER_TIMEOUT,
    WORKERS,
    WRITE_BACK_WORKER,
    QueueFunction,
)
from tests.simulation.network import Network
from tests.simulation.parts import Actor, Fault, Invariant
from tests.simulation.queues import (
    SimulatedHintQueue,
    SimulatedHintsAloneQueue,
    SimulatedJobQueue,
    SimulatedPdfQueue,
    SimulatedQueue,
    SimulatedRunQueue,
    SimulatedSigningKeyQueue,
    SimulatedWriteBackQueue,
)
from tests.simulation.watching import PortCall, SimulatedCrashError, Watchers
from tests.simulation.wiring import SHOWING_THEMSELVES, Outside, Wiring

T = TypeVar("T")
Look = Callable[["World", PortCall, object], None]

PARTNER_ID = "partner-simulated"
CONNECTION_ID = "5a" * 16
CALLBACK_SECRET = "simulated-callback-secret-of-43-characters-"
SITE_URL = "https://na.myconnectwise.net"
API_ORIGIN = "https://api-na.myconnectwise.net"
MAX_DEPTH = 3
MUTANT = "mutant"
"""What a wiring that is broken on purpose is counted as, each time that it does wrong."""
CALM_HOURS = 6


@dataclass(frozen=True)
class Books:
    """How large and how odd the simulated ConnectWise is.

    ``clock_skew_seconds`` is how far its clock is ahead of ours. Mergers touch the invoices that
    they move: where nothing of an invoice's head changes, no comparison of heads can see it.
    ``page_size`` is how many records a run takes at once: small ones make small books many pages.
    A worker's clock is off by up to ``worker_skew_seconds``, and the ledger's indexes show what
    was stored ``index_lag_seconds`` ago. Each world has ``switches`` of its own, like these.
    """

    customers: int = 8
    invoices: int = 40
    clock_skew_seconds: int = 0
    worker_skew_seconds: int = 0
    index_lag_seconds: int = 0
    page_size: int = 1000
    switches: Switches = field(default_factory=lambda: Switches(merge_touches_last_updated=True))
    filters: ImportFilters = field(default_factory=ImportFilters)


@dataclass(frozen=True, slots=True)
class Violation:
    """``invariant`` did not hold at ``step``, in port call ``call``."""

    invariant: str
    detail: str
    step: int
    call: int

    def __str__(self) -> str:
        return f"{self.invariant} broken at step {self.step}, port call {self.call}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Invocation(Generic[T]):
    """How a function's invocation ended: with a value, an error, or not at all."""

    value: T | None = None
    error: Exception | None = None
    has_crashed: bool = False

    @property
    def has_succeeded(self) -> bool:
        return self.error is None and not self.has_crashed


class World:
    """Implements ``watching.Observer``: every port call of every worker passes through here."""

    def __init__(
        self,
        seed: int,
        *,
        books: Books | None = None,
        actors: Sequence[Actor] = (),
        faults: Sequence[Fault] = (),
        invariants: Sequence[Invariant] = (),
        wiring: type[Wiring] = Wiring,
        starts_at: datetime = START,
    ) -> None:
        self.seed = seed
        self.books = books or Books()
        self.random = Random(f"world {seed}")
        self._clock_dice = Random(f"clocks {seed}")
        self.actors = list(actors)
        self.faults = faults
        self.invariants = list(invariants)
        self._lookers = [each for each in invariants if _overrides(each, Invariant, "after_call")]
        self._looks: dict[tuple[str, str], list[Look]] = {}
        """Who looks at which call of a port."""
        self.is_calm = False
        self.has_true_dates = True
        """False once ConnectWise's clock was changed: its dates of change tell no order then."""
        self.trace: list[str] = []
        self._told: list[str] = []
        self._names: dict[tuple[str, str], str] = {}
        self.violations: list[Violation] = []
        self.injected: Counter[str] = Counter()
        self.interleavings = 0
        """How often somebody acted in the middle of a worker's work, which is life and no fault."""
        self.weighed: list[float] = []
        """The weights of the actors that were asked so far in this step, in their order."""
        self.steps = 0
        self.calls = 0
        self.depth = 0
        self.clock = FakeClock(starts_at)
        self._skew = timedelta(seconds=self.books.clock_skew_seconds)
        self.engine = stocked_engine(
            seed=seed,
            customers=self.books.customers,
            invoices=self.books.invoices,
            clock=self.connectwise_now,
            switches=self.books.switches.model_copy(deep=True),
        )
        self.engine.tenant.base_url = SITE_URL
        self.engine.switches.pdf = "blank"
        self.queues = {
            queue.name: queue
            for each in (_queue(worker, self.clock) for worker in (*WORKERS, WRITE_BACK_WORKER))
            for queue in filter(None, (each.dead_letters, each))
        }
        self.outside = self._outside()
        self.watchers_of = Watchers(self, SHOWING_THEMSELVES).of
        for queue in self.queues.values():
            queue.lateness = self._lateness
        self.network = Network(self)
        self._wiring = wiring
        self._workers: list[WorkerClock] = []
        self._store_connection()

    def connectwise_now(self) -> datetime:
        return self.clock.now() + self._skew

    @property
    def connection(self) -> Connection:
        """The connection as it is stored."""
        stored = self.outside.connections.get(CONNECTION_ID).value
        if stored is None:
            raise LookupError("the connection is gone")
        return stored

    @property
    def calm_hours(self) -> float:
        """How long the calm lasts at least, so that every net is drawn in once."""
        return CALM_HOURS

    @property
    def faults(self) -> Sequence[Fault]:
        """What goes wrong at present; set anew as a whole, never changed in place."""
        return self._faults

    @faults.setter
    def faults(self, faults: Sequence[Fault]) -> None:
        self._faults = tuple(faults)
        self._before_calls = [f.before_call for f in faults if _overrides(f, Fault, "before_call")]
        self._after_calls = [f.after_call for f in faults if _overrides(f, Fault, "after_call")]
        self._before_writes = [f for f in faults if _overrides(f, Fault, "before_write")]
        self._on_messages = [f for f in faults if _overrides(f, Fault, "on_message")]
        self.on_requests = [f.on_request for f in faults if _overrides(f, Fault, "on_request")]
        self.on_answers = [f.on_answer for f in faults if _overrides(f, Fault, "on_answer")]

    @property
    def digest(self) -> str:
        """What is equal for equal stories: a hash of every port call and every line."""
        return hashlib.sha256("".join(f"{each}\n" for each in self._told).encode()).hexdigest()

    @property
    def worker(self) -> WorkerClock | None:
        """The invocation that is at work, by its clock; None when nobody is."""
        return self._workers[-1] if self._workers else None

    # --- what happens ----------------------------------------------------------------------------

    def step(self) -> None:
        """Let one actor, chosen at random among those with something to do, act."""
        weights = self.weighed = []
        for actor in self.actors:
            weights.append(actor.weight(self))  # noqa: PERF401 - later actors see the earlier ones
        self.weighed = []
        lots = list(accumulate(weights))
        if lots[-1]:
            # As ``Random.choices`` does, which looks at its arguments first.
            lot = self.random.random() * (lots[-1] + 0.0)
            self.let(self.actors[bisect(lots, lot, 0, len(lots) - 1)])

    def let(self, actor: Actor) -> None:
        """Let an actor act, and write down what it did."""
        self.steps += 1
        number, at = self.steps, self.clock.now()
        self.depth += 1
        try:
            what = actor.act(self)
        finally:
            self.depth -= 1
        inside = "  " * self.depth
        moment = f"{at.day:02} {at.hour:02}:{at.minute:02}:{at.second:02}"
        self.note(f"{inside}{number:5} {moment} {actor.name}: {what}")

    def invoke(
        self, function: str, timeout_seconds: float, work: Callable[[Wiring], T]
    ) -> Invocation[T]:
        """Run a function as Lambda does: with a deadline, and nothing kept in memory after it."""
        clock = WorkerClock(self.clock, timeout_seconds, function, skew=self._worker_skew())
        wiring = self._wiring(self.outside, clock, self.network, self)
        self._workers.append(clock)
        try:
            return Invocation(value=work(wiring))
        except SimulatedCrashError as crash:
            self.note(f"{'  ' * self.depth}      {function} died {crash}")
            self.note_trouble()
            return Invocation(has_crashed=True)
        except Exception as error:  # noqa: BLE001 - as Lambda, which reports any error and goes on
            self.note_error(function, error)
            return Invocation(error=error)
        finally:
            self._workers.remove(clock)

    def pass_through(
        self,
        name: tuple[str, str],
        do: Callable[[], Any],
        arguments: tuple[object, ...] = (),
        named: dict[str, object] | None = None,
    ) -> Any:
        """Carry a port call out, unless a fault comes between; see ``watching.Observer``."""
        self.calls += 1
        full_name = self._names.get(name) or self._names.setdefault(name, ".".join(name))
        call = PortCall(self.calls, *name, full_name, arguments, named or {})
        self._told.append(full_name)
        workers = self._workers
        if workers and workers[-1].is_over():
            raise SimulatedCrashError("at its time-out")
        for before_call in self._before_calls:
            before_call(self, call)
        result = do()
        looks = self._looks.get(name)
        for look in self._looks_at(name) if looks is None else looks:
            look(self, call, result)
        for after_call in self._after_calls:
            after_call(self, call)
        return result

    def _looks_at(self, name: tuple[str, str]) -> list[Look]:
        """Find out, once for each call of a port, which invariants look at it."""
        names = {name[0], ".".join(name)}
        lookers = self._lookers
        watching = [each for each in lookers if each.watches is None or names & {*each.watches}]
        looks: list[Look] = [each.after_call for each in watching]
        self._looks[name] = looks
        return looks

    def _before_write(self) -> None:
        """Let the faults come between the writes of one save, where a worker is at work."""
        if self._workers:
            for fault in self._before_writes:
                fault.before_write(self)

    def _worker_skew(self) -> timedelta:
        most = self.books.worker_skew_seconds
        return timedelta(seconds=self._clock_dice.uniform(-most, most)) if most else timedelta(0)

    def _lateness(self, queue: str) -> timedelta | None:
        """Ask the faults what becomes of a message: the first that knows of anything decides."""
        fates = (each.on_message(self, queue) for each in self._on_messages)
        return next((fate for fate in fates if fate != timedelta(0)), timedelta(0))

    # --- what is written down --------------------------------------------------------------------

    def note(self, line: str) -> None:
        self.trace.append(line)
        self._told.append(line)

    def note_fault(self, name: str) -> None:
        self.injected[name] += 1

    def note_trouble(self) -> None:
        """Take note that a worker was held up just now."""

    def note_error(self, where: str, error: BaseException) -> None:
        """Write an error down; one that the bridge does not name is a violation."""
        self.note(f"{'  ' * self.depth}      {where} failed: {type(error).__name__}")
        if not isinstance(error, BridgeError):
            self.violate("only named errors", f"{where}: {error!r}")

    def violate(self, invariant: str, detail: str) -> None:
        self.violations.append(Violation(invariant, detail, self.steps, self.calls))

    # --- setting up ------------------------------------------------------------------------------

    def surroundings(self) -> AbstractContextManager[object]:
        """Return what else holds while the world is played."""
        return self._wiring.surroundings(lambda: self.note_fault(MUTANT))

    def make_ledger(self) -> InMemoryLedgerStore:
        return InMemoryLedgerStore(self.clock)

    def _outside(self) -> Outside:
        return Outside(
            connections=InMemoryConnectionStore(),
            records=InMemoryRecordStore().with_hook(self._before_write),
            runs=InMemoryRunStore(self.clock),
            problems=InMemoryProblemStore(self.clock),
            ledger=self.make_ledger(),
            documents=InMemoryDocuments(),
            signing_keys=InMemorySigningKeyStore(self.clock),
            limiter=HeldTurns(InMemoryRateLimiter(self.clock), self.clock),
            partner_places=InMemoryPartnerPlaces(self.clock),
            silences=InMemorySilenceStore(),
            job_turns=InMemoryJobTurns(),
            job_queue=SimulatedJobQueue(self.queues["jobs"], self),
            companies=InMemoryCompanyStore(),
            archivings=InMemoryArchivingStore(),
            outstanding=InMemoryOutstandingStore(),
            payment_control=InMemoryPaymentControlStore(),
            vault=InMemoryVault(self.engine.tenant.identity.client_id),
            hints=SimulatedHintQueue(self.queues["hints"], self),
            hints_alone=SimulatedHintsAloneQueue(self.queues["hints-alone"], self),
            read_marks=InMemoryReadMarks(),
            key_requests=SimulatedSigningKeyQueue(self.queues["hints"], self),
            run_queue=SimulatedRunQueue(self.queues["run-steps"], self),
            pdf_queue=SimulatedPdfQueue(self.queues["pdfs"], self),
            write_back_queue=SimulatedWriteBackQueue(self.queues["writebacks"], self),
            parked_queue=InMemoryParkedQueue(),
            event_bus=InMemoryEventBus(),
        )

    def _store_connection(self) -> None:
        identity = self.engine.tenant.identity
        connection = Connection(
            connection_id=CONNECTION_ID,
            partner_id=PARTNER_ID,
            company_id=identity.company_id,
            address=PsaAddress(SITE_URL, API_ORIGIN, self.engine.tenant.codebase, is_cloud=True),
            state=ConnectionState.IMPORTING,
            created_at=self.clock.now(),
            filters=self.books.filters,
            callback_secret=CallbackSecret(hashlib.sha256(CALLBACK_SECRET.encode()).hexdigest()),
            member_identifier=identity.member_identifier,
        )
        self.outside.connections.save(connection, expected_version=0)
        self.outside.vault.put_credentials(
            CONNECTION_ID,
            Credentials(
                identity.company_id, identity.public_key, identity.private_key, CALLBACK_SECRET
            ),
        )


def _overrides(part: object, base: type, method: str) -> bool:
    """Tell whether a part does anything at a moment; the others need not be called."""
    return getattr(type(part), method) is not getattr(base, method)


def _queue(worker: QueueFunction, clock: Clock) -> SimulatedQueue:
    """Return a worker's queue, with its dead letters."""
    dead_letters = SimulatedQueue(
        f"{worker.queue}-dead", clock, VISIBILITY_PER_TIMEOUT * DEAD_LETTERS_TIMEOUT_SECONDS
    )
    visibility_seconds = VISIBILITY_PER_TIMEOUT * worker.timeout_seconds
    return SimulatedQueue(worker.queue, clock, visibility_seconds, dead_letters=dead_letters)
