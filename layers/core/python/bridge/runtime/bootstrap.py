"""The only place that names concrete classes.

Each ``build_*`` returns one use case with its adapters, made from a function's settings. Adapters
are imported when they are first needed, so that a function pays at its cold start only for what
it uses. Handlers keep the result for the life of their process.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from bridge.aws import clients
from bridge.aws.clock import SystemClock
from bridge.runtime.settings import (
    ConnectWiseAccess,
    CoordinationTable,
    DocumentsBucket,
    EventBusName,
    HintsQueue,
    LedgerTable,
    OperationsTable,
    ParkedQueue,
    PdfsQueue,
    RecordsTable,
    RunStepsQueue,
    Settings,
    WebhookBase,
    WriteBacksQueue,
    WriteBackTimings,
)
from bridge.store.table import Table

if TYPE_CHECKING:
    from bridge.aws.queues import SqsSender
    from bridge.connectwise.gateway import ConnectWiseGateway
    from bridge.domain.write_back import Timings
    from bridge.payment_ports import LedgerStore, WriteBackQueue
    from bridge.payments.reconciling import PaymentReconciler
    from bridge.payments.troubles import WriteBackTroubles
    from bridge.payments.writing_back import WriteBackDriver
    from bridge.ports import (
        ConnectionStore,
        DocumentStore,
        HintQueue,
        PdfQueue,
        ProblemStore,
        RateLimiter,
        RecordStore,
        RunQueue,
        RunStore,
        SecretVault,
    )
    from bridge.runtime.dead_letters import DeadLetters
    from bridge.runtime.manual_fetch_api import ManualFetchApi
    from bridge.runtime.reconciler_jobs import ReconcilerJobs
    from bridge.runtime.stream_relay import StreamRelay
    from bridge.sync.health import ConnectionHealth
    from bridge.sync.hint_processing import HintProcessor
    from bridge.sync.pdf import PdfKeeper
    from bridge.sync.refreshing import Refresher
    from bridge.sync.run_work import RunWorker
    from bridge.sync.runs import RunStarter
    from bridge.sync.scheduling import ScheduledRuns

S = TypeVar("S", bound=Settings)

clock = SystemClock()

# Of the time that a worker has left when it turns to a connection. A batch is of ten
# hints or five PDFs at most, the keeper of callbacks goes through all connections there are.
HINTS_SHARE_OF_TIME = 1 / 3
PDFS_SHARE_OF_TIME = 1 / 2
CALLBACKS_SHARE_OF_TIME = 1 / 10


class Adapters:
    """The adapters that a function's settings allow, each made when first asked for.

    ``part`` is the name of the function, for the histories that the ledger keeps.
    ``share_of_time`` is for the gateway.
    """

    def __init__(self, settings: Settings, *, part: str = "", share_of_time: float = 1.0) -> None:
        self._settings = settings
        self._part = part
        self._share_of_time = share_of_time

    def need(self, kind: type[S]) -> S:
        """Return the settings as the kind that an adapter needs.

        Raises TypeError when the function's settings do not include it: a mistake in wiring,
        which the test that builds every function shows.
        """
        if not isinstance(self._settings, kind):
            raise TypeError(f"{type(self._settings).__name__} lacks {kind.__name__}")
        return self._settings

    @cached_property
    def connections(self) -> ConnectionStore:
        from bridge.store.connections import DynamoConnectionStore

        return DynamoConnectionStore(self._operations)

    @cached_property
    def runs(self) -> RunStore:
        from bridge.store.runs import DynamoRunStore

        return DynamoRunStore(self._operations, clock)

    @cached_property
    def problems(self) -> ProblemStore:
        from bridge.store.problems import DynamoProblemStore

        return DynamoProblemStore(self._operations, clock)

    @cached_property
    def records(self) -> RecordStore:
        from bridge.store.records import DynamoRecordStore

        return DynamoRecordStore(self._table(self.need(RecordsTable).records_table))

    @cached_property
    def ledger(self) -> LedgerStore:
        from bridge.store.ledger import DynamoLedgerStore

        table = self._table(self.need(LedgerTable).ledger_table)
        return DynamoLedgerStore(table, clock, written_by=self._part)

    @cached_property
    def limiter(self) -> RateLimiter:
        from bridge.store.rate_limit import DynamoRateLimiter

        table = self._table(self.need(CoordinationTable).coordination_table)
        return DynamoRateLimiter(table, clock)

    @cached_property
    def vault(self) -> SecretVault:
        from bridge.aws.secret_vault import SecretsManagerVault

        access = self.need(ConnectWiseAccess)
        return SecretsManagerVault(
            clients.secrets_client(),
            clock,
            name_prefix=access.secrets_prefix,
            client_id_secret=access.connectwise_client_id_secret,
        )

    @cached_property
    def gateway(self) -> ConnectWiseGateway:
        from bridge.connectwise.egress import GuardedTransport
        from bridge.connectwise.gateway import ConnectWiseGateway

        allow_loopback = self.need(ConnectWiseAccess).allow_loopback_egress
        return ConnectWiseGateway(
            transport=GuardedTransport(allow_loopback=allow_loopback),
            vault=self.vault,
            limiter=self.limiter,
            clock=clock,
            on_codebase_changed=self.health.remember_address,
            allow_loopback=allow_loopback,
            share_of_time=self._share_of_time,
        )

    @cached_property
    def hints(self) -> HintQueue:
        from bridge.aws.queues import SqsHintQueue

        return SqsHintQueue(self._sender(self.need(HintsQueue).hints_queue_url))

    @cached_property
    def run_queue(self) -> RunQueue:
        from bridge.aws.queues import SqsRunQueue

        return SqsRunQueue(self._sender(self.need(RunStepsQueue).run_steps_queue_url))

    @cached_property
    def pdf_queue(self) -> PdfQueue:
        from bridge.aws.queues import SqsPdfQueue

        return SqsPdfQueue(self._sender(self.need(PdfsQueue).pdf_queue_url))

    @cached_property
    def write_back_queue(self) -> WriteBackQueue:
        from bridge.aws.queues import SqsWriteBackQueue

        return SqsWriteBackQueue(self._sender(self.need(WriteBacksQueue).writebacks_queue_url))

    @cached_property
    def documents(self) -> DocumentStore:
        from bridge.aws.documents import S3DocumentStore

        return S3DocumentStore(clients.s3_client(), self.need(DocumentsBucket).documents_bucket)

    @cached_property
    def health(self) -> ConnectionHealth:
        from bridge.sync.health import ConnectionHealth

        return ConnectionHealth(self.connections, self.problems, clock)

    @cached_property
    def troubles(self) -> WriteBackTroubles:
        from bridge.payments.troubles import WriteBackTroubles

        return WriteBackTroubles(self.problems, clock)

    @cached_property
    def timings(self) -> Timings:
        from bridge.domain.write_back import Timings

        settings = self.need(WriteBackTimings)
        return Timings(
            worker_seconds=settings.write_back_worker_seconds,
            in_flight_seconds=settings.write_back_in_flight_seconds,
            read_lag_seconds=settings.write_back_read_lag_seconds,
        )

    @cached_property
    def payment_reconciler(self) -> PaymentReconciler:
        from bridge.payments.reconciling import PaymentReconciler

        return PaymentReconciler(
            ledger=self.ledger,
            gateway=self.gateway,
            records=self.records,
            connections=self.connections,
            problems=self.problems,
            troubles=self.troubles,
            queue=self.write_back_queue,
            hints=self.hints,
            clock=clock,
            timings=self.timings,
        )

    @cached_property
    def refresher(self) -> Refresher:
        from bridge.sync.refreshing import Refresher

        return Refresher(self.records, self.problems, clock)

    @cached_property
    def run_starter(self) -> RunStarter:
        from bridge.sync.runs import RunStarter

        return RunStarter(self.runs, self.run_queue, clock)

    @cached_property
    def scheduled_runs(self) -> ScheduledRuns:
        from bridge.sync.scheduling import ScheduledRuns

        return ScheduledRuns(self.connections, self.run_starter)

    @cached_property
    def _operations(self) -> Table:
        return self._table(self.need(OperationsTable).operations_table)

    def _table(self, name: str) -> Table:
        return Table(clients.dynamodb_client(), name, clock)

    def _sender(self, queue_url: str) -> SqsSender:
        from bridge.aws.queues import SqsSender

        return SqsSender(clients.sqs_client(), queue_url, clock)


def build_hint_processor(settings: Settings) -> HintProcessor:
    from bridge.sync.hint_processing import HintProcessor

    adapters = Adapters(settings, share_of_time=HINTS_SHARE_OF_TIME)
    return HintProcessor(
        connections=adapters.connections,
        gateway=adapters.gateway,
        refresher=adapters.refresher,
        hints=adapters.hints,
        pdfs=adapters.pdf_queue,
        health=adapters.health,
    )


def build_run_worker(settings: Settings) -> RunWorker:
    from bridge.sync.run_work import RunWorker
    from bridge.sync.selection import Selector

    adapters = Adapters(settings)
    return RunWorker(
        connections=adapters.connections,
        runs=adapters.runs,
        gateway=adapters.gateway,
        selector=Selector(adapters.records),
        refresher=adapters.refresher,
        hints=adapters.hints,
        queue=adapters.run_queue,
        problems=adapters.problems,
        health=adapters.health,
        clock=clock,
    )


def build_scheduled_runs(settings: Settings) -> ScheduledRuns:
    return Adapters(settings).scheduled_runs


def build_manual_fetch(settings: Settings) -> ManualFetchApi:
    from bridge.runtime.manual_fetch_api import ManualFetchApi
    from bridge.sync.owned_connections import OwnedConnections
    from bridge.sync.runs import ManualFetch

    adapters = Adapters(settings)
    return ManualFetchApi(
        OwnedConnections(adapters.connections), ManualFetch(adapters.run_starter, clock), clock
    )


def build_pdf_keeper(settings: Settings) -> PdfKeeper:
    from bridge.sync.pdf import PdfKeeper

    adapters = Adapters(settings, share_of_time=PDFS_SHARE_OF_TIME)
    return PdfKeeper(
        connections=adapters.connections,
        records=adapters.records,
        documents=adapters.documents,
        gateway=adapters.gateway,
        hints=adapters.hints,
        problems=adapters.problems,
        health=adapters.health,
        clock=clock,
    )


def build_write_back_driver(settings: Settings) -> WriteBackDriver:
    from bridge.payments.writing_back import WriteBackDriver

    adapters = Adapters(settings, part="payment_writeback")
    return WriteBackDriver(
        ledger=adapters.ledger,
        connections=adapters.connections,
        gateway=adapters.gateway,
        hints=adapters.hints,
        troubles=adapters.troubles,
        clock=clock,
        timings=adapters.timings,
    )


def build_reconciler(settings: Settings) -> ReconcilerJobs:
    from bridge.payments.sweeping import DueWriteBacks, PaymentSweep
    from bridge.runtime.reconciler_jobs import ReconcilerJobs
    from bridge.sync.reconciling import Reconciler
    from bridge.sync.scheduling import CallbackKeeper, StalledRuns

    adapters = Adapters(settings, part="reconciler")
    # Each of very many connections is turned to once.
    sharing = Adapters(settings, share_of_time=CALLBACKS_SHARE_OF_TIME)
    mirror = Reconciler(
        adapters.scheduled_runs,
        StalledRuns(adapters.runs, adapters.run_queue, clock),
        CallbackKeeper(
            connections=adapters.connections,
            gateway=sharing.gateway,
            vault=adapters.vault,
            problems=adapters.problems,
            health=adapters.health,
            clock=clock,
            webhook_base_url=adapters.need(WebhookBase).webhook_base_url,
        ),
    )
    sweep = PaymentSweep(
        ledger=adapters.ledger,
        records=adapters.records,
        connections=adapters.connections,
        reconciler=adapters.payment_reconciler,
        clock=clock,
    )
    due = DueWriteBacks(adapters.ledger, adapters.write_back_queue, clock)
    return ReconcilerJobs(mirror, due, sweep)


def build_stream_relay(settings: Settings) -> StreamRelay:
    from bridge.aws.events import EventBridgeBus
    from bridge.runtime.stream_relay import StreamRelay
    from bridge.store.changes import read_events

    name = Adapters(settings).need(EventBusName).event_bus_name
    return StreamRelay(EventBridgeBus(clients.events_client(), name, clock), read_events)


def build_dead_letters(settings: Settings) -> DeadLetters:
    from bridge.aws.parked_queue import SqsParkedQueue
    from bridge.payments.parking import WriteBackParker
    from bridge.runtime.dead_letters import DeadLetters
    from bridge.sync.parking import Parker

    adapters = Adapters(settings)
    parker = Parker(adapters.connections, adapters.runs, adapters.problems, clock)
    url = adapters.need(ParkedQueue).parked_queue_url
    return DeadLetters(
        parker,
        SqsParkedQueue(clients.sqs_client(), url),
        WriteBackParker(adapters.ledger, adapters.troubles, clock),
    )
