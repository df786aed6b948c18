"""An equal payment by our API member that no post of ours was stated for: a person says whose."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bridge.domain.problem import Action
from bridge.domain.write_back import Reason, WriteBack, WriteBackState
from bridge.domain.write_back.decisions import offered_actions
from bridge.ports import NO_OWNER
from tests.unit.payments.bench import PAID_ON, decisions, place
from tests.unit.payments.mirrored_bench import MirroredBench

S = WriteBackState


def another_programs(bench: MirroredBench, amount: str = "50.00") -> int:
    """Another program enters a payment with our API member's keys."""
    member = bench.connection.member_identifier.upper()
    row = bench.people.record_payment(bench.invoice_id, Decimal(amount), PAID_ON, by=member)
    return int(row["id"])


def asked(bench: MirroredBench) -> WriteBack:
    """A person is asked about an equal payment."""
    another_programs(bench)
    bench.mirror()
    waiting = bench.drive(bench.collect(5000))
    assert (waiting.state, waiting.reason) == (S.MANUAL, Reason.LOOKS_WRITTEN)
    return waiting


def owners(bench: MirroredBench) -> dict[int, str]:
    ids = [row["id"] for row in bench.rows()]
    return dict(bench.ledger.owners(bench.connection.books, ids))


def test_it_is_shown_and_neither_adopted_nor_posted_beside(bench: MirroredBench) -> None:
    waiting = asked(bench)
    assert [each.psa_payment_id for each in waiting.shown] == [bench.rows()[0]["id"]]
    assert offered_actions(waiting) == (
        Action.RETRY, Action.ADOPT, Action.POST, Action.MARK_DONE, Action.CANCEL,
    )  # fmt: skip
    bench.retry_now()
    bench.compare()
    assert bench.drive(waiting) == waiting
    assert (len(bench.rows()), owners(bench), waiting.psa_payment_id) == (1, {}, None)


def test_a_return_leaves_it_alone(bench: MirroredBench) -> None:
    waiting = asked(bench)
    bench.undo()
    done = bench.drive(waiting)
    assert (done.state, len(bench.rows())) == (S.REVERSED, 1)


def test_who_says_that_it_is_ours_has_it_adopted(bench: MirroredBench) -> None:
    waiting = asked(bench)
    (row,) = bench.rows()
    decisions(bench).adopt(*place(waiting), psa_payment_id=row["id"])
    assert owners(bench) == {}, "a worker looks first, under the lease"

    done = bench.drive(waiting)

    assert (done.state, done.psa_payment_id, done.is_foreign) == (S.CONFIRMED, row["id"], True)
    assert (owners(bench), len(bench.rows())) == ({row["id"]: done.write_back_id}, 1)
    assert (bench.compare(), bench.open_problems()) == (0, [])


def test_who_says_that_it_is_anothers_has_ours_posted_beside_it(bench: MirroredBench) -> None:
    waiting = asked(bench)
    theirs = bench.rows()[0]["id"]
    decisions(bench).post(*place(waiting))

    done = bench.drive(waiting)

    assert (done.state, done.is_foreign, len(bench.rows())) == (S.CONFIRMED, False, 2)
    assert owners(bench) == {theirs: NO_OWNER, done.psa_payment_id: done.write_back_id}
    assert (bench.compare(), bench.open_problems()) == (0, [])
    bench.undo()
    assert bench.drive_when_due(done).state is S.REVERSED
    assert [row["id"] for row in bench.rows()] == [theirs]


def test_another_equal_one_that_came_meanwhile_is_asked_about_again(bench: MirroredBench) -> None:
    waiting = asked(bench)
    decisions(bench).post(*place(waiting))
    second = another_programs(bench)

    again = bench.drive(waiting)

    assert (again.state, again.reason) == (S.MANUAL, Reason.LOOKS_WRITTEN)
    assert [each.psa_payment_id for each in again.shown] == [second]
    assert len(bench.rows()) == 2


@pytest.mark.parametrize("amount", ["49.99", "50.01"])
def test_a_payment_of_another_amount_keeps_ours_from_nothing(
    bench: MirroredBench, amount: str
) -> None:
    another_programs(bench, amount)
    assert bench.drive(bench.collect(5000)).state is S.CONFIRMED
    assert len(bench.rows()) == 2


def test_an_equal_payment_of_a_person_keeps_ours_from_nothing(bench: MirroredBench) -> None:
    bench.people.record_payment(bench.invoice_id, Decimal("50.00"), PAID_ON)
    assert bench.drive(bench.collect(5000)).state is S.CONFIRMED
    assert len(bench.rows()) == 2
