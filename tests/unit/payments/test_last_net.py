"""What people and other tools do to written payments is found at night, and taken back with it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from bridge.domain.customer import ArchiveReason
from bridge.domain.problem import ProblemCode
from bridge.domain.write_back import Reason, WriteBackState
from bridge.wiring import use_cases
from tests.unit.payments.bench import PAID_ON, decisions, edit_ours, place
from tests.unit.payments.mirrored_bench import MirroredBench

S = WriteBackState


@pytest.fixture
def bench() -> MirroredBench:
    return MirroredBench()


def test_a_payment_that_was_edited_is_shown_until_it_is_put_right(bench: MirroredBench) -> None:
    write_back = bench.drive(bench.collect(5000))
    edit_ours(bench, "49.99")
    assert bench.compare() == 1
    assert bench.stored(write_back).reason is Reason.PAYMENT_CHANGED
    assert len(bench.open_problems()) == 1

    edit_ours(bench, "50.00")
    assert bench.compare() == 1
    assert (bench.stored(write_back).reason, bench.open_problems()) == (Reason.NONE, [])
    assert bench.compare() == 0


def test_a_deleted_invoice_took_its_payments_along(bench: MirroredBench) -> None:
    """The mirror archives it with the payments that it had."""
    write_back = bench.drive(bench.collect(5000))
    bench.mirror()
    bench.people.delete_invoice(bench.invoice_id)
    bench.archive()
    bench.wait(3600)
    bench.clock.set_remaining(900)
    assert bench.compare_now() == 1
    assert bench.stored(write_back).reason is Reason.PAYMENT_GONE


def test_an_older_payment_is_no_copy_of_ours(bench: MirroredBench) -> None:
    """Two customers' payments of one amount and day; only ours is deleted."""
    others = bench.people.record_payment(bench.invoice_id, Decimal("50.00"), PAID_ON)
    write_back = bench.drive(bench.collect(5000))
    bench.people.delete_payment(bench.invoice_id, write_back.psa_payment_id or 0)
    bench.compare()
    after = bench.stored(write_back)
    assert (after.reason, after.psa_payment_id) == (Reason.PAYMENT_GONE, write_back.psa_payment_id)
    assert bench.ledger.owners(bench.connection.books, [others["id"]]) == {}


def test_a_payment_that_is_just_being_posted_is_no_copy_of_one_that_is_gone(
    bench: MirroredBench,
) -> None:
    gone = bench.drive(bench.collect(5000))
    bench.people.delete_payment(bench.invoice_id, gone.psa_payment_id or 0)
    bench.wait(3600)
    bench.lose_post(bench.collect(5000, "pay-2"))
    bench.compare()
    assert bench.stored(gone).reason is Reason.PAYMENT_GONE
    (landed,) = bench.rows()
    assert bench.ledger.owners(bench.connection.books, [landed["id"]]) == {}


def test_a_surplus_is_over_when_somebody_removed_it(bench: MirroredBench) -> None:
    member = bench.connection.member_identifier
    bench.drive(bench.collect(5000))
    surplus = bench.people.record_payment(bench.invoice_id, Decimal("10.00"), PAID_ON, by=member)
    bench.compare()
    assert [each.code for each in bench.open_problems()] == [ProblemCode.PAYMENT_SURPLUS]

    bench.people.delete_payment(bench.invoice_id, surplus["id"])
    bench.compare()
    assert bench.open_problems() == []


def test_a_problem_that_nobody_had_time_to_close_is_closed(bench: MirroredBench) -> None:
    write_back = bench.drive(bench.collect(5000))
    use_cases.write_back_problems(bench).show(replace(write_back, reason=Reason.RIGHT_MISSING))
    bench.retry_now()
    assert bench.open_problems() == []


def test_what_a_person_made_of_our_payment_can_be_accepted(bench: MirroredBench) -> None:
    write_back = bench.drive(bench.collect(5000))
    edit_ours(bench, "49.99")
    bench.compare()
    changed = bench.stored(write_back)
    assert changed.reason is Reason.PAYMENT_CHANGED

    decisions(bench).mark_done(*place(changed))

    for _ in range(2):
        assert bench.compare() == 0
    assert bench.open_problems() == []
    bench.undo()
    after = bench.drive_when_due(write_back)
    assert (after.state, after.reason) == (S.MANUAL, Reason.REVERSE_BY_HAND)
    assert bench.amounts() == [Decimal("49.99")]


@pytest.mark.parametrize("reason", [ArchiveReason.LEFT_FILTER, ArchiveReason.BY_PERSON])
def test_an_invoice_that_is_kept_out_of_the_mirror_is_not_asked_about_each_time(
    bench: MirroredBench, reason: ArchiveReason
) -> None:
    bench.drive(bench.collect(5000))
    bench.mirror()
    bench.archive(reason)
    bench.wait(3600)
    bench.clock.set_remaining(900)
    assert bench.compare_now() == 0
