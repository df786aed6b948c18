"""Payments are stopped by people, by themselves, and until the first one is proven."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from bridge.domain.connection import PaymentFacts, PaymentsStop
from bridge.domain.payment_control import (
    EVERY_PARTNER,
    MULTIPLE_OF_BUSIEST,
    PAYMENTS_AT_FIRST,
    PaymentRate,
    PaymentStop,
    RestoreMark,
    hour_of,
)
from bridge.domain.problem import ProblemCode
from bridge.domain.write_back import Reason, WriteBackState
from connectwise_sandbox.faults import Effect
from tests.fakes.clock import START
from tests.unit.payments.bench import Bench

S = WriteBackState


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def new(bench: Bench) -> Bench:
    """A connection that has proven nothing yet."""
    bench.save_connection(payment_facts=PaymentFacts())
    return bench


@pytest.mark.parametrize("partner", [None, EVERY_PARTNER])
def test_a_stop_keeps_posts_from_being_sent_until_it_is_taken_back(
    bench: Bench, partner: str | None
) -> None:
    """Given a stop for one partner or for all, nothing is posted; once allowed, it goes on."""
    whom = partner or bench.connection.partner_id
    bench.payment_control.put_stop(PaymentStop(whom, bench.clock.now()))
    write_back = bench.collect(5000)
    waiting = bench.drive(write_back)
    assert (waiting.state, waiting.reason) == (S.PENDING, Reason.STOPPED)
    assert bench.rows() == []
    assert [p.code for p in bench.open_problems()] == [ProblemCode.PAYMENT_NOT_WRITTEN]
    bench.payment_control.clear_stop(whom)
    assert bench.drive_when_due(write_back).state is S.CONFIRMED
    assert bench.open_problems() == []


def test_a_stop_keeps_deletions_from_being_sent(bench: Bench) -> None:
    write_back = bench.collect(5000)
    bench.drive(write_back)
    bench.undo()
    bench.payment_control.put_stop(PaymentStop(EVERY_PARTNER, bench.clock.now()))
    assert bench.drive(write_back).reason is Reason.STOPPED
    assert len(bench.rows()) == 1


def test_looks_go_on_while_payments_are_stopped(bench: Bench) -> None:
    """Given a post whose effect came late, and a stop since: it is found all the same."""
    write_back = bench.collect(5000)
    bench.fault(Effect.LATE_EFFECT, "POST", seconds=20)
    assert bench.drive(write_back).state is S.UNCLEAR
    bench.payment_control.put_stop(PaymentStop(EVERY_PARTNER, bench.clock.now()))
    assert bench.drive_when_due(write_back).state is S.CONFIRMED


def test_a_stopped_connection_writes_nothing(bench: Bench) -> None:
    bench.save_connection(payments_stopped=frozenset({PaymentsStop.BY_PERSON}))
    assert bench.drive(bench.collect(5000)).reason is Reason.STOPPED


def test_many_more_payments_than_ever_stop_themselves(bench: Bench) -> None:
    """Given as many payments this hour as look usual, the next one stops them all."""
    rate = PaymentRate(
        bench.connection.connection_id, hour_of(bench.clock.now()), count=PAYMENTS_AT_FIRST
    )
    bench.payment_control.save_rate(rate, expected_version=0)
    write_back = bench.collect(5000)
    assert bench.drive(write_back).reason is Reason.STOPPED
    assert bench.rows() == []
    stored = bench.connections.get(bench.connection.connection_id).value
    assert stored is not None
    assert stored.payments_stopped == {PaymentsStop.UNUSUALLY_MANY}
    codes = {problem.code for problem in bench.open_problems()}
    assert ProblemCode.UNUSUALLY_MANY_PAYMENTS in codes


def test_what_is_usual_grows_with_the_busiest_hour() -> None:
    rate = PaymentRate("c", hour_of(START), count=40)
    later = rate.at(START + timedelta(hours=1))
    assert later.busiest == 40
    assert later.limit == max(PAYMENTS_AT_FIRST, 40 * MULTIPLE_OF_BUSIEST)


def test_until_one_is_proven_payments_go_one_at_a_time(new: Bench) -> None:
    """Given a new connection whose first post is unclear, the second waits for it."""
    other_invoice = new.bill("70.00")
    first, second = new.collect(5000), new.collect(7000, "pay-2", other_invoice)
    new.fault(Effect.LATE_EFFECT, "POST", seconds=20)
    assert new.drive(first).state is S.UNCLEAR
    assert new.drive(second).state is S.PENDING
    assert new.rows(other_invoice) == []
    assert new.drive_when_due(first).state is S.CONFIRMED
    assert new.drive_when_due(second).state is S.CONFIRMED


def test_the_first_payment_proves_what_lists_show(new: Bench) -> None:
    new.drive(new.collect(5000))
    stored = new.connections.get(new.connection.connection_id).value
    assert stored is not None
    facts = stored.payment_facts
    assert (facts.shows_members, facts.listed_days_apart) == (True, 0)
    assert facts.proven_at == new.clock.now()


def test_once_proven_payments_do_not_wait_for_each_other(new: Bench) -> None:
    new.drive(new.collect(1000))
    other_invoice = new.bill("70.00")
    first, second = new.collect(5000, "pay-2"), new.collect(7000, "pay-3", other_invoice)
    new.fault(Effect.LATE_EFFECT, "POST", seconds=20)
    assert new.drive(first).state is S.UNCLEAR
    assert new.drive(second).state is S.CONFIRMED


def test_after_a_restore_a_payment_of_our_member_that_nobody_owns_is_explained_first(
    bench: Bench,
) -> None:
    """Given a ledger restored to an hour ago, which lacks a payment that stands there."""
    member = bench.connection.member_identifier
    bench.people.record_payment(bench.invoice_id, Decimal("20.00"), date(2026, 2, 9), by=member)
    bench.payment_control.put_restore_mark(RestoreMark(bench.clock.now()))
    write_back = bench.drive(bench.collect(5000))
    assert (write_back.state, write_back.reason) == (S.MANUAL, Reason.LOOKS_WRITTEN)
    assert [shown.amount_minor for shown in write_back.shown] == [2000]
    assert len(bench.rows()) == 1
