"""R2: a payment that the bridge did not make is never changed, deleted or taken for its own."""

from __future__ import annotations

from decimal import Decimal

from bridge.domain.problem import ProblemCode
from bridge.domain.write_back import WriteBackState
from bridge.payments.payment_matching import is_as_large, is_like
from bridge.ports import PsaPayment
from tests.builders.payments import a_write_back
from tests.unit.payments.bench import PAID_ON, Bench
from tests.unit.payments.mirrored_bench import MirroredBench

S = WriteBackState
HALF = Decimal("50.00")


def test_an_equal_payment_that_a_person_typed_stays_theirs() -> None:
    # Given a person's payment of the same amount and day
    bench = Bench()
    theirs = bench.people.record_payment(bench.invoice_id, HALF, on=PAID_ON)

    # When the platform's is written, and returned by the bank
    write_back = bench.drive_when_due(bench.collect(5000))
    assert write_back.psa_payment_id not in (None, theirs["id"])
    bench.undo()
    bench.drive_when_due(write_back)

    # Then only ours came and went
    assert [row["id"] for row in bench.rows()] == [theirs["id"]]


def test_undoing_what_was_never_posted_deletes_nothing() -> None:
    # Given an equal payment that somebody made with our API member's own keys
    bench = Bench()
    member = bench.connection.member_identifier
    theirs = bench.people.record_payment(bench.invoice_id, HALF, on=PAID_ON, by=member)

    write_back = bench.collect(5000)
    bench.undo()
    done = bench.drive_when_due(write_back)

    assert (done.state, done.psa_payment_id) == (S.REVERSED, None)
    assert [row["id"] for row in bench.rows()] == [theirs["id"]]


def test_an_applied_credit_is_never_taken_for_a_payment() -> None:
    write_back = a_write_back()
    money = PsaPayment(7, write_back.amount_minor, write_back.paid_on, "BridgeApi")
    credit = PsaPayment(8, write_back.amount_minor, write_back.paid_on, "BridgeApi", is_credit=True)

    assert is_like(write_back, money, "BridgeApi")
    assert not is_like(write_back, credit, "BridgeApi")
    assert not is_as_large(write_back, credit)


def test_the_comparison_shows_a_surplus_and_leaves_it_there() -> None:
    bench = MirroredBench()
    bench.mirror()
    bench.drive(bench.collect(5000))
    member = bench.connection.member_identifier
    bench.people.record_payment(bench.invoice_id, Decimal("7.00"), by=member)

    bench.compare()

    assert sorted(bench.amounts()) == [Decimal("7.00"), HALF]
    assert [problem.code for problem in bench.open_problems()] == [ProblemCode.PAYMENT_SURPLUS]
