"""Another tool deletes our payment and writes it anew: seen, adopted or shown, never doubled."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import httpx
import pytest

from bridge.domain.errors import NotPossibleError
from bridge.domain.problem import Action
from bridge.domain.write_back import Reason, WriteBack, WriteBackState
from bridge.payments.write_back_actions import offered_actions
from bridge.wiring import use_cases
from connectwise_sandbox import permissions
from connectwise_sandbox.faults import Effect
from connectwise_sandbox.finance.payments import change_payment
from connectwise_sandbox.people import PERSON
from connectwise_sandbox.permissions import Rows
from tests.unit.payments.bench import QUARANTINE_SECONDS
from tests.unit.payments.mirrored_bench import MirroredBench

S = WriteBackState


def posted(bench: MirroredBench, amount_minor: int = 5000) -> WriteBack:
    """Half of the invoice: a second payment would find room."""
    return bench.drive(bench.collect(amount_minor))


def read_back_anew(bench: MirroredBench, write_back: WriteBack) -> WriteBack:
    """Let the follow-up find what stands there a while after the post."""
    bench.wait(QUARANTINE_SECONDS)
    due = replace(write_back, wants_follow_up=True, balance_before_minor=None)
    bench.save(replace(due, due_at=bench.clock.now()))
    return bench.drive(write_back)


def edit_the_day(bench: MirroredBench) -> None:
    (row,) = bench.rows()
    day = bench.clock.now() - timedelta(days=30)
    changed = row | {"paymentDate": f"{day.date().isoformat()}T00:00:00Z"}
    change_payment(bench.engine.tenant, row, changed, PERSON)


def retry(bench: MirroredBench, write_back: WriteBack) -> WriteBack:
    decisions = use_cases.write_back_actions(bench)
    return decisions.retry(
        write_back.partner_id, write_back.connection_id, write_back.write_back_id
    )


def test_the_follow_up_adopts_the_copy_and_tells(bench: MirroredBench) -> None:
    write_back = posted(bench)
    bench.people.rewrite_payments(bench.invoice_id)

    seen = read_back_anew(bench, write_back)

    assert (seen.state, seen.reason) == (S.CONFIRMED, Reason.PAYMENT_REWRITTEN)
    assert seen.psa_payment_id == bench.rows()[0]["id"] != write_back.psa_payment_id
    assert (bench.amounts(), len(bench.open_problems())) == ([Decimal("50.00")], 1)
    assert offered_actions(seen) == (Action.MARK_DONE,)
    with pytest.raises(NotPossibleError):
        retry(bench, seen)


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


def test_trying_again_posts_nothing_beside_a_copy_that_came_late(bench: MirroredBench) -> None:
    write_back = posted(bench)
    (row,) = bench.rows()
    bench.people.delete_payment(bench.invoice_id, row["id"])
    gone = read_back_anew(bench, write_back)
    assert (gone.state, gone.reason) == (S.MANUAL, Reason.PAYMENT_GONE)
    bench.people.record_payment(bench.invoice_id, row["amount"], write_back.paid_on)

    retry(bench, gone)
    waiting = bench.drive(write_back)

    assert (waiting.state, waiting.reason) == (S.MANUAL, Reason.PAYMENT_REWRITTEN)
    assert bench.amounts() == [Decimal("50.00")]
    retry(bench, waiting)
    assert bench.drive(write_back).state is S.CONFIRMED, "now a person has looked, and insists"
    assert len(bench.rows()) == 2


def test_what_we_own_is_never_posted_again_by_trying_again(bench: MirroredBench) -> None:
    """Given ours, edited by a person, that could not be read back for want of a right."""
    write_back = posted(bench)
    edit_the_day(bench)
    bench.engine.tenant.role.set_cell(*Rows.INVOICING, permissions.Action.INQUIRE, "None")
    refused = read_back_anew(bench, write_back)
    assert (refused.state, refused.reason) == (S.MANUAL, Reason.RIGHT_MISSING)
    bench.engine.tenant.role.set_cell(*Rows.INVOICING, permissions.Action.INQUIRE, "All")

    retry(bench, refused)
    seen = bench.drive(write_back)

    assert (seen.state, seen.reason) == (S.CONFIRMED, Reason.PAYMENT_CHANGED)
    assert bench.amounts() == [Decimal("50.00")]


def test_a_return_does_not_close_what_a_person_has_not_decided_yet(bench: MirroredBench) -> None:
    """Given an unclear post that another tool wrote anew, and a copy that was edited since."""
    bench.fault(Effect.TIMEOUT_AFTER_EFFECT, "POST")
    write_back = bench.drive(bench.collect(5000))
    bench.people.rewrite_payments(bench.invoice_id)
    bench.wait(QUARANTINE_SECONDS)
    assert bench.drive(write_back).reason is Reason.PAYMENT_REWRITTEN
    edit_the_day(bench)
    bench.undo()

    waiting = bench.drive(write_back)

    assert (waiting.state, waiting.reason) == (S.MANUAL, Reason.PAYMENT_REWRITTEN)
    assert (bench.amounts(), len(bench.open_problems())) == ([Decimal("50.00")], 1)


def test_trying_again_does_not_forget_a_lost_post_that_nobody_could_look_for(
    bench: MirroredBench,
) -> None:
    """Given a post that took effect and was written anew, on an invoice hidden for a while."""
    bench.fault(Effect.TIMEOUT_AFTER_EFFECT, "POST")
    write_back = bench.drive(bench.collect(5000))
    bench.people.rewrite_payments(bench.invoice_id)
    bench.wait(QUARANTINE_SECONDS)
    hidden = bench.world.gateway(
        httpx.MockTransport(lambda _: httpx.Response(404, json={"code": "NotFound"}))
    )
    gone = bench.drive(write_back, gateway=hidden)
    assert (gone.state, gone.reason) == (S.MANUAL, Reason.INVOICE_GONE)

    retry(bench, gone)
    waiting = bench.drive(write_back)

    assert (waiting.state, waiting.reason) == (S.MANUAL, Reason.PAYMENT_REWRITTEN)
    assert bench.amounts() == [Decimal("50.00")]
