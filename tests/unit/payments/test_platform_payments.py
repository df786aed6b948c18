"""What the platform says of a payment's life, and what that means for ConnectWise."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import httpx
import pytest

from bridge.domain.identity import mirrored_id
from bridge.domain.mirrored_kinds import INVOICES
from bridge.domain.platform_payment import MAX_ALLOCATIONS, Allocation, PlatformPaymentState
from bridge.domain.write_back import Reason, WriteBackState
from bridge.wiring import use_cases
from connectwise_sandbox.faults import Effect
from connectwise_sandbox.httpx_transport import EngineTransport
from tests.unit.payments.bench import decisions, place
from tests.unit.payments.mirrored_bench import (
    MirroredBench,
    move,
    payment_details,
    record,
    write_back_of,
)

P = PlatformPaymentState
S = WriteBackState


@pytest.fixture
def bench() -> MirroredBench:
    """A partner who lets returned payments stand in ConnectWise, once they are there."""
    bench = MirroredBench()
    bench.save_connection(write_back=replace(bench.connection.write_back, reverse_on=frozenset()))
    bench.mirror()
    return bench


@pytest.mark.parametrize("undone", [P.RETURNED, P.VOIDED, P.FAILED])
def test_what_never_settled_is_not_written_when_it_is_undone(
    bench: MirroredBench, undone: PlatformPaymentState
) -> None:
    write_back = move(bench, record(bench, P.PENDING), undone)

    assert bench.drive(write_back).has_ended
    assert bench.rows() == []


def test_what_was_refused_is_not_written_after_it_was_returned(bench: MirroredBench) -> None:
    payment = record(bench, P.SETTLED)
    bench.lock_invoice()
    assert bench.drive(write_back_of(bench, payment)).state is S.REJECTED

    move(bench, payment, P.RETURNED)
    write_back = bench.drive_when_due(write_back_of(bench, payment))

    assert (write_back.state, bench.open_problems()) == (S.REVERSED, [])


def test_what_is_written_stands_where_the_partner_lets_it(bench: MirroredBench) -> None:
    payment = record(bench, P.SETTLED)
    bench.drive(write_back_of(bench, payment))

    write_back = bench.drive(move(bench, payment, P.RETURNED))

    assert (write_back.state, len(bench.rows())) == (S.CONFIRMED, 1)


@pytest.mark.parametrize("effect", [Effect.CUT_BEFORE_EFFECT, Effect.LATE_EFFECT])
def test_what_is_undone_while_its_post_is_unclear_is_looked_for_and_not_posted_anew(
    bench: MirroredBench, effect: Effect
) -> None:
    payment = record(bench, P.SETTLED)
    bench.fault(effect, "POST", seconds=60)
    assert bench.drive(write_back_of(bench, payment)).state is S.UNCLEAR

    done = bench.drive_when_due(move(bench, payment, P.RETURNED))

    stands = effect is Effect.LATE_EFFECT
    assert len(bench.rows()) == (1 if stands else 0)
    assert done.state is (S.CONFIRMED if stands else S.REVERSED)
    assert done.has_ended
    assert bench.open_problems() == []


def test_what_is_undone_while_it_is_posted_is_confirmed_by_the_answer(bench: MirroredBench) -> None:
    payment = record(bench, P.SETTLED)
    transport = EngineTransport(bench.engine, wait=bench.clock.sleep)

    def undo_meanwhile(request: httpx.Request) -> httpx.Response:
        answer = transport.handle_request(request)
        if request.method == "POST":
            move(bench, payment, P.RETURNED)
        return answer

    gateway = bench.world.gateway(httpx.MockTransport(undo_meanwhile))
    done = bench.drive(write_back_of(bench, payment), gateway=gateway)

    assert (done.state, done.has_ended) == (S.CONFIRMED, True)
    assert done.psa_payment_id == bench.rows()[0]["id"]


def test_trying_again_posts_nothing_that_was_undone_since(bench: MirroredBench) -> None:
    payment = record(bench, P.SETTLED)
    bench.drive(write_back_of(bench, payment))
    bench.people.delete_payment(bench.invoice_id, bench.rows()[0]["id"])
    bench.compare()
    waiting = move(bench, payment, P.RETURNED)
    assert waiting.reason is Reason.PAYMENT_GONE

    decisions(bench).post(*place(waiting))

    assert bench.drive(waiting).has_ended
    assert bench.rows() == []


class Counting:
    """Counts the calls of a store's methods."""

    def __init__(self, store: object, asked: Counter[str]) -> None:
        self._store = store
        self._asked = asked

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        def counted(*arguments: Any, **named: Any) -> Any:
            self._asked[name] += 1
            return method(*arguments, **named)

        return counted


@pytest.mark.parametrize("count", [1, MAX_ALLOCATIONS])
def test_recording_asks_the_stores_five_times_whatever_the_allocations(count: int) -> None:
    bench = MirroredBench()
    bench.mirror()
    connection = bench.connection
    mirrored = bench.records.get(
        INVOICES, connection.partner_id, mirrored_id(connection.connection_id, bench.invoice_id)
    ).value
    assert mirrored is not None
    parts = []
    for source_id in range(9001, 9001 + count):
        invoice_id = mirrored_id(connection.connection_id, source_id)
        invoice = replace(mirrored, invoice_id=invoice_id, source_id=source_id)
        bench.records.save(invoice, expected_version=0)
        parts.append(Allocation(invoice_id, 100))
    asked: Counter[str] = Counter()
    for port in ("ledger", "records", "connections"):
        setattr(bench, port, Counting(getattr(bench, port), asked))

    details = payment_details(*parts, state=P.SETTLED)
    use_cases.platform_payments(bench).record(connection.connection_id, "pay-1", details)

    assert asked == {
        "get": 1,
        "get_payment": 1,
        "get_mirrored": 1,
        "list_payments": 1,
        "record": 1,
    }
