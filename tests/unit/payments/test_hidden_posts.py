"""A lost post that the balance shows and the list of payments does not, however long."""

from __future__ import annotations

import json
from decimal import Decimal

import httpx
import pytest

from bridge.connectwise.gateway import ConnectWiseGateway
from bridge.domain.platform_payment import PlatformPaymentState
from bridge.domain.write_back import Reason, WriteBack, WriteBackState
from connectwise_sandbox.faults import Effect
from connectwise_sandbox.httpx_transport import EngineTransport
from tests.unit.payments.bench import QUARANTINE_SECONDS, decisions, place
from tests.unit.payments.mirrored_bench import MirroredBench, move, record, write_back_of

S = WriteBackState


def hiding(bench: MirroredBench, *hidden_ids: int) -> ConnectWiseGateway:
    """Return a way into a ConnectWise whose lists leave some payments out, or all of them."""
    transport = EngineTransport(bench.engine, wait=bench.clock.sleep)

    def answer(request: httpx.Request) -> httpx.Response:
        answer = transport.handle_request(request)
        if request.method != "GET" or not request.url.path.endswith("/payments"):
            return answer
        rows = json.loads(answer.read()) if hidden_ids else []
        shown = [row for row in rows if row["id"] not in hidden_ids]
        return httpx.Response(200, json=shown)

    return bench.world.gateway(httpx.MockTransport(answer))


def lost(bench: MirroredBench, write_back: WriteBack) -> int:
    """Post it without an answer, and let it land; return the payment's id."""
    bench.lose_post(write_back)
    (row,) = bench.rows(write_back.invoice_source_id)
    bench.wait(QUARANTINE_SECONDS)
    return int(row["id"])


def test_it_forbids_a_second_post_and_is_found_in_the_end(bench: MirroredBench) -> None:
    write_back = bench.collect(5000)
    hidden_id = lost(bench, write_back)
    waiting = bench.drive(write_back, gateway=hiding(bench, hidden_id))
    assert (waiting.state, waiting.reason) == (S.MANUAL, Reason.PAYMENT_HIDDEN)
    assert len(bench.rows()) == len(bench.open_problems()) == 1

    bench.compare()
    assert bench.drive_when_due(write_back).psa_payment_id == hidden_id
    bench.compare()
    assert bench.open_problems() == []


def settle(bench: MirroredBench, write_back: WriteBack, gateway: ConnectWiseGateway) -> WriteBack:
    """Let workers drive it until it has ended or waits for a person."""
    for _ in range(40):
        now = bench.drive(write_back, gateway=gateway)
        if now.has_ended or now.needs_person:
            return now
        bench.wait(60)
    raise AssertionError("it never comes to rest")


@pytest.mark.parametrize("are_all_hidden", [False, True])
def test_it_forbids_a_second_post_though_another_of_ours_came_between(
    bench: MirroredBench, are_all_hidden: bool
) -> None:
    invoice_id = bench.bill("200.00")
    first = bench.collect(5000, "pay-1", invoice_id)
    hidden_id = lost(bench, first)
    gateway = hiding(bench) if are_all_hidden else hiding(bench, hidden_id)
    settle(bench, bench.collect(3000, "pay-2", invoice_id), gateway)
    bench.wait(QUARANTINE_SECONDS)

    done = settle(bench, first, gateway)

    assert (done.state, done.reason) == (S.MANUAL, Reason.PAYMENT_HIDDEN)
    assert len(bench.rows(invoice_id)) == 2


def test_it_forbids_a_second_post_though_an_older_one_of_ours_went_back(
    bench: MirroredBench,
) -> None:
    old = bench.drive(bench.collect(3000, "pay-1"))
    bench.wait(QUARANTINE_SECONDS)
    write_back = bench.collect(5000, "pay-2")
    bench.lose_post(write_back)
    hidden_id = bench.rows()[-1]["id"]
    bench.wait(QUARANTINE_SECONDS)
    bench.undo("pay-1")
    settle(bench, old, hiding(bench, hidden_id))

    done = settle(bench, write_back, hiding(bench, hidden_id))

    assert (done.state, done.reason) == (S.MANUAL, Reason.PAYMENT_HIDDEN)
    assert bench.amounts() == [Decimal("50.00")]


def test_an_equal_one_that_adopts_the_payment_of_another_leaves_none_to_be_posted_twice(
    bench: MirroredBench,
) -> None:
    invoice_id = bench.bill("300.00")
    first = bench.collect(5000, "pay-1", invoice_id)
    gateway = hiding(bench, lost(bench, first))
    second = bench.collect(5000, "pay-2", invoice_id)
    bench.lose_post(second, gateway=gateway)
    bench.wait(QUARANTINE_SECONDS)

    assert settle(bench, first, gateway).state is S.CONFIRMED
    assert settle(bench, second, gateway).reason is Reason.PAYMENT_HIDDEN
    assert len(bench.rows(invoice_id)) == 2


def test_an_equal_payment_of_ours_is_not_taken_for_it(bench: MirroredBench) -> None:
    bench.fault(Effect.CUT_BEFORE_EFFECT, "POST")
    first = bench.drive(bench.collect(5000, "pay-1"))
    second = bench.collect(5000, "pay-2")
    bench.drive(second)
    bench.wait(QUARANTINE_SECONDS)
    assert bench.drive(second).has_ended

    done = bench.drive_when_due(first)

    assert (done.state, done.reason) == (S.CONFIRMED, Reason.NONE)
    assert bench.amounts() == [Decimal("50.00")] * 2


def test_an_equal_payment_of_ours_keeps_no_removed_one_from_being_posted_anew(
    bench: MirroredBench,
) -> None:
    first = bench.drive(bench.collect(5000, "pay-1"))
    bench.wait(QUARANTINE_SECONDS)
    assert bench.drive(bench.collect(5000, "pay-2")).has_ended
    bench.people.delete_payment(bench.invoice_id, first.psa_payment_id or 0)
    bench.compare()
    assert bench.stored(first).reason is Reason.PAYMENT_GONE

    decisions(bench).post(*place(first))

    done = bench.drive(first)
    assert (done.state, done.reason) == (S.CONFIRMED, Reason.NONE)


def test_a_return_does_not_forget_it(bench: MirroredBench) -> None:
    write_back = bench.collect(5000)
    gateway = hiding(bench, lost(bench, write_back))
    assert bench.drive(write_back, gateway=gateway).reason is Reason.PAYMENT_HIDDEN
    bench.undo()
    waiting = bench.drive(write_back, gateway=gateway)
    assert (waiting.state, waiting.reason) == (S.MANUAL, Reason.PAYMENT_HIDDEN)
    assert len(bench.open_problems()) == 1

    bench.compare()
    assert bench.drive_when_due(write_back).state is S.REVERSED
    bench.compare()
    assert bench.rows() == bench.open_problems() == []


def test_what_may_stay_where_it_stands_does_not_forget_it(bench: MirroredBench) -> None:
    policy = bench.connection.write_back
    bench.save_connection(write_back=type(policy)(reverse_on=frozenset()))
    payment = record(bench, PlatformPaymentState.SETTLED)
    hidden_id = lost(bench, write_back_of(bench, payment))
    write_back = move(bench, payment, PlatformPaymentState.RETURNED)
    waiting = bench.drive(write_back, gateway=hiding(bench, hidden_id))
    assert (waiting.state, waiting.reason) == (S.MANUAL, Reason.PAYMENT_HIDDEN)

    bench.compare()
    done = bench.drive_when_due(write_back)
    assert (done.state, done.psa_payment_id) == (S.CONFIRMED, hidden_id)
    bench.compare()
    assert bench.open_problems() == []
