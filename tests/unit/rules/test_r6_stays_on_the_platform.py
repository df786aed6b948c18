"""R6: of what is made on the platform, payments and the paid status reach ConnectWise, no more."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import httpx

from bridge.domain.identity import Origin, new_id
from bridge.domain.platform_payment import Allocation
from bridge.domain.write_back import WriteBackState
from bridge.payments.recording import PaymentRecorder
from connectwise_sandbox.httpx_transport import EngineTransport
from tests.builders.operations import a_connection
from tests.builders.payments import a_platform_payment
from tests.builders.records import an_invoice
from tests.fakes.clock import FakeClock
from tests.fakes.connections import InMemoryConnectionStore
from tests.fakes.ledger import InMemoryLedgerStore
from tests.fakes.queues import InMemoryWriteBackQueue
from tests.fakes.records import InMemoryRecordStore
from tests.unit.payments.bench import PAID_ON, Bench

S = WriteBackState


class _Writes(httpx.BaseTransport):
    """Leads to the sandbox, and notes the method, the end of the path and the body of a change."""

    def __init__(self, bench: Bench) -> None:
        self._inner = EngineTransport(bench.engine, wait=bench.clock.sleep)
        self.seen: list[tuple[str, str, Any]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method != "GET":
            body = json.loads(request.content, parse_float=str) if request.content else None
            path = request.url.path.partition("/apis/3.0")[2]
            self.seen.append((request.method, path, body))
        return self._inner.handle_request(request)


def test_a_whole_payment_and_its_return_change_payments_and_the_status_only() -> None:
    # Given a payment that pays an invoice in full
    bench = Bench()
    writes = _Writes(bench)
    gateway = bench.world.gateway(writes)
    before = bench.status_id(bench.status())
    write_back = bench.drive(bench.collect(11000), gateway=gateway)
    assert (write_back.state, bench.status()) == (S.CONFIRMED, "Paid in Full")

    # When it is returned
    bench.undo()
    bench.drive(write_back, gateway=gateway)
    bench.drive(write_back, gateway=gateway)

    # Then this is all that ConnectWise was told to do
    invoice = f"/finance/invoices/{bench.invoice_id}"
    closed = f"/finance/closedInvoices/{bench.invoice_id}"
    paid = bench.status_id("Paid in Full")
    payment = {"amount": "110.00", "paymentDate": f"{PAID_ON}T00:00:00Z"}
    told = [(method, path.replace(closed, invoice), body) for method, path, body in writes.seen]
    assert told == [
        ("POST", f"{invoice}/payments", payment),
        ("PATCH", invoice, [_status(paid)]),
        ("PATCH", invoice, [_status(before)]),
        ("DELETE", f"{invoice}/payments/{write_back.psa_payment_id}", None),
    ]


def _status(status_id: int) -> dict[str, Any]:
    return {"op": "replace", "path": "status", "value": {"id": status_id}}


def test_a_payment_of_an_invoice_of_the_platforms_own_goes_nowhere() -> None:
    # Given an invoice that ConnectWise knows, and one that was made on the platform
    clock, records = FakeClock(), InMemoryRecordStore()
    ledger, queue = InMemoryLedgerStore(clock), InMemoryWriteBackQueue(clock)
    connections = InMemoryConnectionStore()
    connections.save(a_connection(), expected_version=0)
    mirrored = an_invoice(1001)
    own = replace(
        mirrored,
        invoice_id=new_id(),
        origin=Origin.PLATFORM,
        connection_id=None,
        source_id=None,
        customer_source_id=None,
    )
    for invoice in (mirrored, own):
        records.save_invoice(invoice, expected_version=0)
    recorder = PaymentRecorder(
        ledger=ledger, records=records, connections=connections, queue=queue, clock=clock
    )

    # When one payment is recorded for both
    payment = a_platform_payment(
        allocations=(Allocation(mirrored.invoice_id, 6000), Allocation(own.invoice_id, 5000))
    )
    recorder.record(payment)

    # Then only the one that is there has a write-back
    stored = ledger.write_backs_of_payment(payment.partner_id, payment.payment_id)
    assert [each.value.amount_minor for each in stored if each.value] == [6000]
    assert len(queue.take_due()) == 1
