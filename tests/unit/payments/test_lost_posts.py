"""What may have become of a post whose answer was lost: nothing is posted or deleted beside it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from bridge.domain.write_back import Reason, WriteBack, WriteBackState
from connectwise_sandbox.faults import Effect
from tests.unit.payments.bench import PAID_ON, Bench, edit_ours

S = WriteBackState


@pytest.fixture
def bench() -> Bench:
    return Bench()


def posted_without_answer(bench: Bench) -> WriteBack:
    return bench.lose_post(bench.collect(5000))


def rewrite(bench: Bench) -> None:
    """Another sync tool deletes our payment and enters it anew under its own name."""
    bench.people.rewrite_payments(bench.invoice_id)


def edit(bench: Bench) -> None:
    """A person corrects our payment by a cent."""
    edit_ours(bench, "49.99")


def rewrite_and_edit(bench: Bench) -> None:
    """Neither its name nor its amount tells any more what it was."""
    rewrite(bench)
    edit(bench)


Change = Callable[[Bench], None]
BECAME: dict[Change, Reason] = {
    rewrite: Reason.PAYMENT_REWRITTEN,
    edit: Reason.PAYMENT_CHANGED,
    rewrite_and_edit: Reason.PAYMENT_REWRITTEN,
}


@pytest.mark.parametrize("change", BECAME, ids=lambda change: change.__name__)
def test_a_lost_post_that_was_changed_meanwhile_is_not_posted_again(
    bench: Bench, change: Change
) -> None:
    write_back = posted_without_answer(bench)
    change(bench)
    after = bench.drive_when_due(write_back)
    assert (after.state, after.reason) == (S.MANUAL, BECAME[change])
    assert len(bench.rows()) == 1
    assert len(bench.open_problems()) == 1


@pytest.mark.parametrize("change", BECAME, ids=lambda change: change.__name__)
def test_a_lost_post_that_was_changed_and_returned_is_left_to_a_person(
    bench: Bench, change: Change
) -> None:
    write_back = posted_without_answer(bench)
    change(bench)
    bench.undo()
    after = bench.drive_when_due(write_back)
    assert (after.state, after.reason) == (S.MANUAL, BECAME[change])
    assert len(bench.rows()) == 1


def test_a_lost_post_that_never_landed_is_repeated_beside_other_payments(bench: Bench) -> None:
    """A payment of another amount by somebody else says nothing about ours."""
    bench.people.record_payment(bench.invoice_id, Decimal("20.00"), PAID_ON)
    bench.fault(Effect.CUT_BEFORE_EFFECT, "POST")
    write_back = bench.drive(bench.collect(5000))
    assert bench.drive_when_due(write_back).state is S.CONFIRMED
    assert bench.amounts() == [Decimal("20.00"), Decimal("50.00")]


def test_the_payment_of_another_write_back_under_way_is_not_taken_for_ours(bench: Bench) -> None:
    """Both posts were lost, and only the second one landed."""
    bench.fault(Effect.CUT_BEFORE_EFFECT, "POST")
    first = bench.drive(bench.collect(5000))
    bench.wait(13 * 60)
    second = bench.lose_post(bench.collect(3000, "pay-2"))
    assert (first.state, second.state) == (S.UNCLEAR, S.UNCLEAR)
    bench.wait(13 * 60)
    assert bench.drive(first).state is S.UNCLEAR, "what stands there may be the other one's"
    assert bench.drive_when_due(second).state is S.CONFIRMED
    assert bench.drive_when_due(first).state is S.CONFIRMED
    assert sorted(bench.amounts()) == [Decimal("30.00"), Decimal("50.00")]


def test_of_two_equal_lost_posts_the_one_that_was_rewritten_is_not_forgotten(bench: Bench) -> None:
    """The first leaves the payment to the second one: a stranger's stands there that may be what
    became of its own."""
    first = posted_without_answer(bench)
    rewrite(bench)
    bench.wait(13 * 60)
    second = bench.lose_post(bench.collect(5000, "pay-2"))
    bench.wait(13 * 60)
    for payment_id in ("pay-1", "pay-2"):
        bench.undo(payment_id)

    after = bench.drive(first)
    assert bench.drive_when_due(second).state is S.REVERSED

    assert after.state is S.MANUAL
    assert [each.applied_by for each in after.shown] == ["OtherSync", second.posted_as]
    assert len(bench.rows()) == 1


def test_a_payment_rewritten_while_its_deletion_was_lost_is_left_to_a_person(bench: Bench) -> None:
    """The deletion never took effect, and the copy stands for money that went back."""
    write_back = bench.drive(bench.collect(5000))
    bench.undo()
    bench.fault(Effect.CUT_BEFORE_EFFECT, "DELETE")
    assert bench.drive(write_back).state is S.REVERSING
    rewrite(bench)
    after = bench.drive_when_due(write_back)
    assert (after.state, after.reason) == (S.MANUAL, Reason.PAYMENT_REWRITTEN)
    assert len(bench.rows()) == 1


def test_a_deletion_that_is_never_answered_well_is_given_to_a_person(bench: Bench) -> None:
    """Else it would be tried for ever, and hold up every other payment of the invoice."""
    write_back = bench.drive(bench.collect(5000))
    bench.lock_invoice()
    bench.engine.tenant.switches.locked_invoice_status = 409
    bench.undo()
    after = bench.drive_when_due(write_back)
    assert (after.state, after.reason) == (S.MANUAL, Reason.INVOICE_LOCKED)
    assert len(bench.open_problems()) == 1
