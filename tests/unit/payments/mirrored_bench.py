"""The bench with what surrounds a driver: the mirror, the sweep over both, and what is told."""

from __future__ import annotations

from bridge.domain.customer import ArchiveReason
from bridge.domain.identity import mirrored_id
from bridge.domain.platform_payment import Allocation, PlatformPayment, PlatformPaymentState
from bridge.domain.write_back import WriteBack
from bridge.payments.reconciling import PaymentReconciler
from bridge.payments.recording import PaymentRecorder
from bridge.payments.sweeping import PaymentSweep
from tests.builders.payments import a_platform_payment
from tests.fakes.records import InMemoryRecordStore
from tests.unit.payments.bench import PAID_ON, QUARANTINE_SECONDS, TIMINGS, Bench


class MirroredBench(Bench):
    """The bench with a mirror of ConnectWise, and the sweep over both."""

    def __init__(self) -> None:
        super().__init__()
        self.records = InMemoryRecordStore()

    @property
    def sweep(self) -> PaymentSweep:
        reconciler = PaymentReconciler(
            ledger=self.ledger,
            gateway=self.gateway,
            records=self.records,
            connections=self.connections,
            problems=self.problems,
            troubles=self.troubles,
            queue=self.queue,
            hints=self.hints,
            clock=self.clock,
            timings=TIMINGS,
        )
        return PaymentSweep(
            ledger=self.ledger,
            records=self.records,
            connections=self.connections,
            reconciler=reconciler,
            clock=self.clock,
        )

    def mirror(self) -> None:
        """Bring the mirrored invoice in step with ConnectWise."""
        self.clock.set_remaining(900)
        wanted = frozenset({self.invoice_id})
        fetched = self.world.psa().fetch_invoices([self.invoice_id], with_payments_of=wanted)
        invoice = fetched.found[self.invoice_id]
        stored = self.records.get_invoice(invoice.partner_id, invoice.invoice_id)
        self.records.save_invoice(invoice, expected_version=stored.version)

    def archive(self, reason: ArchiveReason = ArchiveReason.DELETED_IN_CONNECTWISE) -> None:
        """Let the mirror put the invoice away, because it is gone unless told otherwise."""
        invoice_id = mirrored_id(self.connection.connection_id, self.invoice_id)
        stored = self.records.get_invoice(self.connection.partner_id, invoice_id)
        assert stored.value is not None
        gone = stored.value.archived(reason, self.clock.now())
        self.records.save_invoice(gone, expected_version=stored.version)

    def compare(self) -> int:
        """Let the hourly comparison run, some time later."""
        self.wait(QUARANTINE_SECONDS)
        self.mirror()
        self.clock.set_remaining(900)
        return self.sweep.compare_all()

    def save(self, write_back: WriteBack) -> None:
        stored = self.ledger.get_write_back(write_back.connection_id, write_back.write_back_id)
        self.ledger.save_write_back(write_back, expected_version=stored.version)


def recorder(bench: MirroredBench) -> PaymentRecorder:
    return PaymentRecorder(
        ledger=bench.ledger,
        records=bench.records,
        connections=bench.connections,
        queue=bench.queue,
        clock=bench.clock,
    )


def record(bench: MirroredBench, state: PlatformPaymentState) -> PlatformPayment:
    invoice_id = mirrored_id(bench.connection.connection_id, bench.invoice_id)
    payment = a_platform_payment(
        "pay-1",
        partner_id=bench.connection.partner_id,
        amount_minor=5000,
        received_on=PAID_ON,
        allocations=(Allocation(invoice_id, 5000),),
        recorded_at=bench.clock.now(),
        state=state,
    )
    return recorder(bench).record(payment)


def move(bench: MirroredBench, payment: PlatformPayment, state: PlatformPaymentState) -> WriteBack:
    recorder(bench).move(payment.partner_id, payment.payment_id, state, reason="R01")
    return write_back_of(bench, payment)


def write_back_of(bench: MirroredBench, payment: PlatformPayment) -> WriteBack:
    (stored,) = bench.ledger.write_backs_of_payment(payment.partner_id, payment.payment_id)
    assert stored.value is not None
    return stored.value
