"""The use cases as ``runtime.bootstrap`` wires them, on a world's stores, queues and ConnectWise.

One ``Wiring`` is one worker's memory: it is made for one invocation and forgotten after it. Broken
variants of the bridge are subclasses that wire something else.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import httpx

from bridge.connectwise.callback_intake import CallbackIntake
from bridge.connectwise.gateway import ConnectWiseGateway
from bridge.connectwise.signing_keys import ConnectWiseSigningKeys
from bridge.domain.connection import Connection
from bridge.ports import (
    Clock,
    ConnectionStore,
    DocumentStore,
    HintQueue,
    PdfQueue,
    ProblemStore,
    Psa,
    PsaGateway,
    RateLimiter,
    RecordStore,
    RunQueue,
    RunStore,
    SecretVault,
    SigningKeyStore,
)
from bridge.runtime.dead_letters import DeadLetters, ParkedQueue
from bridge.sync.health import ConnectionHealth
from bridge.sync.hint_processing import HintProcessor
from bridge.sync.owned_connections import OwnedConnections
from bridge.sync.parking import Parker
from bridge.sync.pdf import PdfKeeper
from bridge.sync.platform_records import PlatformRecords
from bridge.sync.reconciling import Reconciler
from bridge.sync.refreshing import Refresher
from bridge.sync.run_control import RunControl
from bridge.sync.run_work import RunWorker
from bridge.sync.runs import ManualFetch, RunStarter
from bridge.sync.scheduling import CallbackKeeper, ScheduledRuns, StalledRuns
from bridge.sync.selection import Selector
from bridge.sync.verifying import Callbacks, Verifier
from tests.fakes.connections import InMemoryCallbackEndpoints
from tests.simulation.watching import Observer, watched

WEBHOOK_BASE_URL = "https://bridge.example"


@dataclass(frozen=True)
class Outside:
    """Everything that outlives a worker."""

    connections: ConnectionStore
    records: RecordStore
    runs: RunStore
    problems: ProblemStore
    documents: DocumentStore
    signing_keys: SigningKeyStore
    limiter: RateLimiter
    vault: SecretVault
    hints: HintQueue
    run_queue: RunQueue
    pdf_queue: PdfQueue
    parked: ParkedQueue

    def watched_by(self, observer: Observer) -> Outside:
        """Return the same with each call going through the observer.

        The queues are not wrapped: they show each batch that they send by themselves.
        """
        return Outside(
            connections=watched(self.connections, "connections", observer),
            records=watched(self.records, "records", observer),
            runs=watched(self.runs, "runs", observer),
            problems=watched(self.problems, "problems", observer),
            documents=watched(self.documents, "documents", observer),
            signing_keys=watched(self.signing_keys, "signing_keys", observer),
            limiter=watched(self.limiter, "limiter", observer),
            vault=watched(self.vault, "vault", observer),
            hints=self.hints,
            run_queue=self.run_queue,
            pdf_queue=self.pdf_queue,
            parked=watched(self.parked, "parked", observer),
        )


class _WatchedGateway:
    """Opens ConnectWise so that every call of a ``Psa`` goes through the observer."""

    def __init__(self, gateway: ConnectWiseGateway, observer: Observer) -> None:
        self._gateway = gateway
        self._observer = observer
        self.try_out = gateway.try_out
        self.discover = gateway.discover

    def open(self, connection: Connection) -> Psa:
        return watched(self._gateway.open(connection), "psa", self._observer)


class Wiring:
    """One worker's use cases, each made when it is first asked for."""

    run_worker_class: type[RunWorker] = RunWorker

    def __init__(
        self, outside: Outside, clock: Clock, transport: httpx.BaseTransport, observer: Observer
    ) -> None:
        self.outside = outside.watched_by(observer)
        self.clock = clock
        self.transport = transport
        self.observer = observer

    @cached_property
    def gateway(self) -> PsaGateway:
        gateway = ConnectWiseGateway(
            transport=self.transport,
            vault=self.outside.vault,
            limiter=self.outside.limiter,
            clock=self.clock,
            on_codebase_changed=self.health.remember_address,
        )
        return _WatchedGateway(gateway, self.observer)

    @cached_property
    def health(self) -> ConnectionHealth:
        return ConnectionHealth(self.outside.connections, self.outside.problems, self.clock)

    @cached_property
    def refresher(self) -> Refresher:
        return Refresher(self.outside.records, self.outside.problems, self.clock)

    @cached_property
    def selector(self) -> Selector:
        return Selector(self.outside.records)

    @cached_property
    def hint_processor(self) -> HintProcessor:
        return HintProcessor(
            connections=self.outside.connections,
            gateway=self.gateway,
            refresher=self.refresher,
            hints=self.outside.hints,
            pdfs=self.outside.pdf_queue,
            health=self.health,
        )

    @cached_property
    def run_worker(self) -> RunWorker:
        return self.run_worker_class(
            connections=self.outside.connections,
            runs=self.outside.runs,
            gateway=self.gateway,
            selector=self.selector,
            refresher=self.refresher,
            hints=self.outside.hints,
            queue=self.outside.run_queue,
            problems=self.outside.problems,
            health=self.health,
            clock=self.clock,
        )

    @cached_property
    def pdf_keeper(self) -> PdfKeeper:
        return PdfKeeper(
            connections=self.outside.connections,
            records=self.outside.records,
            documents=self.outside.documents,
            gateway=self.gateway,
            hints=self.outside.hints,
            problems=self.outside.problems,
            health=self.health,
            clock=self.clock,
        )

    @cached_property
    def run_starter(self) -> RunStarter:
        return RunStarter(self.outside.runs, self.outside.run_queue, self.clock)

    @cached_property
    def scheduled_runs(self) -> ScheduledRuns:
        return ScheduledRuns(self.outside.connections, self.run_starter)

    @cached_property
    def manual_fetch(self) -> ManualFetch:
        return ManualFetch(self.run_starter, self.clock)

    @cached_property
    def reconciler(self) -> Reconciler:
        return Reconciler(
            self.scheduled_runs,
            StalledRuns(self.outside.runs, self.outside.run_queue, self.clock),
            CallbackKeeper(
                connections=self.outside.connections,
                gateway=self.gateway,
                vault=self.outside.vault,
                problems=self.outside.problems,
                health=self.health,
                clock=self.clock,
                webhook_base_url=WEBHOOK_BASE_URL,
            ),
        )

    @cached_property
    def dead_letters(self) -> DeadLetters:
        parker = Parker(
            self.outside.connections, self.outside.runs, self.outside.problems, self.clock
        )
        return DeadLetters(parker, self.outside.parked)

    @cached_property
    def callback_intake(self) -> CallbackIntake:
        return CallbackIntake(
            endpoints=InMemoryCallbackEndpoints(self.outside.connections),
            keys=self.outside.signing_keys,
            key_source=lambda: ConnectWiseSigningKeys(
                transport=self.transport,
                vault=self.outside.vault,
                monotonic=lambda: self.clock.now().timestamp(),
            ),
            hints=self.outside.hints,
            clock=self.clock,
        )

    @cached_property
    def run_control(self) -> RunControl:
        return RunControl(self.outside.runs, self.run_starter, self.clock)

    @cached_property
    def platform_records(self) -> PlatformRecords:
        return PlatformRecords(self.outside.records, self.clock)

    @cached_property
    def verifier(self) -> Verifier:
        callbacks = Callbacks(
            OwnedConnections(self.outside.connections),
            self.outside.vault,
            self.outside.problems,
            self.clock,
            WEBHOOK_BASE_URL,
        )
        return Verifier(
            connections=self.outside.connections,
            gateway=self.gateway,
            vault=self.outside.vault,
            problems=self.outside.problems,
            health=self.health,
            clock=self.clock,
            callbacks=callbacks,
            run_control=self.run_control,
        )
