"""The ports that use cases are built from: adapters in Lambda, fakes in memory in tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bridge.domain.write_back import Timings
    from bridge.entrypoints.dead_letters import ParkedQueue
    from bridge.ports import (
        CallbackEndpointStore,
        Clock,
        ConnectionStore,
        DocumentStore,
        EventBus,
        HintQueue,
        LedgerStore,
        PdfQueue,
        ProblemStore,
        PsaGateway,
        RecordStore,
        RunQueue,
        RunStore,
        SecretVault,
        SigningKeySource,
        SigningKeyStore,
        WriteBackQueue,
    )


class Ports(Protocol):
    """Everything that a use case may be built from. A use case asks only for what it needs, so a
    function whose settings name fewer adapters is fine."""

    @property
    def clock(self) -> Clock: ...
    @property
    def connections(self) -> ConnectionStore: ...
    @property
    def records(self) -> RecordStore: ...
    @property
    def runs(self) -> RunStore: ...
    @property
    def problems(self) -> ProblemStore: ...
    @property
    def ledger(self) -> LedgerStore: ...
    @property
    def documents(self) -> DocumentStore: ...
    @property
    def vault(self) -> SecretVault: ...
    @property
    def gateway(self) -> PsaGateway: ...
    @property
    def hints(self) -> HintQueue: ...
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
    def timings(self) -> Timings:
        """How long an attempt to write a payment may live."""
        ...

    @property
    def webhook_base_url(self) -> str:
        """The address that ConnectWise calls back."""
        ...


class CallbackPorts(Protocol):
    """What the webhook receiver works with. It starts cold while ConnectWise waits, so these are
    apart from :class:`Ports`."""

    @property
    def clock(self) -> Clock: ...
    @property
    def callback_endpoints(self) -> CallbackEndpointStore: ...
    @property
    def signing_keys(self) -> SigningKeyStore: ...
    @property
    def hints(self) -> HintQueue: ...

    @property
    def open_key_source(self) -> Callable[[], SigningKeySource]:
        """Opens the way to signing keys, which is only needed for a key that is not kept."""
        ...

    @property
    def allow_loopback(self) -> bool: ...
