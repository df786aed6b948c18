"""The wiring's ports in memory, all on one clock."""

from __future__ import annotations

from collections.abc import Callable

from bridge.domain.write_back import Timings
from bridge.ports import (
    CallbackEndpointStore,
    CompanyStore,
    ConnectionStore,
    EventBus,
    PsaGateway,
    SigningKeySource,
)
from tests.fakes.archivings import InMemoryArchivingStore
from tests.fakes.clock import FakeClock
from tests.fakes.companies import InMemoryCompanyStore
from tests.fakes.connections import InMemoryCallbackEndpoints, InMemoryConnectionStore
from tests.fakes.coordination import (
    InMemoryJobTurns,
    InMemoryKeySource,
    InMemoryPartnerPlaces,
    InMemoryReadMarks,
    InMemorySigningKeyStore,
    InMemorySilenceStore,
)
from tests.fakes.documents import InMemoryDocuments
from tests.fakes.events import InMemoryEventBus
from tests.fakes.ledger import InMemoryLedgerStore
from tests.fakes.metrics import InMemoryMetrics
from tests.fakes.outstanding import InMemoryOutstandingStore
from tests.fakes.payment_control import InMemoryPaymentControlStore
from tests.fakes.problems import InMemoryProblemStore
from tests.fakes.queues import (
    InMemoryHintQueue,
    InMemoryHintsAloneQueue,
    InMemoryJobQueue,
    InMemoryParkedQueue,
    InMemoryPdfQueue,
    InMemoryRunQueue,
    InMemorySigningKeyQueue,
    InMemoryWriteBackQueue,
)
from tests.fakes.records import InMemoryRecordStore
from tests.fakes.runs import InMemoryRunStore
from tests.fakes.vault import InMemoryVault

WEBHOOK_BASE_URL = "https://bridge.example"


class InMemoryPorts:
    """Fulfils :class:`bridge.wiring.ports.Ports`. A test replaces a port by setting it."""

    def __init__(self, gateway: PsaGateway, clock: FakeClock | None = None) -> None:
        self.clock = clock or FakeClock()
        self.gateway = gateway
        self.connections: ConnectionStore = InMemoryConnectionStore()
        self.companies: CompanyStore = InMemoryCompanyStore()
        self.archivings = InMemoryArchivingStore()
        self.outstanding = InMemoryOutstandingStore()
        self.records = InMemoryRecordStore()
        self.runs = InMemoryRunStore(self.clock)
        self.problems = InMemoryProblemStore(self.clock)
        self.ledger = InMemoryLedgerStore(self.clock)
        self.partner_places = InMemoryPartnerPlaces(self.clock)
        self.silences = InMemorySilenceStore()
        self.read_marks = InMemoryReadMarks()
        self.documents = InMemoryDocuments()
        self.vault = InMemoryVault()
        self.signing_keys = InMemorySigningKeyStore(self.clock)
        self.member_key_source: SigningKeySource = InMemoryKeySource()
        self.hints = InMemoryHintQueue(self.clock)
        self.hints_alone = InMemoryHintsAloneQueue(self.clock)
        self.job_turns = InMemoryJobTurns()
        self.job_queue = InMemoryJobQueue(self.clock)
        self.run_queue = InMemoryRunQueue(self.clock)
        self.pdf_queue = InMemoryPdfQueue(self.clock)
        self.write_back_queue = InMemoryWriteBackQueue(self.clock)
        self.parked_queue = InMemoryParkedQueue()
        self.event_bus: EventBus = InMemoryEventBus()
        self.payment_control = InMemoryPaymentControlStore()
        self.metrics = InMemoryMetrics()
        self.timings = Timings()
        self.store_lanes = 1
        self.webhook_base_url = WEBHOOK_BASE_URL

    @property
    def callback_endpoints(self) -> CallbackEndpointStore:
        return InMemoryCallbackEndpoints(self.connections)


class InMemoryCallbackPorts:
    """Fulfils :class:`bridge.wiring.ports.CallbackPorts`. A test replaces a port by setting it."""

    def __init__(
        self,
        connections: ConnectionStore,
        open_key_source: Callable[[], SigningKeySource],
        clock: FakeClock | None = None,
    ) -> None:
        self.clock = clock or FakeClock()
        self.callback_endpoints: CallbackEndpointStore = InMemoryCallbackEndpoints(connections)
        self.signing_keys = InMemorySigningKeyStore(self.clock)
        self.hints = InMemoryHintQueue(self.clock)
        self.key_requests = InMemorySigningKeyQueue(self.clock)
        self.open_key_source = open_key_source
        self.allow_loopback = False
