"""Use cases are built from ports: adapters in Lambda, fakes in memory in tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bridge.domain.write_back import Timings
    from bridge.entrypoints.dead_letters import ParkedQueue
    from bridge.ports import (
        ArchivingStore,
        CallbackEndpointStore,
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
        Metrics,
        OutstandingStore,
        PartnerPlaces,
        PaymentControlStore,
        PdfQueue,
        ProblemStore,
        PsaGateway,
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


class Ports(Protocol):
    """A use case may be built from any of these ports. It asks only for its own, so the settings of
    a function may name fewer adapters."""

    @property
    def clock(self) -> Clock: ...
    @property
    def connections(self) -> ConnectionStore: ...
    @property
    def companies(self) -> CompanyStore: ...
    @property
    def records(self) -> RecordStore: ...
    @property
    def archivings(self) -> ArchivingStore: ...
    @property
    def outstanding(self) -> OutstandingStore: ...
    @property
    def runs(self) -> RunStore: ...
    @property
    def problems(self) -> ProblemStore: ...
    @property
    def ledger(self) -> LedgerStore: ...
    @property
    def payment_control(self) -> PaymentControlStore: ...
    @property
    def partner_places(self) -> PartnerPlaces: ...
    @property
    def silences(self) -> SilenceStore: ...
    @property
    def documents(self) -> DocumentStore: ...
    @property
    def callback_endpoints(self) -> CallbackEndpointStore: ...
    @property
    def signing_keys(self) -> SigningKeyStore: ...
    @property
    def member_key_source(self) -> SigningKeySource: ...
    @property
    def vault(self) -> SecretVault: ...
    @property
    def gateway(self) -> PsaGateway: ...
    @property
    def hints(self) -> HintQueue: ...
    @property
    def hints_alone(self) -> HintsAloneQueue: ...
    @property
    def read_marks(self) -> ReadMarks: ...
    @property
    def job_turns(self) -> JobTurns: ...
    @property
    def job_queue(self) -> JobQueue: ...
    @property
    def run_queue(self) -> RunQueue: ...
    @property
    def pdf_queue(self) -> PdfQueue: ...
    @property
    def write_back_queue(self) -> WriteBackQueue: ...
    @property
    def parked_queue(self) -> ParkedQueue: ...
    @property
    def event_bus(self) -> EventBus: ...

    @property
    def metrics(self) -> Metrics: ...

    @property
    def timings(self) -> Timings:
        """Return the time limits of an attempt to write a payment."""
        ...

    @property
    def store_lanes(self) -> int:
        """Return how many records are stored at the same time."""
        ...

    @property
    def webhook_base_url(self) -> str:
        """Return the address that ConnectWise calls back."""
        ...


class CallbackPorts(Protocol):
    """The webhook receiver works with these ports. It starts cold while ConnectWise waits, so they
    are apart from :class:`Ports`."""

    @property
    def clock(self) -> Clock: ...
    @property
    def callback_endpoints(self) -> CallbackEndpointStore: ...
    @property
    def signing_keys(self) -> SigningKeyStore: ...
    @property
    def key_requests(self) -> SigningKeyQueue: ...
    @property
    def hints(self) -> HintQueue: ...

    @property
    def open_key_source(self) -> Callable[[], SigningKeySource]:
        """Return the way to open the source of signing keys, used only for a key yet to be kept."""
        ...

    @property
    def allow_loopback(self) -> bool: ...
