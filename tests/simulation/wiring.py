"""One worker's ports, on a world's stores, queues and ConnectWise, and the use cases on them.

The use cases come from ``bridge.wiring.use_cases``, as deployed.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property

import httpx

from bridge.connections.preferences import PaymentPreferences
from bridge.connections.signing_key_fetch import SigningKeyFetch
from bridge.connections.verify import Verifier
from bridge.connectwise.callback_intake import CallbackIntake
from bridge.connectwise.gateway import ConnectWiseGateway
from bridge.connectwise.signing_keys import MemberSigningKeys, OpenSigningKeys
from bridge.domain.connection import Connection
from bridge.domain.write_back import Timings
from bridge.entrypoints.dead_letters import DeadLetters, ParkedQueue
from bridge.entrypoints.hint_batches import HintBatches
from bridge.entrypoints.reconciler_jobs import ReconcilerJobs
from bridge.mirror.pdf_keeper import PdfKeeper
from bridge.mirror.run_worker import RunWorker
from bridge.payments.platform_payments import PlatformPayments
from bridge.payments.write_back_actions import WriteBackActions
from bridge.payments.write_back_turns import WriteBackTurns
from bridge.payments.write_back_worker import WriteBackWorker
from bridge.ports import (
    ArchivingStore,
    Clock,
    CompanyStore,
    ConnectionStore,
    DocumentStore,
    EventBus,
    HintQueue,
    HintsAloneQueue,
    JobQueue,
    JobTurns,
    LedgerStore,
    OutstandingStore,
    PartnerPlaces,
    PaymentControlStore,
    PdfQueue,
    ProblemStore,
    Psa,
    PsaGateway,
    PsaPayments,
    RateLimiter,
    ReadMarks,
    RecordStore,
    RunQueue,
    RunStore,
    SecretVault,
    SigningKeyQueue,
    SigningKeySource,
    SigningKeyStore,
    SilenceStore,
    WriteBackQueue,
)
from bridge.problems.actions import ProblemActions
from bridge.runs.start import ManualFetch, RunStarter
from bridge.wiring import entrypoints, use_cases
from tests.fakes.connections import InMemoryCallbackEndpoints
from tests.fakes.metrics import InMemoryMetrics
from tests.fakes.ports import WEBHOOK_BASE_URL
from tests.simulation.watching import Observer, watched

SHOWING_THEMSELVES = frozenset(
    {
        "hints",
        "hints_alone",
        "job_queue",
        "key_requests",
        "pdf_queue",
        "run_queue",
        "write_back_queue",
    }
)
"""Queues that show the observer each batch that they send."""
_TIMINGS = Timings()


@dataclass
class Outside:
    """Everything that outlives a worker."""

    connections: ConnectionStore
    records: RecordStore
    runs: RunStore
    problems: ProblemStore
    ledger: LedgerStore
    documents: DocumentStore
    signing_keys: SigningKeyStore
    limiter: RateLimiter
    partner_places: PartnerPlaces
    silences: SilenceStore
    job_turns: JobTurns
    job_queue: JobQueue
    companies: CompanyStore
    archivings: ArchivingStore
    outstanding: OutstandingStore
    payment_control: PaymentControlStore
    vault: SecretVault
    hints: HintQueue
    hints_alone: HintsAloneQueue
    read_marks: ReadMarks
    key_requests: SigningKeyQueue
    run_queue: RunQueue
    pdf_queue: PdfQueue
    write_back_queue: WriteBackQueue
    parked_queue: ParkedQueue
    event_bus: EventBus


class _WatchedGateway:
    """Opens ConnectWise so that every call of a worker goes through the observer."""

    def __init__(self, gateway: ConnectWiseGateway, observer: Observer) -> None:
        self._gateway = gateway
        self._observer = observer
        self.try_out = gateway.try_out
        self.discover = gateway.discover

    def open(self, connection: Connection) -> Psa:
        return watched(self._gateway.open(connection), "psa", self._observer)

    def open_for_look(self, connection: Connection, seconds: float) -> Psa:
        psa = self._gateway.open_for_look(connection, seconds)
        return watched(psa, "psa", self._observer)

    def open_payments(self, connection: Connection) -> PsaPayments:
        return watched(self._gateway.open_payments(connection), "payments", self._observer)


class Wiring(Outside):
    """One worker's memory: it is made for one invocation and forgotten after it.

    Fulfils ``wiring.ports.Ports`` and ``CallbackPorts``. Use cases are made when they are first
    asked for.
    """

    def __init__(
        self, outside: Outside, clock: Clock, transport: httpx.BaseTransport, observer: Observer
    ) -> None:
        vars(self).update(observer.watchers_of(vars(outside)))
        self.clock = clock
        self.transport = transport
        self.observer = observer
        self.metrics = InMemoryMetrics()
        self.timings = _TIMINGS
        self.store_lanes = 1
        self.webhook_base_url = WEBHOOK_BASE_URL
        self.allow_loopback = False
        self.spoil()

    @classmethod
    def surroundings(cls, _: Callable[[], None]) -> AbstractContextManager[object]:
        """Return what else holds while a world is played with this wiring. Broken variants break
        rules of the domain here, and call what they are given each time that it matters."""
        return nullcontext()

    def spoil(self) -> None:
        """Replace ports or use cases by worse ones, in broken variants of the bridge."""

    # --- ports that stand on others --------------------------------------------------------------

    @cached_property
    def gateway(self) -> PsaGateway:
        gateway = ConnectWiseGateway(
            transport=self.transport,
            vault=self.vault,
            limiter=self.limiter,
            clock=self.clock,
            on_codebase_changed=use_cases.connection_health(self).remember_address,
            on_information_missed=use_cases.connection_health(self).remember_information_missed,
        )
        return _WatchedGateway(gateway, self.observer)

    @cached_property
    def callback_endpoints(self) -> InMemoryCallbackEndpoints:
        return InMemoryCallbackEndpoints(self.connections)

    def open_key_source(self) -> SigningKeySource:
        return OpenSigningKeys(
            transport=self.transport,
            client_id=self.vault.get_client_id,
            monotonic=lambda: self.clock.now().timestamp(),
        )

    @cached_property
    def member_key_source(self) -> SigningKeySource:
        return MemberSigningKeys(transport=self.transport, vault=self.vault)

    # --- functions -------------------------------------------------------------------------------

    @cached_property
    def callback_intake(self) -> CallbackIntake:
        return use_cases.callback_intake(self)

    @cached_property
    def signing_key_fetch(self) -> SigningKeyFetch:
        return use_cases.signing_key_fetch(self)

    @cached_property
    def hint_batches(self) -> HintBatches:
        return entrypoints.hint_batches(self)

    @cached_property
    def run_worker(self) -> RunWorker:
        return use_cases.run_worker(self)

    @cached_property
    def pdf_keeper(self) -> PdfKeeper:
        return use_cases.pdf_keeper(self)

    @cached_property
    def write_back_worker(self) -> WriteBackWorker:
        return use_cases.write_back_worker(self)

    @cached_property
    def write_back_turns(self) -> WriteBackTurns:
        return use_cases.write_back_turns(self)

    @cached_property
    def reconciler_jobs(self) -> ReconcilerJobs:
        return entrypoints.reconciler_jobs(self)

    @cached_property
    def manual_fetch(self) -> ManualFetch:
        return use_cases.manual_fetch(self)

    @cached_property
    def dead_letters(self) -> DeadLetters:
        return entrypoints.dead_letters(self)

    # --- what people do at the dashboard ---------------------------------------------------------

    @cached_property
    def run_starter(self) -> RunStarter:
        return use_cases.run_starter(self)

    @cached_property
    def verifier(self) -> Verifier:
        return use_cases.verifier(self)

    @cached_property
    def platform_payments(self) -> PlatformPayments:
        return use_cases.platform_payments(self)

    @cached_property
    def payment_preferences(self) -> PaymentPreferences:
        return use_cases.payment_preferences(self)

    @cached_property
    def write_back_actions(self) -> WriteBackActions:
        return use_cases.write_back_actions(self)

    @cached_property
    def problem_actions(self) -> ProblemActions:
        return use_cases.problem_actions(self)
