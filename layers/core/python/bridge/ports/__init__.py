"""Use cases reach the world through ports, protocols that the adapters fulfil.

Every adapter, and every fake in the tests, passes the same contract suite. Unless a method says
otherwise it may raise RetryableError when the other side is out of reach.
"""

from bridge.ports.archivings import ArchivingStore
from bridge.ports.clock import Clock
from bridge.ports.companies import CompanyStore
from bridge.ports.documents import DocumentStore
from bridge.ports.job_turns import JobTurn, JobTurns
from bridge.ports.ledger import NO_OWNER, SHARE_OF_DUE, LedgerStore, PlatformPaymentQuery
from bridge.ports.metrics import Measure, Metrics
from bridge.ports.operations import (
    EVERY_PROBLEM,
    EVERY_RUN,
    CallbackEndpointStore,
    ConnectionStore,
    ProblemQuery,
    ProblemStore,
    RunQuery,
    RunStore,
    SyncingConnection,
)
from bridge.ports.payment_control import PaymentControlStore
from bridge.ports.psa import (
    CallPurpose,
    CallSchedules,
    Fetched,
    Head,
    ListedPage,
    ListedRecord,
    Psa,
    PsaGateway,
    RateLimiter,
    ReadingPlan,
    SigningKeySource,
    SystemInfo,
)
from bridge.ports.psa_payments import (
    PostedPayment,
    PsaBalance,
    PsaPayment,
    PsaPayments,
)
from bridge.ports.queues import (
    EventBus,
    HintQueue,
    HintsAloneQueue,
    JobQueue,
    PdfQueue,
    RunQueue,
    SigningKeyQueue,
    WriteBackQueue,
)
from bridge.ports.read_marks import ReadMarks
from bridge.ports.receivables import OutstandingStore
from bridge.ports.records import (
    CustomerQuery,
    InvoiceQuery,
    PaymentQuery,
    RecordStore,
)
from bridge.ports.secrets import SecretVault, SigningKeyStore
from bridge.ports.stored import Page, Stored, until_saved
from bridge.ports.turns import Activity, PartnerPlaces, Place, Silence, SilenceStore

__all__ = [
    "EVERY_PROBLEM",
    "EVERY_RUN",
    "NO_OWNER",
    "SHARE_OF_DUE",
    "Activity",
    "ArchivingStore",
    "CallPurpose",
    "CallSchedules",
    "CallbackEndpointStore",
    "Clock",
    "CompanyStore",
    "ConnectionStore",
    "CustomerQuery",
    "DocumentStore",
    "EventBus",
    "Fetched",
    "Head",
    "HintQueue",
    "HintsAloneQueue",
    "InvoiceQuery",
    "JobQueue",
    "JobTurn",
    "JobTurns",
    "LedgerStore",
    "ListedPage",
    "ListedRecord",
    "Measure",
    "Metrics",
    "OutstandingStore",
    "Page",
    "PartnerPlaces",
    "PaymentControlStore",
    "PaymentQuery",
    "PdfQueue",
    "Place",
    "PlatformPaymentQuery",
    "PostedPayment",
    "ProblemQuery",
    "ProblemStore",
    "Psa",
    "PsaBalance",
    "PsaGateway",
    "PsaPayment",
    "PsaPayments",
    "RateLimiter",
    "ReadMarks",
    "ReadingPlan",
    "RecordStore",
    "RunQuery",
    "RunQueue",
    "RunStore",
    "SecretVault",
    "SigningKeyQueue",
    "SigningKeySource",
    "SigningKeyStore",
    "Silence",
    "SilenceStore",
    "Stored",
    "SyncingConnection",
    "SystemInfo",
    "WriteBackQueue",
    "until_saved",
]
