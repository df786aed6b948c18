"""R6: of what is made on the platform, payments and the paid status reach ConnectWise, no more."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest

from bridge.domain.errors import InvalidInputError
from bridge.domain.identity import Origin, mirrored_id, new_id
from bridge.domain.mirrored_kinds import INVOICES
from bridge.domain.platform_payment import Allocation, PlatformPaymentState
from bridge.domain.write_back import WriteBackState
from bridge.wiring import use_cases
from connectwise_sandbox.httpx_transport import EngineTransport
from tests.unit.payments.bench import PAID_ON, Bench
from tests.unit.payments.mirrored_bench import MirroredBench, payment_details

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
    bench = MirroredBench()
    bench.mirror()
    mirrored_invoice_id = mirrored_id(bench.connection.connection_id, bench.invoice_id)
    mirrored = bench.records.get(INVOICES, bench.connection.partner_id, mirrored_invoice_id).value
    assert mirrored is not None
    own = replace(
        mirrored,
        invoice_id=new_id(),
        origin=Origin.PLATFORM,
        connection_id=None,
        source_id=None,
        customer_source_id=None,
    )
    bench.records.save(own, expected_version=0)

    # When one payment is recorded for both
    details = payment_details(
        Allocation(mirrored.invoice_id, 6000),
        Allocation(own.invoice_id, 5000),
        state=PlatformPaymentState.SETTLED,
    )
    with pytest.raises(InvalidInputError):
        use_cases.platform_payments(bench).record(bench.connection.connection_id, "pay-1", details)

    # Then nothing of it is stored, and nobody is asked to write it
    assert bench.ledger.get_payment(bench.connection.partner_id, "pay-1").value is None
    assert bench.write_back_queue.take_due() == []
