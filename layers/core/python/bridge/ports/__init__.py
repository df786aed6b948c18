"""What the use cases need from the world, as protocols that the adapters fulfil.

Every adapter, and every fake in the tests, passes the same contract suite. Unless a method says
otherwise it may raise RetryableError when the other side is out of reach.
"""

from bridge.ports.messages import (
    Clock,
    DocumentStore,
    EventBus,
    HintQueue,
    PdfQueue,
    RunQueue,
)
from bridge.ports.psa import (
    Psa,
    PsaGateway,
    RateLimiter,
    SigningKeySource,
)
from bridge.ports.stores import (
    CallbackEndpointStore,
    ConnectionStore,
    ProblemStore,
    RecordStore,
    RunStore,
    SecretVault,
    SigningKeyStore,
    syncing_connections,
)
from bridge.ports.values import (
    CustomerQuery,
    Fetched,
    Head,
    HeadPage,
    InvoiceQuery,
    Page,
    PaymentQuery,
    Stored,
    SystemInfo,
)

__all__ = [
    "CallbackEndpointStore",
    "Clock",
    "ConnectionStore",
    "CustomerQuery",
    "DocumentStore",
    "EventBus",
    "Fetched",
    "Head",
    "HeadPage",
    "HintQueue",
    "InvoiceQuery",
    "Page",
    "PaymentQuery",
    "PdfQueue",
    "ProblemStore",
    "Psa",
    "PsaGateway",
    "RateLimiter",
    "RecordStore",
    "RunQueue",
    "RunStore",
    "SecretVault",
    "SigningKeySource",
    "SigningKeyStore",
    "Stored",
    "SystemInfo",
    "syncing_connections",
]
