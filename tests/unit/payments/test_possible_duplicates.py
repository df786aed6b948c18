"""A payment that looks like one of another id is recorded, and waits for a person."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bridge.domain.identity import mirrored_id
from bridge.domain.mirrored_kinds import INVOICES
from bridge.domain.money import Currency
from bridge.domain.platform_payment import Allocation, PlatformPaymentState, Target
from bridge.domain.write_back import Reason, WriteBack, WriteBackState
from bridge.payments.platform_payments import PaymentDetails
from bridge.payments.write_back_problems import REASON_TEXTS
from bridge.wiring import use_cases
from tests.builders.payments import a_platform_payment
from tests.builders.records import CONNECTION
from tests.unit.payments.bench import PAID_ON, decisions, place
from tests.unit.payments.mirrored_bench import MirroredBench, payment_details

P = PlatformPaymentState
S = WriteBackState
PENDING = (S.PENDING, Reason.NONE)
WAITING = (S.MANUAL, Reason.POSSIBLE_DUPLICATE)


@pytest.fixture
def bench() -> MirroredBench:
    """A bench whose mirror has two invoices of one customer."""
    bench = MirroredBench()
    bench.mirror()
    stored = bench.records.get(INVOICES, bench.connection.partner_id, invoice_id(bench))
    assert stored.value is not None
    second = replace(stored.value, invoice_id=invoice_id(bench, 9001), source_id=9001)
    bench.records.save(second, expected_version=0)
    return bench


def invoice_id(bench: MirroredBench, source_id: int | None = None) -> str:
    return mirrored_id(bench.connection.connection_id, source_id or bench.invoice_id)


def details(bench: MirroredBench, state: PlatformPaymentState = P.SETTLED) -> PaymentDetails:
    return payment_details(Allocation(invoice_id(bench), 5000), state=state)


def tell(bench: MirroredBench, payment_id: str, told: PaymentDetails) -> list[WriteBack]:
    """Record a payment; return its write-backs."""
    connection = bench.connection
    use_cases.platform_payments(bench).record(connection.connection_id, payment_id, told)
    return write_backs(bench, payment_id)


def write_backs(bench: MirroredBench, payment_id: str) -> list[WriteBack]:
    found = bench.ledger.write_backs_of_payment(bench.connection.partner_id, payment_id)
    return [each.value for each in found if each.value]


def move(bench: MirroredBench, payment_id: str, state: PlatformPaymentState) -> WriteBack:
    connection_id = bench.connection.connection_id
    use_cases.platform_payments(bench).move(connection_id, payment_id, state, reason="")
    (write_back,) = write_backs(bench, payment_id)
    return write_back


def kind(write_back: WriteBack) -> tuple[WriteBackState, Reason]:
    return write_back.state, write_back.reason


def test_the_same_payment_under_another_id_waits_with_a_problem(bench: MirroredBench) -> None:
    (first,) = tell(bench, "pay-1", details(bench))
    (second,) = tell(bench, "pay-2", details(bench))

    assert (kind(first), kind(second)) == (PENDING, WAITING)
    assert (second.target, second.due_at) == (Target.POSTED, None)
    (problem,) = bench.open_problems()
    assert problem.subject == f"write_back/{second.write_back_id}"
    assert problem.detail == REASON_TEXTS[Reason.POSSIBLE_DUPLICATE]
    assert problem.detail == (
        "A payment like this one was recorded before; say whether both are meant."
    )
    assert bench.write_back_queue.write_backs == [first]


def test_nothing_is_posted_of_it_by_itself(bench: MirroredBench) -> None:
    (first,) = tell(bench, "pay-1", details(bench))
    (second,) = tell(bench, "pay-2", details(bench))

    bench.drive(first)
    bench.drive(second)
    bench.compare()
    bench.retry_now()
    bench.drive(second)

    assert len(bench.rows()) == 1
    assert kind(bench.stored(second)) == WAITING


def test_the_same_id_again_is_the_same_payment(bench: MirroredBench) -> None:
    tell(bench, "pay-1", details(bench))
    again = tell(bench, "pay-1", details(bench))

    assert [kind(each) for each in again] == [PENDING]
    assert bench.open_problems() == []

    tell(bench, "pay-2", details(bench))
    (second,) = tell(bench, "pay-2", details(bench))
    assert (kind(second), len(bench.open_problems())) == (WAITING, 1)


def test_a_problem_that_a_crash_swallowed_is_shown_when_it_is_told_again(
    bench: MirroredBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(bench, "pay-1", details(bench))
    with monkeypatch.context() as patch:
        patch.setattr(bench.problems, "report", lambda *_: None)
        tell(bench, "pay-2", details(bench))
    assert bench.open_problems() == []

    tell(bench, "pay-2", details(bench))

    assert len(bench.open_problems()) == 1


OTHERS: list[dict[str, Any]] = [
    {"amount_minor": 5001},
    {"method": "ach"},
    {"received_on": PAID_ON + timedelta(days=1)},
    {"fee_minor": 1, "method": "ach"},
]


@pytest.mark.parametrize("changes", OTHERS)
def test_one_difference_makes_it_another_payment(
    bench: MirroredBench, changes: dict[str, Any]
) -> None:
    tell(bench, "pay-1", details(bench))
    (second,) = tell(bench, "pay-2", replace(details(bench), **changes))
    assert kind(second) == PENDING


@pytest.mark.parametrize("changes", [{"fee_minor": 1}, {"reference": "again"}])
def test_a_fee_and_a_reference_make_no_difference(
    bench: MirroredBench, changes: dict[str, Any]
) -> None:
    tell(bench, "pay-1", details(bench))
    (second,) = tell(bench, "pay-2", replace(details(bench), **changes))
    assert kind(second) == WAITING


def test_other_invoices_make_it_another_payment(bench: MirroredBench) -> None:
    both = [Allocation(invoice_id(bench), 2500), Allocation(invoice_id(bench, 9001), 2500)]
    tell(bench, "pay-1", details(bench))
    made = tell(bench, "pay-2", payment_details(*both, state=P.SETTLED))
    other = tell(bench, "pay-3", payment_details(*reversed(both), state=P.SETTLED))

    assert [kind(each) for each in made] == [PENDING] * 2
    assert [kind(each) for each in other] == [WAITING] * 2
    assert len(bench.open_problems()) == 2


@pytest.mark.parametrize("undone", [P.RETURNED, P.REFUNDED, P.CHARGED_BACK])
def test_one_that_was_undone_is_told_anew(
    bench: MirroredBench, undone: PlatformPaymentState
) -> None:
    tell(bench, "pay-1", details(bench))
    move(bench, "pay-1", undone)
    (second,) = tell(bench, "pay-2", details(bench))
    assert kind(second) == PENDING


def test_one_that_failed_is_told_anew(bench: MirroredBench) -> None:
    tell(bench, "pay-1", details(bench, P.PENDING))
    move(bench, "pay-1", P.FAILED)
    (second,) = tell(bench, "pay-2", details(bench))
    assert kind(second) == PENDING


def test_it_goes_on_waiting_when_it_settles(bench: MirroredBench) -> None:
    tell(bench, "pay-1", details(bench, P.PENDING))
    (second,) = tell(bench, "pay-2", details(bench, P.PENDING))
    assert (kind(second), second.target) == (WAITING, Target.NONE)

    settled = move(bench, "pay-2", P.SETTLED)

    assert (kind(settled), settled.target, settled.due_at) == (WAITING, Target.POSTED, None)
    assert bench.write_back_queue.write_backs == []


def test_undoing_it_ends_the_wait(bench: MirroredBench) -> None:
    tell(bench, "pay-1", details(bench))
    tell(bench, "pay-2", details(bench))

    done = bench.drive(move(bench, "pay-2", P.RETURNED))

    assert (done.state, bench.open_problems()) == (S.REVERSED, [])
    assert bench.rows() == []


def test_one_that_was_recorded_long_after_its_day_is_found(bench: MirroredBench) -> None:
    tell(bench, "pay-1", details(bench))
    bench.clock.advance(hours=24 * 30)
    (second,) = tell(bench, "pay-2", details(bench))
    assert kind(second) == WAITING


def test_two_customers_may_pay_alike() -> None:
    payment = a_platform_payment("pay-1")
    twin = replace(payment, payment_id="pay-2")

    assert payment.is_like(twin)
    assert not payment.is_like(replace(twin, customer_id=mirrored_id(CONNECTION, 99)))
    assert not payment.is_like(replace(twin, currency=Currency("EUR", 2)))
    assert not payment.is_like(payment)


def test_a_person_who_means_both_has_it_posted(bench: MirroredBench) -> None:
    (first,) = tell(bench, "pay-1", details(bench))
    (second,) = tell(bench, "pay-2", details(bench))
    bench.drive(first)

    decisions(bench).post(*place(second))
    bench.drive(second)

    assert bench.stored(second).state is S.CONFIRMED
    assert len(bench.rows()) == 2
    assert bench.open_problems() == []


def test_a_person_who_means_one_has_it_cancelled(bench: MirroredBench) -> None:
    (first,) = tell(bench, "pay-1", details(bench))
    (second,) = tell(bench, "pay-2", details(bench))
    bench.drive(first)

    decisions(bench).cancel(*place(second))

    assert bench.drive(second).state is S.CANCELLED
    assert (len(bench.rows()), bench.open_problems()) == (1, [])
