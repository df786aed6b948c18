"""Another tool deletes our payment and writes it anew: a person adopts it, nothing doubles it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import httpx
import pytest

from bridge.domain.errors import InvalidInputError, NotPossibleError
from bridge.domain.problem import Action
from bridge.domain.write_back import Reason, WriteBack, WriteBackState
from bridge.domain.write_back.decisions import offered_actions
from connectwise_sandbox import permissions
from connectwise_sandbox.finance.payments import change_payment
from connectwise_sandbox.people import PERSON
from connectwise_sandbox.permissions import Rows
from tests.unit.payments.bench import QUARANTINE_SECONDS, decisions, edit_ours, place
from tests.unit.payments.mirrored_bench import MirroredBench

S = WriteBackState


def posted(bench: MirroredBench, amount_minor: int = 5000) -> WriteBack:
    """Half of the invoice: a second payment would find room."""
    return bench.drive(bench.collect(amount_minor))


def read_back_anew(bench: MirroredBench, write_back: WriteBack) -> WriteBack:
    """Let the follow-up find what stands there a while after the post."""
    bench.wait(QUARANTINE_SECONDS)
    bench.let_follow_up(write_back)
    return bench.drive(write_back)


def edit_the_day(bench: MirroredBench) -> None:
    (row,) = bench.rows()
    day = bench.clock.now() - timedelta(days=30)
    changed = row | {"paymentDate": f"{day.date().isoformat()}T00:00:00Z"}
    change_payment(bench.engine.tenant, row, changed, PERSON)


def test_the_follow_up_shows_the_copy_and_adopts_nothing(bench: MirroredBench) -> None:
    write_back = posted(bench)
    bench.people.rewrite_payments(bench.invoice_id)

    seen = read_back_anew(bench, write_back)

    (copy,) = bench.rows()
    assert (seen.state, seen.reason) == (S.MANUAL, Reason.PAYMENT_REWRITTEN)
    assert [each.psa_payment_id for each in seen.shown] == [copy["id"]]
    assert bench.ledger.owners(bench.connection.books, [copy["id"]]) == {}
    assert (bench.amounts(), len(bench.open_problems())) == ([Decimal("50.00")], 1)
    assert offered_actions(seen) == (
        Action.LOOK, Action.ADOPT, Action.MARK_DONE, Action.CANCEL,
    )  # fmt: skip
    for decide in (decisions(bench).retry, decisions(bench).post):
        with pytest.raises(NotPossibleError):
            decide(*place(seen))


def adopted(bench: MirroredBench) -> WriteBack:
    """A person takes the copy that another tool made for ours."""
    write_back = posted(bench)
    bench.people.rewrite_payments(bench.invoice_id)
    seen = read_back_anew(bench, write_back)
    copy_id = bench.rows()[0]["id"]
    decisions(bench).adopt(*place(seen), psa_payment_id=copy_id)
    done = bench.drive(write_back)
    assert (done.state, done.psa_payment_id) == (S.CONFIRMED, copy_id)
    return done


def test_a_person_adopts_the_copy_in_place_of_ours(bench: MirroredBench) -> None:
    done = adopted(bench)
    before = done.known_history.attempts[0].psa_payment_id
    assert (done.is_foreign, done.reason, before == done.psa_payment_id) == (
        True, Reason.NONE, False,
    )  # fmt: skip
    assert bench.ledger.owners(bench.connection.books, [before or 0, done.psa_payment_id or 0]) == {
        done.psa_payment_id: done.write_back_id
    }
    assert (bench.compare(), bench.open_problems(), len(bench.rows())) == (0, [], 1)


def test_a_copy_that_was_adopted_is_taken_out_by_hand_alone(bench: MirroredBench) -> None:
    done = adopted(bench)
    bench.undo()

    waiting = bench.drive(done)

    assert (waiting.state, waiting.reason) == (S.MANUAL, Reason.REVERSE_BY_HAND)
    assert bench.amounts() == [Decimal("50.00")]
    assert offered_actions(waiting) == (Action.MARK_DONE, Action.REVERSE_IN_BOOKS)
    bench.people.delete_payment(bench.invoice_id, bench.rows()[0]["id"])
    ended = decisions(bench).mark_done(*place(waiting))
    assert (ended.state, bench.open_problems()) == (S.REVERSED, [])


def test_a_payment_that_the_problem_does_not_show_cannot_be_adopted(bench: MirroredBench) -> None:
    write_back = posted(bench)
    bench.people.rewrite_payments(bench.invoice_id)
    seen = read_back_anew(bench, write_back)
    late = bench.people.record_payment(bench.invoice_id, Decimal("50.00"), write_back.paid_on)
    for psa_payment_id in (late["id"], 1):
        with pytest.raises(InvalidInputError):
            decisions(bench).adopt(*place(seen), psa_payment_id=psa_payment_id)
    assert bench.stored(write_back) == seen


def test_a_copy_that_changed_before_it_was_adopted_is_shown_anew(bench: MirroredBench) -> None:
    write_back = posted(bench)
    bench.people.rewrite_payments(bench.invoice_id)
    seen = read_back_anew(bench, write_back)
    decisions(bench).adopt(*place(seen), psa_payment_id=bench.rows()[0]["id"])
    edit_ours(bench, "49.99")

    waiting = bench.drive(write_back)

    assert (waiting.state, waiting.reason) == (S.MANUAL, Reason.PAYMENT_REWRITTEN)
    assert waiting.psa_payment_id is None
    assert len(bench.rows()) == 1


def test_a_return_deletes_no_copy_and_asks_a_person(bench: MirroredBench) -> None:
    """Given a copy that somebody edited since: equality cannot know it, a person can."""
    write_back = posted(bench)
    bench.people.rewrite_payments(bench.invoice_id)
    edit_the_day(bench)
    bench.wait(QUARANTINE_SECONDS)
    bench.undo()

    waiting = bench.drive(write_back)

    assert (waiting.state, waiting.reason) == (S.MANUAL, Reason.PAYMENT_REWRITTEN)
    assert (bench.amounts(), len(bench.open_problems())) == ([Decimal("50.00")], 1)


def test_a_return_finds_nothing_left_where_a_person_was_faster(bench: MirroredBench) -> None:
    write_back = posted(bench)
    bench.people.delete_payment(bench.invoice_id, bench.rows()[0]["id"])
    bench.wait(QUARANTINE_SECONDS)
    bench.undo()

    assert bench.drive(write_back).state is S.REVERSED
    assert bench.open_problems() == []


@pytest.mark.parametrize("decision", ["look", "post"])
def test_nothing_is_posted_beside_a_copy_that_came_late(
    bench: MirroredBench, decision: str
) -> None:
    """Given a person who says that it is to be posted, and a copy that came meanwhile."""
    write_back = posted(bench)
    (row,) = bench.rows()
    bench.people.delete_payment(bench.invoice_id, row["id"])
    gone = read_back_anew(bench, write_back)
    assert (gone.state, gone.reason) == (S.MANUAL, Reason.PAYMENT_GONE)
    copy = bench.people.record_payment(bench.invoice_id, row["amount"], write_back.paid_on)

    getattr(decisions(bench), decision)(*place(gone))
    waiting = bench.drive(write_back)

    assert (waiting.state, waiting.reason) == (S.MANUAL, Reason.PAYMENT_REWRITTEN)
    assert [each.psa_payment_id for each in waiting.shown] == [copy["id"]]
    assert bench.amounts() == [Decimal("50.00")]
    assert Action.POST not in offered_actions(waiting)


def test_what_we_own_is_never_posted_again_by_trying_again(bench: MirroredBench) -> None:
    """Given ours, edited by a person, that could not be read back for want of a right."""
    write_back = posted(bench)
    edit_the_day(bench)
    bench.engine.tenant.role.set_cell(*Rows.INVOICING, permissions.Action.INQUIRE, "None")
    refused = read_back_anew(bench, write_back)
    assert (refused.state, refused.reason) == (S.MANUAL, Reason.RIGHT_MISSING)
    bench.engine.tenant.role.set_cell(*Rows.INVOICING, permissions.Action.INQUIRE, "All")

    decisions(bench).retry(*place(refused))
    seen = bench.drive(write_back)

    assert (seen.state, seen.reason) == (S.CONFIRMED, Reason.PAYMENT_CHANGED)
    assert bench.amounts() == [Decimal("50.00")]


def test_a_return_does_not_close_what_a_person_has_not_decided_yet(bench: MirroredBench) -> None:
    """Given an unclear post that another tool wrote anew, and a copy that was edited since."""
    write_back = bench.lose_post(bench.collect(5000))
    bench.people.rewrite_payments(bench.invoice_id)
    bench.wait(QUARANTINE_SECONDS)
    assert bench.drive(write_back).reason is Reason.PAYMENT_REWRITTEN
    edit_the_day(bench)
    bench.undo()

    waiting = bench.drive(write_back)

    assert (waiting.state, waiting.reason) == (S.MANUAL, Reason.PAYMENT_REWRITTEN)
    assert (bench.amounts(), len(bench.open_problems())) == ([Decimal("50.00")], 1)


def test_looking_again_does_not_forget_a_lost_post_that_nobody_could_look_for(
    bench: MirroredBench,
) -> None:
    """Given a post that took effect and was written anew, on an invoice hidden for a while."""
    write_back = bench.lose_post(bench.collect(5000))
    bench.people.rewrite_payments(bench.invoice_id)
    bench.wait(QUARANTINE_SECONDS)
    hidden = bench.world.gateway(
        httpx.MockTransport(lambda _: httpx.Response(404, json={"code": "NotFound"}))
    )
    gone = bench.drive(write_back, gateway=hidden)
    assert (gone.state, gone.reason) == (S.MANUAL, Reason.INVOICE_GONE)

    decisions(bench).look(*place(gone))
    waiting = bench.drive(write_back)

    assert (waiting.state, waiting.reason) == (S.MANUAL, Reason.PAYMENT_REWRITTEN)
    assert bench.amounts() == [Decimal("50.00")]
