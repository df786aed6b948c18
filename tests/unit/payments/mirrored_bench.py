"""The bench with what surrounds a driver: the mirror, the sweep over both, and what is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from bridge.connections.job_step import JobStep, StepEnd
from bridge.domain.customer import ArchiveReason
from bridge.domain.identity import mirrored_id
from bridge.domain.mirrored_kinds import INVOICES
from bridge.domain.platform_payment import Allocation, PlatformPayment, PlatformPaymentState
from bridge.domain.write_back import WriteBack
from bridge.payments.platform_payments import PaymentDetails
from bridge.wiring import use_cases
from tests.unit.payments.bench import PAID_ON, QUARANTINE_SECONDS, USD, Bench


class MirroredBench(Bench):
    """The bench with a mirror of ConnectWise, and the sweep over both."""

    def compare_now(self) -> int:
        """Compare all at once; return how many invoices ConnectWise was asked about."""
        return self._check(use_cases.payment_check(self).compare)

    def retry_now(self) -> int:
        """Try what waits again, and return how many were tried."""
        return self._check(use_cases.payment_check(self).retry)

    def _check(self, work: Callable[[JobStep], StepEnd]) -> int:
        now, done = self.clock.now(), 0
        for each in self.connections.list_syncing().items:
            connection = self.connections.get(each.connection_id).value
            assert connection is not None
            end = work(JobStep(connection, now + timedelta(hours=1), hours=frozenset({now.hour})))
            assert end.cursor is None
            done += end.done
        return done

    def mirror(self) -> None:
        """Bring the mirrored invoice in step with ConnectWise."""
        self.clock.set_remaining(900)
        wanted = frozenset({self.invoice_id})
        fetched = self.world.psa().fetch(INVOICES, [self.invoice_id], with_payments_of=wanted)
        invoice = fetched.found[self.invoice_id]
        stored = self.records.get(INVOICES, invoice.partner_id, invoice.invoice_id)
        self.records.save(invoice, expected_version=stored.version)

    def archive(self, reason: ArchiveReason = ArchiveReason.DELETED_IN_CONNECTWISE) -> None:
        """Let the mirror put the invoice away, because it is gone unless told otherwise."""
        invoice_id = mirrored_id(self.connection.connection_id, self.invoice_id)
        stored = self.records.get(INVOICES, self.connection.partner_id, invoice_id)
        assert stored.value is not None
        gone = stored.value.archived(reason, self.clock.now())
        self.records.save(gone, expected_version=stored.version)

    def compare(self) -> int:
        """Let the hourly comparison run, some time later."""
        self.wait(QUARANTINE_SECONDS)
        self.mirror()
        self.clock.set_remaining(900)
        return self.compare_now()

    def let_follow_up(self, write_back: WriteBack) -> None:
        """Let its follow-up be due, with no balance from before its post that proves anything."""
        history = write_back.history
        attempts = tuple(replace(each, balance_minor=None) for each in history.attempts)
        anew = write_back.with_history(replace(history, attempts=attempts))
        self.save(replace(anew, wants_follow_up=True, due_at=self.clock.now()))

    def save(self, write_back: WriteBack) -> None:
        stored = self.ledger.get_write_back(write_back.connection_id, write_back.write_back_id)
        self.ledger.save_write_back(write_back, expected_version=stored.version)


def payment_details(
    *allocations: Allocation, state: PlatformPaymentState, amount_minor: int | None = None
) -> PaymentDetails:
    return PaymentDetails(
        amount_minor=amount_minor or sum(part.amount_minor for part in allocations),
        currency=USD,
        method="card",
        received_on=PAID_ON,
        state=state,
        allocations=allocations,
    )


def record(bench: MirroredBench, state: PlatformPaymentState) -> PlatformPayment:
    """Record a payment of 50.00 for the bench's invoice."""
    connection_id = bench.connection.connection_id
    part = Allocation(mirrored_id(connection_id, bench.invoice_id), 5000)
    details = payment_details(part, state=state)
    payment, _ = use_cases.platform_payments(bench).record(connection_id, "pay-1", details)
    return payment


def move(bench: MirroredBench, payment: PlatformPayment, state: PlatformPaymentState) -> WriteBack:
    use_cases.platform_payments(bench).move(
        bench.connection.connection_id, payment.payment_id, state, reason="R01"
    )
    return write_back_of(bench, payment)


def write_back_of(bench: MirroredBench, payment: PlatformPayment) -> WriteBack:
    (stored,) = bench.ledger.write_backs_of_payment(payment.partner_id, payment.payment_id)
    assert stored.value is not None
    return stored.value
