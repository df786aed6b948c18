"""Two connections of one company may own one payment, of a time before companies were claimed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from bridge.domain.errors import NotPossibleError
from bridge.domain.problem import Action, ProblemCode, ProblemState
from bridge.domain.write_back import Books, Reason, WriteBack, WriteBackState
from bridge.domain.write_back.changes import confirm
from bridge.domain.write_back.decisions import offered_actions
from bridge.wiring import use_cases
from connectwise_sandbox.change_faults import ChangeEffect
from connectwise_sandbox.faults import Effect
from tests.unit.payments.bench import QUARANTINE_SECONDS, TIMINGS, decisions, place
from tests.unit.payments.mirrored_bench import MirroredBench
from tests.unit.payments.test_shared_company import OTHER_DOOR, OTHER_PARTNER, TwoDoors

S = WriteBackState


class MirroredDoors(TwoDoors, MirroredBench):
    """Two connections to one company that know of each other, the second one stopped."""

    def __init__(self) -> None:
        super().__init__()
        self.save_connection(company_connections=(OTHER_DOOR,))
        self.other = replace(
            self.other, company_key="", company_connections=(self.connection.connection_id,)
        )
        stored = self.connections.get(OTHER_DOOR)
        self.connections.save(self.other, expected_version=stored.version)

    def own_elsewhere(self, psa_payment_id: int) -> WriteBack:
        """Let a worker of the release before own a payment through the second connection."""
        old = self.collect_elsewhere(5000)
        lease = self.ledger.take_lease(
            books=Books(OTHER_DOOR),
            invoice_source_id=self.invoice_id,
            holder_id=old.write_back_id,
            now=self.clock.now(),
            until=self.clock.now() + TIMINGS.attempt,
        )
        owned = replace(confirm(old, psa_payment_id, self.clock.now()), wants_follow_up=False)
        self.ledger.save_write_back(
            owned, expected_version=1, holding=lease, own_psa_payment_id=psa_payment_id
        )
        self.ledger.release_lease(lease)
        return owned

    def problems_elsewhere(self) -> set[ProblemCode]:
        page = self.problems.list(OTHER_PARTNER, state=ProblemState.OPEN, limit=100)
        return {each.code for each in page.items}


@pytest.fixture
def bench() -> MirroredDoors:
    return MirroredDoors()


def owned_twice(bench: MirroredDoors) -> tuple[WriteBack, WriteBack]:
    first = bench.drive(bench.collect(5000))
    assert first.psa_payment_id is not None
    return first, bench.own_elsewhere(first.psa_payment_id)


def test_both_are_told_of_a_payment_that_both_own(bench: MirroredDoors) -> None:
    owned_twice(bench)
    bench.compare()
    assert ProblemCode.PAYMENT_DISPUTED in {each.code for each in bench.open_problems()}
    assert ProblemCode.PAYMENT_DISPUTED in bench.problems_elsewhere()
    times = [each.times_seen for each in bench.open_problems()]
    bench.compare()
    assert [each.times_seen for each in bench.open_problems()] == times, "it is told once"


def test_what_a_stopped_connection_owns_is_not_taken_for_the_others(bench: MirroredDoors) -> None:
    row = bench.people.record_payment(
        bench.invoice_id, Decimal("50.00"), by=bench.connection.member_identifier
    )
    bench.own_elsewhere(row["id"])
    done = bench.drive(bench.collect(5000))
    assert (done.state, len(bench.rows())) == (S.CONFIRMED, 2)


def test_a_disputed_payment_is_never_deleted(bench: MirroredDoors) -> None:
    first, _ = owned_twice(bench)
    bench.undo()
    stopped = bench.drive_when_due(first)
    assert (stopped.state, stopped.reason) == (S.MANUAL, Reason.PAYMENT_DISPUTED)
    assert len(bench.rows()) == 1
    assert [each.psa_payment_id for each in stopped.shown] == [first.psa_payment_id]
    assert offered_actions(stopped) == (Action.RETRY, Action.MARK_DONE, Action.REVERSE_IN_BOOKS)
    decisions(bench).retry(*place(first))
    assert bench.drive(first).reason is Reason.PAYMENT_DISPUTED
    assert len(bench.rows()) == 1


def test_once_one_has_given_it_up_the_other_one_has_it_alone(bench: MirroredDoors) -> None:
    first, other = owned_twice(bench)
    bench.undo()
    bench.drive_when_due(first)
    decisions(bench).mark_done(*place(first))
    assert bench.stored(first).state is S.REVERSED
    bench.compare()
    bench.compare()
    assert (bench.stored(first).state, len(bench.rows())) == (S.REVERSED, 1)
    owners = {other.psa_payment_id or 0: other.write_back_id}
    assert bench.ledger.disputed(bench.other.books, owners) == ()
    assert bench.ledger.owners(bench.connection.books, list(owners)) == owners


def test_a_payment_that_is_anothers_by_now_hinders_no_new_post(bench: MirroredDoors) -> None:
    """Given a payment of ours that was lost and became another one's, and a person's `post`."""
    first = bench.drive(bench.collect(5000))
    lost = first.psa_payment_id or 0
    bench.people.delete_payment(bench.invoice_id, lost)
    bench.compare()
    bench.ledger.give_up(bench.connection.books, lost, first.write_back_id)
    bench.ledger.move_owners(bench.connection.books, {lost: "pay-of-another.1"})
    decisions(bench).post(*place(first))
    done = bench.drive(first)
    assert (done.state, len(bench.rows())) == (S.CONFIRMED, 1)
    assert bench.ledger.owners(bench.connection.books, [lost]) == {lost: "pay-of-another.1"}


@pytest.mark.parametrize("way", ["dismiss", "post"])
def test_a_lost_post_is_not_given_away_through_another_connection(
    bench: MirroredDoors, way: str
) -> None:
    """Given a post through the second connection that nothing proved, and its payment."""
    other = bench.collect_elsewhere(5000)
    stopped = bench.connections.get(OTHER_DOOR)
    bench.connections.save(
        replace(bench.other, company_key=bench.connection.company_key),
        expected_version=stopped.version,
    )
    bench.fault(Effect.CUT_AFTER_EFFECT, "POST")
    bench.fault(Effect.STATUS_500, "GET", "payments", skip=1, times=50)
    bench.drive(other)
    bench.engine.faults.clear()
    assert len(bench.rows()) == 1
    bench.wait(QUARANTINE_SECONDS)
    bench.mirror()
    (row,) = bench.rows()
    mine = bench.drive(bench.collect(5000))
    assert mine.reason is Reason.LOOKS_WRITTEN

    with pytest.raises(NotPossibleError) as refusal:
        give_away(bench, mine, row["id"], way)

    assert refusal.value.reason == "may_be_ours"
    assert bench.owners() == {}


def give_away(bench: MirroredDoors, mine: WriteBack, psa_payment_id: int, way: str) -> None:
    if way == "post":
        decisions(bench).post(*place(mine))
        return
    scope = (bench.connection.partner_id, bench.connection.connection_id)
    use_cases.unowned_payments(bench).disclaim(*scope, bench.invoice_id, psa_payment_id)


def test_what_was_given_up_is_not_told_as_disputed_again(bench: MirroredDoors) -> None:
    """Given a payment that one side gave up, and a further connection to the company."""
    first, _ = owned_twice(bench)
    bench.compare()
    bench.undo()
    bench.drive_when_due(first)
    decisions(bench).mark_done(*place(first))
    for problem in bench.open_problems():
        bench.problems.resolve(problem.partner_id, problem.problem_id, bench.clock.now())
    bench.save_connection(company_connections=(OTHER_DOOR, "e" * 32))

    bench.compare()

    assert bench.open_problems() == []


def test_one_that_came_back_and_that_another_one_claims_by_now_is_shown(
    bench: MirroredDoors,
) -> None:
    """Given a deletion that did nothing, and a worker of the release before that took the payment
    for the second connection's meanwhile."""
    first = bench.drive(bench.collect(5000))
    bench.compare()
    bench.undo()
    bench.fault(ChangeEffect.GATEWAY_BEFORE_EFFECT, "DELETE", status=204)
    assert bench.drive_when_due(first).state is S.REVERSED
    bench.own_elsewhere(first.psa_payment_id or 0)

    bench.compare()
    bench.drive(first)

    shown = bench.stored(first)
    assert (shown.state, shown.reason) == (S.MANUAL, Reason.PAYMENT_DISPUTED)
    assert len(bench.rows()) == 1
