"""What the platform says of a payment's life, and what that means for ConnectWise."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from bridge.domain.identity import mirrored_id
from bridge.domain.platform_payment import Allocation, PlatformPayment, PlatformPaymentState
from bridge.domain.write_back import Reason, WriteBack, WriteBackState
from bridge.payments.deciding import WriteBackDecisions
from bridge.payments.recording import PaymentRecorder
from infra.local.connectwise_sandbox.faults import Effect
from infra.local.connectwise_sandbox.httpx_transport import EngineTransport
from tests.builders.payments import a_platform_payment
from tests.unit.payments.bench import PAID_ON
from tests.unit.payments.test_reconciling import Reconciling

P = PlatformPaymentState
S = WriteBackState


@pytest.fixture
def bench() -> Reconciling:
    """A partner who lets returned payments stand in ConnectWise, once they are there."""
    bench = Reconciling()
    bench.save_connection(write_back=replace(bench.connection.write_back, reverse_on=frozenset()))
    bench.mirror()
    return bench


def recorder(bench: Reconciling) -> PaymentRecorder:
    return PaymentRecorder(
        ledger=bench.ledger,
        records=bench.records,
        connections=bench.connections,
        queue=bench.queue,
        clock=bench.clock,
    )


def record(bench: Reconciling, state: PlatformPaymentState) -> PlatformPayment:
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


def move(bench: Reconciling, payment: PlatformPayment, state: PlatformPaymentState) -> WriteBack:
    recorder(bench).move(payment.partner_id, payment.payment_id, state, reason="R01")
    return write_back_of(bench, payment)


def write_back_of(bench: Reconciling, payment: PlatformPayment) -> WriteBack:
    (stored,) = bench.ledger.write_backs_of_payment(payment.partner_id, payment.payment_id)
    assert stored.value is not None
    return stored.value


@pytest.mark.parametrize("undone", [P.RETURNED, P.VOIDED, P.FAILED])
def test_what_never_settled_is_not_written_when_it_is_undone(
    bench: Reconciling, undone: PlatformPaymentState
) -> None:
    write_back = move(bench, record(bench, P.PENDING), undone)

    assert bench.drive(write_back).has_ended
    assert bench.rows() == []


def test_what_was_refused_is_not_written_after_it_was_returned(bench: Reconciling) -> None:
    payment = record(bench, P.SETTLED)
    bench.people.close_invoice(bench.invoice_id)
    assert bench.drive(write_back_of(bench, payment)).state is S.REJECTED

    write_back = bench.drive(move(bench, payment, P.RETURNED))

    assert (write_back.state, bench.open_problems()) == (S.REVERSED, [])


def test_what_is_written_stands_where_the_partner_lets_it(bench: Reconciling) -> None:
    payment = record(bench, P.SETTLED)
    bench.drive(write_back_of(bench, payment))

    write_back = bench.drive(move(bench, payment, P.RETURNED))

    assert (write_back.state, len(bench.rows())) == (S.CONFIRMED, 1)


@pytest.mark.parametrize("effect", [Effect.CUT_BEFORE_EFFECT, Effect.CUT_AFTER_EFFECT])
def test_what_is_undone_while_its_post_is_unclear_is_looked_for_and_not_posted_anew(
    bench: Reconciling, effect: Effect
) -> None:
    payment = record(bench, P.SETTLED)
    bench.fault(effect, "POST")
    assert bench.drive(write_back_of(bench, payment)).state is S.UNCLEAR

    done = bench.drive_when_due(move(bench, payment, P.RETURNED))

    stands = effect is Effect.CUT_AFTER_EFFECT
    assert len(bench.rows()) == (1 if stands else 0)
    assert done.state is (S.CONFIRMED if stands else S.REVERSED)
    assert done.has_ended
    assert bench.open_problems() == []


def test_what_is_undone_while_it_is_posted_is_confirmed_by_the_answer(bench: Reconciling) -> None:
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


def test_trying_again_posts_nothing_that_was_undone_since(bench: Reconciling) -> None:
    payment = record(bench, P.SETTLED)
    bench.drive(write_back_of(bench, payment))
    bench.people.delete_payment(bench.invoice_id, bench.rows()[0]["id"])
    bench.compare()
    waiting = move(bench, payment, P.RETURNED)
    assert waiting.reason is Reason.PAYMENT_GONE

    decisions = WriteBackDecisions(bench.ledger, bench.queue, bench.troubles, bench.clock)
    decisions.retry(waiting.partner_id, waiting.connection_id, waiting.write_back_id)

    assert bench.drive(waiting).has_ended
    assert bench.rows() == []
