"""The adapters of a Lambda function are made from its settings.

They are imported when they are first asked for, so that a function pays at its cold start for its
own adapters only.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from bridge.aws import clients
from bridge.aws.clock import SystemClock, worker_clock
from bridge.store.table import Table
from bridge.wiring import use_cases
from bridge.wiring.settings import (
    CallbacksTable,
    ConnectWiseAccess,
    CoordinationTable,
    DocumentsBucket,
    EgressAddresses,
    EventBusName,
    HintsAloneQueueUrl,
    HintsQueue,
    JobsQueue,
    LedgerTable,
    OperationsTable,
    ParkedQueueUrl,
    PdfsQueue,
    RecordsTable,
    RunStepsQueue,
    Settings,
    WebhookBase,
    WriteBacksQueue,
    WriteBackTimings,
)

if TYPE_CHECKING:
    from bridge.aws.queues import SqsSender
    from bridge.domain.write_back import Timings
    from bridge.entrypoints.dead_letters import ParkedQueue
    from bridge.ports import (
        ArchivingStore,
        CompanyStore,
        ConnectionStore,
        DocumentStore,
        EventBus,
        HintQueue,
        HintsAloneQueue,
        JobQueue,
        JobTurns,
        LedgerStore,
        Metrics,
        OutstandingStore,
        PartnerPlaces,
        PaymentControlStore,
        PdfQueue,
        ProblemStore,
        PsaGateway,
        RateLimiter,
        ReadMarks,
        RecordStore,
        RunQueue,
        RunStore,
        SecretVault,
        SigningKeySource,
        SigningKeyStore,
        SilenceStore,
        WriteBackQueue,
    )
    from bridge.store.callback_endpoints import DynamoCallbackEndpoints

S = TypeVar("S", bound=Settings)


class Adapters:
    """The :class:`~bridge.wiring.ports.Ports` that a function's settings allow.

    Each adapter is made when it is first asked for.
    """

    def __init__(self, settings: Settings, *, part: str = "", calls_seldom: bool = False) -> None:
        self._settings = settings
        self._part = part
        """The name of the function, for the histories that the ledger keeps."""
        self._calls_seldom = calls_seldom
        """Most of the function's work needs no call to ConnectWise."""

    @property
    def clock(self) -> SystemClock:
        return worker_clock

    def need(self, kind: type[S]) -> S:
        """Return the settings as the kind that an adapter needs.

        Raises TypeError when the function's settings lack it: a mistake in wiring, which the
        test that builds every function shows.
        """
        if not isinstance(self._settings, kind):
            raise TypeError(f"{type(self._settings).__name__} lacks {kind.__name__}")
        return self._settings

    @cached_property
    def connections(self) -> ConnectionStore:
        from bridge.store.connections import DynamoConnectionStore

        return DynamoConnectionStore(self._operations, lambda: self.callback_endpoints)

    @cached_property
    def callback_endpoints(self) -> DynamoCallbackEndpoints:
        from bridge.store.callback_endpoints import DynamoCallbackEndpoints

        return DynamoCallbackEndpoints(self._callbacks)

    @cached_property
    def signing_keys(self) -> SigningKeyStore:
        from bridge.store.signing_keys import DynamoSigningKeyStore

        return DynamoSigningKeyStore(self._callbacks, worker_clock)

    @cached_property
    def companies(self) -> CompanyStore:
        from bridge.store.companies import DynamoCompanyStore

        return DynamoCompanyStore(self._operations)

    @cached_property
    def archivings(self) -> ArchivingStore:
        from bridge.store.archivings import DynamoArchivingStore

        return DynamoArchivingStore(self._operations)

    @cached_property
    def outstanding(self) -> OutstandingStore:
        from bridge.store.receivables import DynamoOutstandingStore

        return DynamoOutstandingStore(self._operations)

    @cached_property
    def runs(self) -> RunStore:
        from bridge.store.runs import DynamoRunStore

        return DynamoRunStore(self._operations, worker_clock)

    @cached_property
    def problems(self) -> ProblemStore:
        from bridge.store.problems import DynamoProblemStore

        return DynamoProblemStore(self._operations, worker_clock)

    @cached_property
    def payment_control(self) -> PaymentControlStore:
        from bridge.store.payment_control import DynamoPaymentControlStore

        return DynamoPaymentControlStore(self._operations)

    @cached_property
    def records(self) -> RecordStore:
        from bridge.store.records import DynamoRecordStore

        return DynamoRecordStore(self._table(self.need(RecordsTable).records_table))

    @cached_property
    def ledger(self) -> LedgerStore:
        from bridge.store.ledger import DynamoLedgerStore

        table = self._table(self.need(LedgerTable).ledger_table)
        return DynamoLedgerStore(table, worker_clock, written_by=self._part)

    @cached_property
    def limiter(self) -> RateLimiter:
        from bridge.connectwise.held_turns import HeldTurns
        from bridge.store.rate_limit import DynamoCallSchedules

        schedules = DynamoCallSchedules(self._coordination, worker_clock)
        return HeldTurns(schedules, worker_clock)

    @cached_property
    def partner_places(self) -> PartnerPlaces:
        from bridge.store.partner_places import DynamoPartnerPlaces

        return DynamoPartnerPlaces(self._coordination, worker_clock)

    @cached_property
    def read_marks(self) -> ReadMarks:
        from bridge.store.read_marks import DynamoReadMarks

        return DynamoReadMarks(self._coordination, worker_clock)

    @cached_property
    def silences(self) -> SilenceStore:
        from bridge.store.silences import DynamoSilenceStore

        return DynamoSilenceStore(self._coordination)

    @cached_property
    def vault(self) -> SecretVault:
        from bridge.aws.secret_vault import SecretsManagerVault

        access = self.need(ConnectWiseAccess)
        return SecretsManagerVault(
            clients.secrets_client(),
            worker_clock,
            name_prefix=access.secrets_prefix,
            client_id_secret=access.connectwise_client_id_secret,
        )

    @cached_property
    def member_key_source(self) -> SigningKeySource:
        from bridge.connectwise.egress import GuardedTransport
        from bridge.connectwise.signing_keys import MemberSigningKeys

        allow_loopback = self.need(ConnectWiseAccess).allow_loopback_egress
        return MemberSigningKeys(
            transport=GuardedTransport(allow_loopback=allow_loopback),
            vault=self.vault,
            allow_loopback=allow_loopback,
        )

    @cached_property
    def gateway(self) -> PsaGateway:
        from bridge.wiring.gateway_on_demand import GatewayOnDemand

        return GatewayOnDemand(self._open_gateway) if self._calls_seldom else self._open_gateway()

    def _open_gateway(self) -> PsaGateway:
        from bridge.connections.call_lanes import MORE_LANES
        from bridge.connectwise.egress import GuardedTransport
        from bridge.connectwise.gateway import ConnectWiseGateway

        allow_loopback = self.need(ConnectWiseAccess).allow_loopback_egress
        return ConnectWiseGateway(
            transport=GuardedTransport(allow_loopback=allow_loopback),
            vault=self.vault,
            limiter=self.limiter,
            clock=worker_clock,
            on_codebase_changed=use_cases.connection_health(self).remember_address,
            on_information_missed=use_cases.connection_health(self).remember_information_missed,
            most_in_flight=1 + MORE_LANES,
            allow_loopback=allow_loopback,
        )

    @property
    def store_lanes(self) -> int:
        return 8

    @cached_property
    def hints(self) -> HintQueue:
        from bridge.aws.queues import SqsHintQueue

        return SqsHintQueue(self._sender(self.need(HintsQueue).hints_queue_url))

    @cached_property
    def job_turns(self) -> JobTurns:
        from bridge.store.job_turns import DynamoJobTurns

        return DynamoJobTurns(self._coordination)

    @cached_property
    def job_queue(self) -> JobQueue:
        from bridge.aws.queues import SqsJobQueue

        return SqsJobQueue(self._sender(self.need(JobsQueue).jobs_queue_url))

    @cached_property
    def hints_alone(self) -> HintsAloneQueue:
        from bridge.aws.queues import SqsHintsAloneQueue

        return SqsHintsAloneQueue(self._sender(self.need(HintsAloneQueueUrl).hints_alone_queue_url))

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
    def timings(self) -> Timings:
        from bridge.domain.write_back import Timings

        settings = self.need(WriteBackTimings)
        return Timings(
            worker_seconds=settings.write_back_worker_seconds,
            in_flight_seconds=settings.write_back_in_flight_seconds,
            read_lag_seconds=settings.write_back_read_lag_seconds,
        )

    @cached_property
    def parked_queue(self) -> ParkedQueue:
        from bridge.aws.parked_queue import SqsParkedQueue

        return SqsParkedQueue(clients.sqs_client(), self.need(ParkedQueueUrl).parked_queue_url)

    @cached_property
    def event_bus(self) -> EventBus:
        from bridge.aws.events import EventBridgeBus

        return EventBridgeBus(
            clients.events_client(), self.need(EventBusName).event_bus_name, worker_clock
        )

    @cached_property
    def metrics(self) -> Metrics:
        from bridge.aws.metrics import EmfMetrics

        return EmfMetrics()

    @property
    def webhook_base_url(self) -> str:
        return self.need(WebhookBase).webhook_base_url

    @property
    def egress_addresses(self) -> tuple[str, ...]:
        """Return the IPv4 addresses that our calls come from."""
        addresses = self.need(EgressAddresses).egress_addresses.split(",")
        return tuple(filter(None, addresses))

    @cached_property
    def _operations(self) -> Table:
        return self._table(self.need(OperationsTable).operations_table)

    @cached_property
    def _coordination(self) -> Table:
        return self._table(self.need(CoordinationTable).coordination_table)

    @cached_property
    def _callbacks(self) -> Table:
        return self._table(self.need(CallbacksTable).callbacks_table)

    def _table(self, name: str) -> Table:
        return Table(clients.dynamodb_client(), name, worker_clock)

    def _sender(self, queue_url: str) -> SqsSender:
        from bridge.aws.queues import SqsSender

        return SqsSender(clients.sqs_client(), queue_url, worker_clock)
