"""What comes after a write-back had ended: late effects, returns, payments that come back."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from bridge.domain.connection import ConnectionState
from bridge.domain.payment_control import RestoreMark
from bridge.domain.problem import Action, ProblemCode
from bridge.domain.write_back import Reason, WriteBack, WriteBackState
from bridge.domain.write_back.decisions import offered_actions
from connectwise_sandbox.change_faults import ChangeEffect
from connectwise_sandbox.faults import Effect
from connectwise_sandbox.kinds import Kind, Record
from tests.unit.payments.bench import PAID_ON, QUARANTINE_SECONDS, Bench, decisions, place
from tests.unit.payments.mirrored_bench import MirroredBench

S = WriteBackState


def late_after_five(bench: MirroredBench, decide: str) -> WriteBack:
    """Five posts never showed, a person decided, and one of them came after all."""
    write_back = bench.collect(5000)
    bench.fault(
        ChangeEffect.GATEWAY_LATE_EFFECT, "POST", status=502, seconds=6 * QUARANTINE_SECONDS
    )
    bench.fault(Effect.CUT_BEFORE_EFFECT, "POST", times=4)
    bench.drive_when_due(write_back, rounds=60)
    if decide == "mark_done":
        bench.people.record_payment(bench.invoice_id, Decimal("50.00"), PAID_ON)
    getattr(decisions(bench), decide)(*place(write_back))
    bench.wait(2 * QUARANTINE_SECONDS)
    bench.compare()
    return bench.stored(write_back)


@pytest.mark.parametrize("decide", ["mark_done", "cancel"])
def test_a_late_effect_is_never_taken_for_ours_by_a_look(bench: MirroredBench, decide: str) -> None:
    late = late_after_five(bench, decide)
    assert late.reason is Reason.LATE_EFFECT
    offered = offered_actions(late)
    assert offered == (Action.ADOPT, Action.MARK_DONE, Action.CANCEL)


def test_a_return_leaves_what_a_person_entered_to_that_person(bench: MirroredBench) -> None:
    """Given a payment entered by hand and ours that came late, both 50.00, and the return."""
    late = late_after_five(bench, "mark_done")
    bench.undo()
    end = bench.drive_when_due(late)
    assert (end.state, end.reason) == (S.MANUAL, Reason.REVERSE_BY_HAND)
    assert [row["appliedBy"] for row in bench.rows()] == ["jdoe"]


@pytest.mark.parametrize("decide", ["mark_done", "cancel"])
def test_a_payment_that_was_thought_gone_and_is_back_is_shown(
    bench: MirroredBench, decide: str
) -> None:
    """Given a list that hid our payment, and a person who settled the matter meanwhile."""
    write_back = bench.drive(bench.collect(5000))
    assert write_back.psa_payment_id is not None
    taken = hide(bench)
    assert bench.stored(write_back).reason is Reason.PAYMENT_GONE
    getattr(decisions(bench), decide)(*place(write_back))
    bench.engine.tenant.store[taken[0]].put(taken[1])
    bench.compare()
    assert bench.stored(write_back).reason is Reason.LATE_EFFECT
    assert ProblemCode.PAYMENT_NOT_WRITTEN in {each.code for each in bench.open_problems()}


def hide(bench: MirroredBench) -> tuple[Kind, Record]:
    """Let our payment be missing from ConnectWise, and the comparison see so."""
    (row,) = bench.rows()
    bench.engine.tenant.store[Kind.PAYMENT].remove(row["id"])
    bench.compare()
    return Kind.PAYMENT, row


def test_where_lists_hide_members_a_double_is_told_by_amount_and_day(
    bench: MirroredBench,
) -> None:
    bench.engine.switches.payment_shows_member = "not_in_lists"
    bench.fault(ChangeEffect.SENT_TWICE, "POST")
    bench.drive(bench.collect(5000))
    bench.compare()
    assert len(bench.rows()) == 2
    assert [each.code for each in bench.open_problems()] == [ProblemCode.PAYMENT_SURPLUS]


def test_a_payment_of_ours_that_is_back_is_not_posted_beside(bench: MirroredBench) -> None:
    """Given a `post` after ours was gone, and ours back and edited before a worker came."""
    write_back = bench.drive(bench.collect(5000))
    kind, row = hide(bench)
    decisions(bench).post(*place(write_back))
    bench.engine.tenant.store[kind].put(row | {"amount": Decimal("49.99")})
    assert bench.drive(write_back).reason is Reason.PAYMENT_CHANGED
    assert bench.amounts() == [Decimal("49.99")]
    assert Action.RETRY not in offered_actions(bench.stored(write_back))


@pytest.mark.parametrize("name", ["", "EarlierMember"])
def test_after_a_restore_nameless_and_past_members_payments_are_explained(
    bench: Bench, name: str
) -> None:
    bench.people.record_payment(bench.invoice_id, Decimal("20.00"), PAID_ON, by="EarlierMember")
    bench.save_connection(past_members=("EarlierMember",))
    bench.engine.switches.payment_shows_member = "always" if name else "not_in_lists"
    bench.payment_control.put_restore_mark(RestoreMark(bench.clock.now()))
    assert bench.drive(bench.collect(5000)).reason is Reason.LOOKS_WRITTEN
    assert len(bench.rows()) == 1


def test_a_late_look_that_is_refused_comes_later_each_time(bench: MirroredBench) -> None:
    write_back = bench.collect(5000)
    bench.fault(Effect.CUT_BEFORE_EFFECT, "POST")
    bench.drive(write_back)
    done = bench.drive_when_due(write_back)
    assert done.late_look_at is not None
    bench.wait((done.late_look_at - bench.clock.now()).total_seconds())
    bench.fault(Effect.STATUS_500, "GET", times=50)
    later = bench.drive(done).late_look_at
    assert later is not None
    assert later > bench.clock.now()


def test_what_was_entered_by_hand_is_asked_about_while_disconnected(bench: MirroredBench) -> None:
    write_back = bench.collect(5000)
    bench.save_connection(state=ConnectionState.DISCONNECTED)
    bench.drive(write_back)
    bench.people.record_payment(bench.invoice_id, Decimal("50.00"), PAID_ON)
    decisions(bench).mark_done(*place(write_back))
    bench.undo()
    assert bench.drive(write_back).reason is Reason.REVERSE_BY_HAND


def test_a_look_at_what_goes_on_by_itself_leaves_a_decision_as_it_is(bench: Bench) -> None:
    write_back = bench.collect(5000)
    bench.fault(Effect.CUT_BEFORE_EFFECT, "POST", times=5)
    bench.drive_when_due(write_back, rounds=60)
    decisions(bench).post(*place(write_back))
    decided = bench.stored(write_back)
    bench.ledger.arrange(replace(decided, reason=Reason.STOPPED))
    decisions(bench).look(*place(write_back))
    assert bench.stored(write_back).decision == decided.decision


def test_an_old_record_counts_each_of_its_posts(bench: Bench) -> None:
    write_back = bench.collect(5000)
    old = replace(
        write_back,
        state=S.UNCLEAR,
        posts=3,
        intent_at=bench.clock.now(),
        posted_as="Member",
        newest_before=0,
    )
    assert len(old.unproven_posts) == 3


def test_a_payment_that_is_sent_again_is_counted_once(bench: Bench) -> None:
    write_back = bench.collect(5000)
    bench.fault(Effect.CUT_BEFORE_EFFECT, "POST", times=3)
    bench.drive_when_due(write_back, rounds=40)
    rate = bench.payment_control.get_rate(write_back.connection_id).value
    assert rate is not None
    assert max(rate.count, rate.busiest) == 1
