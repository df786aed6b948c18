"""The payment use cases as ``runtime.bootstrap`` wires them, beside those of the sync."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from bridge.connectwise.gateway import ConnectWiseGateway
from bridge.domain.connection import Connection
from bridge.domain.write_back import Timings
from bridge.payment_ports import LedgerStore, PaymentsGateway, PsaPayments, WriteBackQueue
from bridge.payments.collecting import CollectedPayments
from bridge.payments.deciding import WriteBackDecisions
from bridge.payments.disclaiming import SurplusDecisions
from bridge.payments.parking import WriteBackParker
from bridge.payments.reconciling import PaymentReconciler
from bridge.payments.recording import PaymentRecorder
from bridge.payments.sweeping import DueWriteBacks, PaymentSweep
from bridge.payments.troubles import WriteBackTroubles
from bridge.payments.writing_back import WriteBackDriver
from bridge.ports import ProblemStore
from bridge.runtime.dead_letters import DeadLetters
from bridge.sync.parking import Parker
from bridge.sync.payment_preferences import PaymentPreferences
from bridge.sync.problem_actions import ProblemActions
from tests.simulation.watching import Observer, watched
from tests.simulation.wiring import Outside, Wiring


@dataclass(frozen=True)
class PaymentOutside(Outside):
    """Everything that outlives a worker, the ledger among it."""

    ledger: LedgerStore
    write_back_queue: WriteBackQueue

    def watched_by(self, observer: Observer) -> PaymentOutside:
        seen = vars(super().watched_by(observer))
        ledger = watched(self.ledger, "ledger", observer)
        return PaymentOutside(**seen, ledger=ledger, write_back_queue=self.write_back_queue)


class _WatchedPaymentsGateway:
    def __init__(self, gateway: PaymentsGateway, observer: Observer) -> None:
        self._gateway = gateway
        self._observer = observer

    def open_payments(self, connection: Connection) -> PsaPayments:
        return watched(self._gateway.open_payments(connection), "payments", self._observer)


class PaymentWiring(Wiring):
    """One worker's use cases. A broken variant overrides a port or a use case."""

    outside: PaymentOutside

    @property
    def timings(self) -> Timings:
        return Timings()

    @property
    def ledger(self) -> LedgerStore:
        return self.outside.ledger

    @property
    def problems(self) -> ProblemStore:
        return self.outside.problems

    @cached_property
    def payments_gateway(self) -> PaymentsGateway:
        gateway = ConnectWiseGateway(
            transport=self.transport,
            vault=self.outside.vault,
            limiter=self.outside.limiter,
            clock=self.clock,
            on_codebase_changed=self.health.remember_address,
        )
        return _WatchedPaymentsGateway(gateway, self.observer)

    @cached_property
    def troubles(self) -> WriteBackTroubles:
        return WriteBackTroubles(self.outside.problems, self.clock)

    @cached_property
    def recorder(self) -> PaymentRecorder:
        return PaymentRecorder(
            ledger=self.ledger,
            records=self.outside.records,
            connections=self.outside.connections,
            queue=self.outside.write_back_queue,
            clock=self.clock,
        )

    @cached_property
    def collected(self) -> CollectedPayments:
        return CollectedPayments(
            recorder=self.recorder,
            ledger=self.ledger,
            records=self.outside.records,
            connections=self.outside.connections,
            clock=self.clock,
        )

    @cached_property
    def preferences(self) -> PaymentPreferences:
        return PaymentPreferences(self.outside.connections, self.gateway)

    @cached_property
    def problem_actions(self) -> ProblemActions:
        return ProblemActions(
            connections=self.outside.connections,
            problems=self.outside.problems,
            runs=self.outside.runs,
            starter=self.run_starter,
            hints=self.outside.hints,
            pdfs=self.outside.pdf_queue,
            verifier=self.verifier,
            decisions=self.decisions,
            surplus=SurplusDecisions(self.ledger, self.outside.records, self.outside.connections),
            clock=self.clock,
        )

    @cached_property
    def driver(self) -> WriteBackDriver:
        return WriteBackDriver(
            ledger=self.ledger,
            connections=self.outside.connections,
            gateway=self.payments_gateway,
            hints=self.outside.hints,
            troubles=self.troubles,
            clock=self.clock,
            timings=self.timings,
        )

    @cached_property
    def decisions(self) -> WriteBackDecisions:
        return WriteBackDecisions(
            self.ledger, self.outside.write_back_queue, self.troubles, self.clock
        )

    @cached_property
    def due_write_backs(self) -> DueWriteBacks:
        return DueWriteBacks(self.ledger, self.outside.write_back_queue, self.clock)

    @cached_property
    def payment_reconciler(self) -> PaymentReconciler:
        return PaymentReconciler(
            ledger=self.ledger,
            gateway=self.payments_gateway,
            records=self.outside.records,
            connections=self.outside.connections,
            problems=self.problems,
            troubles=self.troubles,
            queue=self.outside.write_back_queue,
            hints=self.outside.hints,
            clock=self.clock,
            timings=self.timings,
        )

    @cached_property
    def payment_sweep(self) -> PaymentSweep:
        return PaymentSweep(
            ledger=self.ledger,
            records=self.outside.records,
            connections=self.outside.connections,
            reconciler=self.payment_reconciler,
            clock=self.clock,
        )

    @cached_property
    def dead_letters(self) -> DeadLetters:
        parker = Parker(
            self.outside.connections, self.outside.runs, self.outside.problems, self.clock
        )
        write_backs = WriteBackParker(self.ledger, self.troubles, self.clock)
        return DeadLetters(parker, self.outside.parked, write_backs)
