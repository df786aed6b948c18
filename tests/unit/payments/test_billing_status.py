"""The billing status follows the money, whatever becomes of the requests that change it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from bridge.domain.write_back import Reason, WriteBackState
from connectwise_sandbox.faults import Effect
from tests.unit.payments.bench import Bench

S = WriteBackState
WHOLE = Decimal("110.00")
LATE_SECONDS = 590


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_the_status_is_put_back_whichever_of_two_payments_is_returned(bench: Bench) -> None:
    first, second = bench.collect(6000, "pay-1"), bench.collect(5000, "pay-2")
    for write_back in (first, second):
        bench.drive_when_due(write_back)
    assert bench.status() == "Paid in Full"
    bench.undo("pay-1")
    done = bench.drive_when_due(first)
    assert (done.state, done.has_ended) == (S.REVERSED, True)
    assert bench.amounts() == [Decimal("50.00")]
    assert bench.status() == "New"


@pytest.mark.parametrize("preferred", [None, "Sent via Portal"])
@pytest.mark.parametrize("paid", ["Paid in Full", "Sent via Portal"])
def test_the_status_is_put_back_whatever_the_partner_prefers_by_then(
    bench: Bench, paid: str, preferred: str | None
) -> None:
    bench.prefer_status(paid)
    write_back = bench.collect()
    bench.drive(write_back)
    assert bench.status() == paid
    bench.prefer_status(preferred)
    bench.undo()
    assert bench.drive_when_due(write_back).state is S.REVERSED
    assert (bench.amounts(), bench.status()) == ([], "New")
    assert bench.open_problems() == []


def test_a_status_is_put_back_past_two_that_we_set_after_each_other(bench: Bench) -> None:
    first = bench.collect(6000)
    bench.drive(first)
    bench.fault(Effect.STATUS_500_AFTER_EFFECT, "PATCH")
    second = bench.collect(5000, payment_id="pay-2")
    bench.drive(second)
    bench.prefer_status("Sent via Portal")
    bench.drive_when_due(second)
    assert bench.status() == "Sent via Portal"
    bench.undo("pay-2")
    assert bench.drive_when_due(second).state is S.REVERSED
    assert bench.status() == "New"


def test_a_status_that_a_person_chose_meanwhile_is_left_alone(bench: Bench) -> None:
    write_back = bench.collect()
    bench.drive(write_back)
    bench.people.set_status(bench.invoice_id, "On Hold (Überprüfen)")
    bench.undo()
    assert bench.drive_when_due(write_back).state is S.REVERSED
    assert bench.status() == "On Hold (Überprüfen)"


@pytest.mark.parametrize(
    "effect", [Effect.CUT_AFTER_EFFECT, Effect.CUT_BEFORE_EFFECT, Effect.STATUS_500]
)
def test_an_unclear_change_of_status_is_made_again(bench: Bench, effect: Effect) -> None:
    bench.fault(effect, "PATCH")
    write_back = bench.collect()
    waiting = bench.drive(write_back)
    assert (waiting.state, waiting.wants_follow_up) == (S.CONFIRMED, True)
    assert bench.drive_when_due(write_back).has_ended
    assert bench.status() == "Paid in Full"
    assert bench.stored(write_back).previous_status_id == bench.status_id("New")


def test_a_refused_status_is_shown_and_the_payment_stays(bench: Bench) -> None:
    bench.save_connection(write_back=replace(bench.connection.write_back, paid_status_id=99_999))
    done = bench.drive(bench.collect())
    assert (done.state, done.reason) == (S.CONFIRMED, Reason.STATUS_REFUSED)
    assert len(bench.open_problems()) == 1
    assert bench.amounts() == [WHOLE]
    assert done.has_ended, "a clear answer is not waited for"


def test_an_invoice_that_a_person_closed_keeps_the_payment_until_somebody_looks(
    bench: Bench,
) -> None:
    write_back = bench.collect(5000)
    bench.drive(write_back)
    bench.lock_invoice()
    bench.undo()
    done = bench.drive_when_due(write_back)
    assert done.state is S.MANUAL
    assert len(bench.open_problems()) == 1
    assert bench.amounts() == [Decimal("50.00")]


def test_a_paid_status_that_comes_after_the_return_is_put_back(bench: Bench) -> None:
    bench.fault(Effect.LATE_EFFECT, "PATCH", seconds=LATE_SECONDS)
    write_back = bench.collect()
    bench.drive(write_back)
    bench.undo()

    assert not bench.drive(write_back).has_ended, "it may come yet"
    assert bench.rows() == []
    assert bench.drive_when_due(write_back).has_ended

    assert bench.status() == "New"
    bench.wait(LATE_SECONDS)
    assert (bench.status(), bench.open_problems()) == ("New", [])


def test_an_open_status_that_comes_after_the_next_payment_is_replaced(bench: Bench) -> None:
    bench.prefer_status("Sent via Portal")
    first = bench.collect()
    bench.drive(first)
    bench.undo()
    bench.fault(Effect.LATE_EFFECT, "PATCH", seconds=LATE_SECONDS)
    assert not bench.drive(first).has_ended
    second = bench.collect(payment_id="pay-2")

    assert not bench.drive(second).has_ended, "it may come yet"
    for write_back in (first, second):
        assert bench.drive_when_due(write_back).has_ended

    assert bench.status() == "Sent via Portal"
    bench.wait(LATE_SECONDS)
    assert (bench.status(), bench.open_problems()) == ("Sent via Portal", [])
