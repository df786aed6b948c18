"""One payment's way from the platform into ConnectWise and the mirror, and what it costs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from bridge.domain.hint import Hint, HintReason
from bridge.domain.identity import RecordKind, mirrored_id
from bridge.domain.platform_payment import Allocation, PlatformPaymentState
from bridge.domain.write_back import Timings, WriteBack
from bridge.payments.platform_payments import PaymentDetails
from bridge.wiring import use_cases
from tests.contract.conftest import Tables
from tests.contract.ledger import LedgerTable
from tests.contract.meter import Meter
from tests.fakes.clock import FakeClock
from tests.unit.payments.bench import PAID_ON, USD, Bench

CALLBACK_AFTER = timedelta(seconds=1)
"""So long after a change ConnectWise calls back, unless it loses the callback."""
CALM = timedelta(minutes=30)
"""After so long nothing that belongs to a payment is still to come, its last look included."""
_CHANGES = ("POST", "PATCH", "DELETE")


class WholeWay(Bench):
    """The bench on DynamoDB, with its queues, its mirror and ConnectWise's callbacks.

    The connection's company is proven, so leases and owners have two keys. ``meter`` counts what
    DynamoDB bills but for the limiter of calls, which has tests of its own.
    """

    def __init__(self, client: Any, tables: Tables, ledger: LedgerTable, **policy: Any) -> None:
        super().__init__(**policy)
        self.loses_callbacks = False
        clock: FakeClock = self.clock
        stores = tables.stores(clock, client)
        self.connections = stores.connections
        self.connection = replace(self.connection, company_key="d" * 32)
        self.connections.save(self.connection, expected_version=0)
        self.records = stores.records  # type: ignore[assignment]
        self.problems = stores.problems  # type: ignore[assignment]
        self.partner_places = stores.places  # type: ignore[assignment]
        self.silences = stores.silences  # type: ignore[assignment]
        self.read_marks = stores.read_marks  # type: ignore[assignment]
        self.payment_control = stores.payment_control  # type: ignore[assignment]
        self.ledger = ledger.store(clock, client)  # type: ignore[assignment]
        self.timings = Timings()
        self._heard = 0
        self._hint(HintReason.CALLBACK)
        self.let_pass(CALM)
        self.meter = Meter(client)
        self._calls_before = len(self.engine.calls.recent(1000))

    @property
    def calls(self) -> list[str]:
        """The calls of ConnectWise since the invoice was mirrored, the invoice's id left out."""
        made = self.engine.calls.recent(1000)[self._calls_before :]
        paths = [call.target.split("?")[0].partition("/finance/")[2] for call in made]
        return [
            f"{call.method} {path.replace(str(self.invoice_id), 'id')}"
            for call, path in zip(made, paths, strict=True)
        ]

    def units(self, table: str) -> float:
        """Return the write units of a table whose name begins so."""
        return sum(units for _, name, units in self.meter.units_by if name.startswith(table))

    def pay(self, amount_minor: int, payment_id: str = "pay-1") -> WriteBack:
        """Let the platform record a payment, and all happen that follows."""
        connection_id = self.connection.connection_id
        part = Allocation(mirrored_id(connection_id, self.invoice_id), amount_minor)
        details = PaymentDetails(
            amount_minor=amount_minor,
            currency=USD,
            method="card",
            received_on=PAID_ON,
            state=PlatformPaymentState.SETTLED,
            allocations=(part,),
        )
        payment, _ = use_cases.platform_payments(self).record(connection_id, payment_id, details)
        self.let_pass(CALM)
        (stored,) = self.ledger.write_backs_of_payment(payment.partner_id, payment_id)
        assert stored.value is not None
        return stored.value

    def let_pass(self, time: timedelta) -> None:
        """Let the queues be worked off, and ConnectWise call back, for a while."""
        until = self.clock.now() + time
        while True:
            self._work_off()
            next_at = [self.hints.next_due_at(), self.write_back_queue.next_due_at()]
            coming = min((each for each in next_at if each and each <= until), default=None)
            if coming is None:
                break
            self.wait(max(0.0, (coming - self.clock.now()).total_seconds()))
        self.wait((until - self.clock.now()).total_seconds())

    def _work_off(self) -> None:
        while True:
            self.clock.set_remaining(60)
            messages = self.write_back_queue.take_due()
            hints = self.hints.take_due()
            if not messages and not hints:
                return
            for message in messages:
                use_cases.write_back_turns(self).drive(message)
            if hints:
                use_cases.hint_processor(self).process(hints)
            self._call_back()

    def _call_back(self) -> None:
        calls = self.engine.calls.recent(1000)
        for call in calls[self._heard :]:
            if call.method in _CHANGES and not self.loses_callbacks:
                self._hint(HintReason.CALLBACK, CALLBACK_AFTER)
        self._heard = len(calls)

    def _hint(self, reason: HintReason, after: timedelta = timedelta()) -> None:
        hint = Hint(
            self.connection.connection_id,
            RecordKind.INVOICE,
            self.invoice_id,
            reason,
            partner_id=self.connection.partner_id,
            came_at=self.clock.now() + after,
        )
        self.hints.send([hint], delay_seconds=int(after.total_seconds()))
