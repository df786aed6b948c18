"""A deletion that comes late, or that is answered and does nothing, is shown to a person."""

from __future__ import annotations

import pytest

from bridge.domain.problem import Action, ProblemCode
from bridge.domain.write_back import MAX_DELETIONS, Reason, WriteBack, WriteBackState
from bridge.domain.write_back.comparison import MAX_IDLE_DELETIONS
from bridge.domain.write_back.decisions import offered_actions
from connectwise_sandbox.change_faults import ChangeEffect
from connectwise_sandbox.faults import Effect
from connectwise_sandbox.kinds import Kind
from tests.unit.payments.bench import QUARANTINE_SECONDS, decisions, place
from tests.unit.payments.mirrored_bench import MirroredBench

S = WriteBackState


def reversed_in_books(bench: MirroredBench) -> WriteBack:
    """Deletions stayed unproven, and a person reversed the payment by an entry of their own."""
    write_back = bench.drive(bench.collect(5000))
    bench.undo()
    bench.fault(Effect.CUT_BEFORE_EFFECT, "DELETE", times=MAX_DELETIONS)
    assert bench.drive_when_due(write_back, rounds=40).state is S.MANUAL
    decisions(bench).reverse_in_books(*place(write_back), reference="JE-7")
    return bench.stored(write_back)


def test_a_payment_that_is_deleted_after_it_was_reversed_in_the_books_is_shown(
    bench: MirroredBench,
) -> None:
    """Given a late deletion, or one by a person: the money is taken back twice."""
    write_back = reversed_in_books(bench)
    bench.compare()
    assert bench.open_problems() == []
    bench.people.delete_payment(bench.invoice_id, write_back.psa_payment_id or 0)

    bench.compare()

    shown = bench.stored(write_back)
    assert (shown.state, shown.reason) == (S.MANUAL, Reason.REVERSED_TWICE)
    assert offered_actions(shown) == (Action.MARK_DONE,)
    (problem,) = bench.open_problems()
    assert problem.code is ProblemCode.PAYMENT_NOT_WRITTEN
    assert "JE-7" in problem.detail
    decisions(bench).mark_done(*place(write_back))
    bench.compare()
    assert (bench.stored(write_back).state, bench.open_problems()) == (S.REVERSED, [])


def test_its_late_look_sees_it_too(bench: MirroredBench) -> None:
    write_back = reversed_in_books(bench)
    bench.people.delete_payment(bench.invoice_id, write_back.psa_payment_id or 0)
    bench.wait(2 * QUARANTINE_SECONDS)
    assert bench.drive(write_back).reason is Reason.REVERSED_TWICE


def test_one_that_a_list_hid_for_a_while_stays_reversed_in_the_books(bench: MirroredBench) -> None:
    write_back = reversed_in_books(bench)
    (row,) = bench.rows()
    bench.engine.tenant.store[Kind.PAYMENT].remove(row["id"])
    bench.compare()
    assert bench.stored(write_back).reason is Reason.REVERSED_TWICE
    bench.engine.tenant.store[Kind.PAYMENT].put(row)
    bench.compare()
    assert (bench.stored(write_back).state, bench.open_problems()) == (S.REVERSED_BY_HAND, [])


def ignored_deletions(bench: MirroredBench) -> WriteBack:
    """ConnectWise answers each deletion with a success, and keeps the payment."""
    write_back = bench.drive(bench.collect(5000))
    bench.undo()
    bench.fault(ChangeEffect.GATEWAY_BEFORE_EFFECT, "DELETE", status=204, times=100)
    return bench.drive_when_due(write_back)


def test_deletions_that_are_answered_and_do_nothing_end_with_a_person(
    bench: MirroredBench,
) -> None:
    write_back = ignored_deletions(bench)
    assert write_back.state is S.REVERSED
    for _ in range(MAX_IDLE_DELETIONS):
        assert bench.open_problems() == []
        bench.compare()
        bench.drive(write_back)

    shown = bench.stored(write_back)
    assert (shown.state, shown.reason) == (S.MANUAL, Reason.DELETION_IGNORED)
    assert offered_actions(shown) == (Action.RETRY, Action.MARK_DONE, Action.REVERSE_IN_BOOKS)
    assert [each.code for each in bench.open_problems()] == [ProblemCode.PAYMENT_NOT_WRITTEN]
    assert bench.engine.faults.injected == MAX_IDLE_DELETIONS
    bench.compare()
    assert bench.stored(write_back) == shown


@pytest.mark.parametrize("way", ["by hand", "retry"])
def test_once_it_is_out_nothing_is_left_to_decide(bench: MirroredBench, way: str) -> None:
    write_back = ignored_deletions(bench)
    for _ in range(MAX_IDLE_DELETIONS):
        bench.compare()
        bench.drive(write_back)
    bench.engine.faults.clear()
    if way == "by hand":
        bench.people.delete_payment(bench.invoice_id, write_back.psa_payment_id or 0)
        bench.compare()
    else:
        decisions(bench).retry(*place(write_back))
    done = bench.drive_when_due(write_back)
    assert (done.state, bench.rows(), bench.open_problems()) == (S.REVERSED, [], [])
