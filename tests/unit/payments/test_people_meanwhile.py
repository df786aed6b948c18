"""What people do in ConnectWise and press here meanwhile hides no money, and doubles none."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bridge.domain.errors import NotPossibleError
from bridge.domain.platform_payment import PlatformPaymentState
from bridge.domain.write_back import Reason, WriteBack, WriteBackState
from connectwise_sandbox.faults import Effect
from connectwise_sandbox.kinds import Record
from tests.unit.payments.bench import PAID_ON, decisions, edit_ours, place
from tests.unit.payments.mirrored_bench import MirroredBench, move, record, write_back_of

S = WriteBackState
WHOLE = Decimal("110.00")


def test_a_returned_payment_that_still_stands_cannot_be_cancelled(bench: MirroredBench) -> None:
    write_back = bench.drive(bench.collect(11000))
    bench.people.batch_invoice(bench.invoice_id)
    bench.engine.switches.batched_invoice_payments = "refused"
    bench.undo()
    waiting = bench.drive(write_back)
    assert waiting.needs_person
    with pytest.raises(NotPossibleError, match="does not offer"):
        decisions(bench).cancel(*place(waiting))
    assert len(bench.rows()) == len(bench.open_problems()) == 1


def test_a_return_of_what_was_paid_by_hand_is_to_be_taken_out_by_hand(bench: MirroredBench) -> None:
    payment = record(bench, PlatformPaymentState.SETTLED)
    bench.people.record_payment(bench.invoice_id, WHOLE, PAID_ON)
    assert bench.drive(write_back_of(bench, payment)).reason is Reason.PAID_BY_HAND
    done = bench.drive(move(bench, payment, PlatformPaymentState.RETURNED))
    assert (done.state, done.reason) == (S.MANUAL, Reason.REVERSE_BY_HAND)
    assert len(bench.rows()) == len(bench.open_problems()) == 1


def paid_twice(bench: MirroredBench) -> tuple[WriteBack, Record]:
    """Somebody enters a payment while ours is late."""
    bench.fault(Effect.LATE_EFFECT, "POST", seconds=590)
    write_back = bench.drive(bench.collect(11000))
    bench.wait(120)
    theirs = bench.people.record_payment(bench.invoice_id, WHOLE, PAID_ON)
    return bench.drive_when_due(write_back), theirs


def test_an_invoice_that_was_paid_while_our_post_was_under_way_is_shown(
    bench: MirroredBench,
) -> None:
    done, theirs = paid_twice(bench)
    assert (done.state, done.reason) == (S.CONFIRMED, Reason.OVERPAYMENT)
    bench.compare()
    bench.retry_now()
    assert len(bench.open_problems()) == 1
    assert bench.stored(done).has_ended, "nothing is tried while it is so"

    bench.people.delete_payment(bench.invoice_id, theirs["id"])
    bench.compare()
    bench.retry_now()
    assert bench.drive_when_due(done).has_ended
    assert (len(bench.rows()), bench.open_problems()) == (1, [])


def test_an_invoice_that_was_paid_twice_can_be_seen_to(bench: MirroredBench) -> None:
    done, _ = paid_twice(bench)
    assert decisions(bench).mark_done(*place(done)).has_ended
    assert bench.open_problems() == []
    bench.retry_now()
    bench.compare()
    assert bench.open_problems() == []


def test_looking_again_posts_nothing_beside_our_own_edited_payment(bench: MirroredBench) -> None:
    write_back = bench.lose_post(bench.collect(5000))
    edit_ours(bench, "49.99")
    waiting = bench.drive_when_due(write_back)
    assert waiting.reason is Reason.PAYMENT_CHANGED
    decisions(bench).look(*place(waiting))
    assert bench.drive(write_back).reason is Reason.PAYMENT_CHANGED
    assert len(bench.rows()) == 1


def returned_after_an_edit(bench: MirroredBench) -> WriteBack:
    write_back = bench.drive(bench.collect(5000))
    edit_ours(bench, "49.99")
    bench.undo()
    waiting = bench.drive(write_back)
    assert (waiting.state, waiting.reason) == (S.MANUAL, Reason.PAYMENT_CHANGED)
    return waiting


def test_an_edited_payment_that_was_returned_is_shown_while_it_stands(bench: MirroredBench) -> None:
    waiting = returned_after_an_edit(bench)
    for _ in range(2):
        bench.compare()
        assert bench.drive_when_due(waiting).reason is Reason.PAYMENT_CHANGED
    assert len(bench.rows()) == len(bench.open_problems()) == 1

    bench.people.delete_payment(bench.invoice_id, bench.rows()[0]["id"])
    bench.compare()
    assert bench.drive_when_due(waiting).has_ended
    assert bench.open_problems() == []


def test_an_edited_payment_that_was_put_right_is_taken_out_after_all(bench: MirroredBench) -> None:
    waiting = returned_after_an_edit(bench)
    edit_ours(bench, "50.00")
    bench.compare()
    assert bench.drive_when_due(waiting).has_ended
    assert bench.rows() == bench.open_problems() == []


def test_a_return_does_not_bring_back_what_connectwise_dropped(bench: MirroredBench) -> None:
    bench.engine.switches.second_payment = "replaces"
    bench.people.record_payment(bench.invoice_id, Decimal("30.00"))
    write_back = bench.drive(bench.collect(5000))
    assert write_back.reason is Reason.OTHERS_REPLACED
    bench.undo()
    done = bench.drive_when_due(write_back)
    assert (done.state, done.reason) == (S.REVERSED, Reason.OTHERS_REPLACED)
    assert len(bench.open_problems()) == 1
    assert decisions(bench).mark_done(*place(done)).has_ended
    assert bench.open_problems() == []


def test_ours_is_whose_keys_posted_it(bench: MirroredBench) -> None:
    """A warm worker may still hold the keys of the API member before."""
    poster = bench.connection.member_identifier
    bench.save_connection(member_identifier="NewMember")
    write_back = bench.drive(bench.collect(5000))
    assert (write_back.posted_as, write_back.reason) == (poster, Reason.NONE)
    bench.undo()
    assert bench.drive_when_due(write_back).state is S.REVERSED
    assert bench.rows() == []
