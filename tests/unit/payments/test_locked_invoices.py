"""ConnectWise alone says whether a closed or batched invoice takes a payment: it is tried."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from bridge.domain.errors import InvalidInputError
from bridge.domain.problem import Action
from bridge.domain.write_back import Reason, WriteBack, WriteBackState
from bridge.domain.write_back.decisions import offered_actions
from connectwise_sandbox.kinds import Kind
from tests.unit.payments.bench import decisions, place
from tests.unit.payments.mirrored_bench import MirroredBench

S = WriteBackState
DAY = timedelta(days=1).total_seconds()


def batch(bench: MirroredBench, payments: str) -> None:
    """Close the invoice into a GL batch, where payments are accepted or refused."""
    bench.people.close_invoice(bench.invoice_id)
    bench.people.batch_invoice(bench.invoice_id)
    bench.engine.switches.batched_invoice_payments = payments  # type: ignore[assignment]
    bench.mirror()


def heal(bench: MirroredBench, seconds: float) -> int:
    bench.wait(seconds)
    bench.clock.set_remaining(900)
    return bench.retry_now()


def test_a_batched_invoice_that_takes_payments_gets_it_and_gives_it_back(
    bench: MirroredBench,
) -> None:
    batch(bench, "accepted")
    write_back = bench.drive(bench.collect(5000))
    assert (write_back.state, bench.open_problems()) == (S.CONFIRMED, [])
    bench.undo()
    assert bench.drive_when_due(write_back).state is S.REVERSED
    assert bench.rows() == []


def test_one_that_refuses_them_is_told_with_its_words_and_leaves_nothing_unproven(
    bench: MirroredBench,
) -> None:
    batch(bench, "refused")
    refused = bench.drive(bench.collect(5000))
    assert (refused.state, refused.reason) == (S.REJECTED, Reason.INVOICE_LOCKED)
    assert (refused.unproven_posts, refused.posts, bench.rows()) == ((), 0, [])
    assert refused.refusal
    assert offered_actions(refused) == (Action.RETRY, Action.MARK_DONE, Action.CANCEL)


def test_it_is_tried_once_a_day_while_the_mirror_shows_it_locked(bench: MirroredBench) -> None:
    batch(bench, "refused")
    write_back = bench.drive(bench.collect(5000))
    for _ in range(3):
        assert heal(bench, DAY - 300) == 0
        assert heal(bench, 300) == 1
        assert bench.drive(write_back).reason is Reason.INVOICE_LOCKED
    bench.engine.switches.batched_invoice_payments = "accepted"
    assert heal(bench, DAY) == 1
    assert bench.drive(write_back).state is S.CONFIRMED
    assert bench.amounts() == [Decimal("50.00")]


def test_nothing_is_owed_on_a_credit(bench: MirroredBench) -> None:
    invoices = bench.engine.tenant.store[Kind.INVOICE]
    invoice = invoices.get(bench.invoice_id)
    assert invoice is not None
    for total in ("0.00", "-10.00"):
        invoices.put(invoice | {"total": Decimal(total), "balance": Decimal(total)})
        waiting = bench.drive(bench.collect(5000, f"pay{total[0]}x"))
        assert (waiting.state, waiting.reason) == (S.MANUAL, Reason.NOTHING_OWED)
    assert bench.rows() == []


# --- a return that a locked invoice refuses -----------------------------------------------------


def kept(bench: MirroredBench) -> WriteBack:
    """A payment was returned, and its invoice gives it back no more."""
    write_back = bench.drive(bench.collect(5000))
    batch(bench, "refused")
    bench.undo()
    waiting = bench.drive(write_back)
    assert (waiting.state, waiting.reason) == (S.MANUAL, Reason.INVOICE_LOCKED)
    return waiting


def test_a_person_reverses_it_in_the_books_and_its_row_stays_ours(bench: MirroredBench) -> None:
    waiting = kept(bench)
    assert offered_actions(waiting) == (
        Action.RETRY, Action.MARK_DONE, Action.REVERSE_IN_BOOKS,
    )  # fmt: skip
    with pytest.raises(InvalidInputError):
        decisions(bench).reverse_in_books(*place(waiting), reference=" ")

    done = decisions(bench).reverse_in_books(*place(waiting), reference="JE-17")

    (row,) = bench.rows()
    assert (done.state, done.hand_reference, done.has_ended) == (S.REVERSED_BY_HAND, "JE-17", True)
    assert bench.ledger.owners(bench.connection.books, [row["id"]]) == {
        row["id"]: done.write_back_id
    }


def test_what_was_reversed_in_the_books_is_asked_about_no_more(bench: MirroredBench) -> None:
    waiting = kept(bench)
    done = decisions(bench).reverse_in_books(*place(waiting), reference="JE-17")
    for _ in range(2):
        assert bench.compare() == 0
        bench.retry_now()
        assert bench.drive(done) == done
    assert (len(bench.rows()), bench.open_problems()) == (1, [])


def test_a_row_that_was_reversed_in_the_books_is_not_taken_for_another_payment(
    bench: MirroredBench,
) -> None:
    decisions(bench).reverse_in_books(*place(kept(bench)), reference="JE-17")
    bench.engine.switches.batched_invoice_payments = "accepted"
    second = bench.drive(bench.collect(5000, "pay-2"))
    assert (second.state, len(bench.rows())) == (S.CONFIRMED, 2)
