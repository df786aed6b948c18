"""A proxy sends a post twice: the refusal of the second request leaves open what the first did."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any, Literal

import pytest

from bridge.domain.errors import NotPossibleError
from bridge.domain.problem import Action
from bridge.domain.write_back import Reason, WriteBack, WriteBackState
from bridge.domain.write_back.decisions import offered_actions
from bridge.payments.payment_matching import may_have_made
from bridge.ports import PsaPayment
from bridge.wiring import use_cases
from connectwise_sandbox.change_faults import ChangeEffect, GatewayBody
from connectwise_sandbox.faults import Effect
from tests.unit.payments.bench import PAID_ON, QUARANTINE_SECONDS, decisions, place
from tests.unit.payments.mirrored_bench import MirroredBench

S = WriteBackState
LAG_SECONDS = 30


@pytest.fixture
def bench() -> MirroredBench:
    """A ConnectWise that refuses to be overpaid, before which a proxy doubles one post."""
    bench = MirroredBench()
    bench.engine.switches.overpayment = "refused"
    bench.fault(ChangeEffect.SENT_TWICE, "POST")
    return bench


def test_the_first_ones_payment_is_found(bench: MirroredBench) -> None:
    """Given a payment of the whole balance, so that the second request is refused."""
    write_back = bench.drive(bench.collect(11000))
    assert (write_back.state, write_back.reason) == (S.CONFIRMED, Reason.NONE)
    assert bench.amounts() == [Decimal("110.00")]
    assert write_back.psa_payment_id == bench.rows()[0]["id"]


def test_one_that_no_list_shows_yet_stays_unproven(bench: MirroredBench) -> None:
    """Given a list that lags, and a balance that moved."""
    bench.engine.switches.payment_list_delay_seconds = 30
    write_back = bench.drive(bench.collect(11000))
    assert (write_back.state, len(write_back.unproven_posts)) == (S.UNCLEAR, 1)
    assert bench.drive_when_due(write_back).state is S.CONFIRMED
    assert bench.amounts() == [Decimal("110.00")]


def test_one_that_nobody_can_look_for_stays_unproven(bench: MirroredBench) -> None:
    """Given a server that fails right after the refusal."""
    bench.fault(Effect.STATUS_500, "GET", "payments", skip=1, times=50)
    write_back = bench.drive(bench.collect(11000))
    bench.engine.faults.clear()
    assert (write_back.state, len(write_back.unproven_posts)) == (S.UNCLEAR, 1)
    assert bench.drive_when_due(write_back).state is S.CONFIRMED
    assert bench.amounts() == [Decimal("110.00")]


def test_what_a_refused_post_may_have_made_is_not_given_away(bench: MirroredBench) -> None:
    """Given a payment that comes into view long after its post was refused."""
    bench.engine.faults.clear()
    bench.engine.switches.overpayment = "accepted"
    bench.engine.switches.second_payment = "refused"
    other = bench.people.record_payment(bench.invoice_id, Decimal("1.00"), PAID_ON)
    refused = bench.drive(bench.collect(5000))
    assert refused.state is S.REJECTED
    bench.engine.switches.second_payment = "appended"
    member = bench.connection.member_identifier
    late = bench.people.record_payment(bench.invoice_id, Decimal("50.00"), PAID_ON, by=member)
    bench.mirror()

    with pytest.raises(NotPossibleError) as refusal:
        use_cases.unowned_payments(bench).disclaim(
            *place(refused)[:2], bench.invoice_id, late["id"]
        )
    assert refusal.value.reason == "may_be_ours"

    bench.wait(QUARANTINE_SECONDS)
    decisions(bench).retry(*place(refused))
    shown = bench.drive(refused)
    assert (shown.state, shown.reason) == (S.MANUAL, Reason.LOOKS_WRITTEN)
    with pytest.raises(NotPossibleError):
        decisions(bench).post(*place(shown))
    assert Action.ADOPT in offered_actions(shown)
    decisions(bench).adopt(*place(shown), psa_payment_id=late["id"])
    assert bench.drive(shown).state is S.CONFIRMED
    assert {row["id"] for row in bench.rows()} == {other["id"], late["id"]}


def test_a_refusal_that_changed_nothing_is_sure_at_once(bench: MirroredBench) -> None:
    """Given another payment of the same amount and a credit that hides in the balance."""
    bench.engine.faults.clear()
    bench.engine.switches.second_payment = "refused"
    bench.people.record_payment(bench.invoice_id, Decimal("50.00"), PAID_ON)
    refused = bench.drive(bench.collect(5000))
    assert (refused.state, refused.unproven_posts, refused.late_look_at) == (S.REJECTED, (), None)


def refused_behind_a_lag(bench: MirroredBench) -> WriteBack:
    """The first request is carried out out of sight, and the second one refused for a passing
    cause; return the write-back as it is then."""
    bench.engine.switches.overpayment = "accepted"
    bench.engine.switches.second_payment = "refused"
    bench.engine.switches.payment_list_delay_seconds = LAG_SECONDS
    bench.engine.switches.balance_delay_seconds = LAG_SECONDS
    refused = bench.drive(bench.collect(5000))
    bench.engine.switches.second_payment = "appended"
    assert (refused.state, len(bench.rows())) == (S.REJECTED, 1)
    return refused


@pytest.mark.parametrize("shows_member", ["always", "never"])
@pytest.mark.parametrize("clicked_after_seconds", [0, LAG_SECONDS])
def test_one_that_no_list_shows_yet_is_not_posted_anew(
    bench: MirroredBench, clicked_after_seconds: int, shows_member: Literal["always", "never"]
) -> None:
    """Given a person who retries at once, or after the lag."""
    bench.engine.switches.payment_shows_member = shows_member
    refused = refused_behind_a_lag(bench)
    bench.wait(clicked_after_seconds)
    decisions(bench).retry(*place(refused))
    bench.drive(refused)
    shown = bench.drive_when_due(refused)
    assert (shown.state, shown.reason) == (S.MANUAL, Reason.LOOKS_WRITTEN)
    assert [each.psa_payment_id for each in shown.shown] == [row["id"] for row in bench.rows()]
    assert bench.amounts() == [Decimal("50.00")]


@pytest.mark.parametrize("shows_member", ["always", "never"])
def test_one_that_was_undone_meanwhile_is_shown(
    bench: MirroredBench, shows_member: Literal["always", "never"]
) -> None:
    bench.engine.switches.payment_shows_member = shows_member
    refused = refused_behind_a_lag(bench)
    bench.undo()
    bench.drive(refused)
    shown = bench.drive_when_due(refused)
    assert (shown.state, shown.reason) == (S.MANUAL, Reason.LOOKS_WRITTEN)
    assert [each.psa_payment_id for each in shown.shown] == [row["id"] for row in bench.rows()]


def test_a_gateways_denial_of_the_look_proves_nothing(bench: MirroredBench) -> None:
    """Given a gateway that denies every read after the refusal."""
    bench.fault(
        ChangeEffect.GATEWAY_BEFORE_EFFECT,
        "GET",
        "payments",
        status=403,
        body=GatewayBody.JSON_CODE,
        skip=1,
        times=50,
    )
    write_back = bench.drive(bench.collect(11000))
    bench.engine.faults.clear()
    assert (write_back.state, len(write_back.unproven_posts)) == (S.UNCLEAR, 1)
    assert bench.drive_when_due(write_back).state is S.CONFIRMED
    assert bench.amounts() == [Decimal("110.00")]


def test_an_id_below_the_listed_ones_may_be_ours_too(bench: MirroredBench) -> None:
    """Given a ConnectWise whose new payments may have lower ids than older ones."""
    bench.engine.faults.clear()
    bench.engine.switches.second_payment = "refused"
    other = bench.people.record_payment(bench.invoice_id, Decimal("1.00"), PAID_ON)
    refused = bench.drive(bench.collect(5000))
    below = PsaPayment(other["id"] - 1, 5000, PAID_ON, bench.connection.member_identifier)
    assert may_have_made(refused, below)


def test_what_a_person_entered_after_a_refusal_is_no_surplus(bench: MirroredBench) -> None:
    """Given lists without names, and a person who enters what was refused and says so."""
    bench.engine.faults.clear()
    bench.engine.switches.payment_shows_member = "never"
    bench.engine.switches.second_payment = "refused"
    bench.people.record_payment(bench.invoice_id, Decimal("1.00"), PAID_ON)
    refused = bench.drive(bench.collect(5000))
    bench.engine.switches.second_payment = "appended"
    bench.people.record_payment(bench.invoice_id, Decimal("50.00"), PAID_ON)
    decisions(bench).mark_done(*place(refused))
    bench.compare()
    assert (bench.stored(refused).state, bench.open_problems()) == (S.DONE_BY_HAND, [])


@pytest.mark.parametrize("is_member_shared", [True, False])
def test_anothers_payment_that_came_meanwhile_is_left_to_them(
    bench: MirroredBench, monkeypatch: pytest.MonkeyPatch, *, is_member_shared: bool
) -> None:
    """Given an equal payment of somebody else between our look and our post, which is refused for
    it; if others have our API member's keys, under its name."""
    bench.engine.faults.clear()
    facts = replace(bench.connection.payment_facts, is_member_shared=is_member_shared)
    bench.save_connection(payment_facts=facts)
    by = bench.connection.member_identifier if is_member_shared else "jdoe"
    save = bench.ledger.save_write_back

    def save_as_another_pays(write_back: WriteBack, **options: Any) -> int:
        if write_back.state is S.POSTING and not bench.rows():
            bench.people.record_payment(bench.invoice_id, Decimal("110.00"), PAID_ON, by=by)
        return save(write_back, **options)

    monkeypatch.setattr(bench.ledger, "save_write_back", save_as_another_pays)
    refused = bench.drive(bench.collect(11000))
    assert (refused.state, refused.psa_payment_id) == (S.REJECTED, None)
    assert bench.amounts() == [Decimal("110.00")]
