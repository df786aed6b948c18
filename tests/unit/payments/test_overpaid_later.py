"""An invoice that becomes overpaid after our payment is shown with both amounts."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bridge.domain.write_back import Reason
from tests.unit.payments.bench import PAID_ON, decisions, place
from tests.unit.payments.mirrored_bench import MirroredBench


@pytest.fixture
def bench() -> MirroredBench:
    return MirroredBench(paid_status_id=None)


def test_what_somebody_pays_too_much_later_is_told_with_both_amounts(bench: MirroredBench) -> None:
    """Given 110.00 written by us, and 40.00 more entered by a person days later."""
    write_back = bench.collect(11000)
    assert bench.drive(write_back).reason is Reason.NONE
    bench.wait(3 * 86_400)
    bench.people.record_payment(bench.invoice_id, Decimal("40.00"), PAID_ON)
    bench.compare()
    assert bench.drive(write_back).reason is Reason.OVERPAYMENT
    (problem,) = bench.open_problems()
    assert "Ours is 110.00 USD; 40.00 USD too much was paid." in problem.detail


def test_it_is_over_when_the_other_payment_is_taken_out(bench: MirroredBench) -> None:
    write_back = bench.collect(11000)
    bench.drive(write_back)
    other = bench.people.record_payment(bench.invoice_id, Decimal("40.00"), PAID_ON)
    bench.compare()
    bench.drive(write_back)
    bench.people.delete_payment(bench.invoice_id, other["id"])
    bench.compare()
    assert bench.drive(write_back).reason is Reason.NONE
    assert bench.open_problems() == []


def test_a_person_who_has_seen_to_it_is_not_told_again(bench: MirroredBench) -> None:
    write_back = bench.collect(11000)
    bench.drive(write_back)
    bench.people.record_payment(bench.invoice_id, Decimal("40.00"), PAID_ON)
    bench.compare()
    bench.drive(write_back)
    decisions(bench).mark_done(*place(write_back))
    bench.compare()
    bench.drive(write_back)
    assert bench.open_problems() == []
    bench.people.record_payment(bench.invoice_id, Decimal("1.00"), PAID_ON)
    bench.compare()
    assert bench.drive(write_back).reason is Reason.OVERPAYMENT
