"""A proxy sends a post twice: the refusal of the second request leaves open what the first did."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bridge.domain.errors import NotPossibleError
from bridge.domain.problem import Action
from bridge.domain.write_back import Reason, WriteBackState
from bridge.domain.write_back.decisions import offered_actions
from bridge.wiring import use_cases
from connectwise_sandbox.change_faults import ChangeEffect
from connectwise_sandbox.faults import Effect
from tests.unit.payments.bench import PAID_ON, decisions, place
from tests.unit.payments.mirrored_bench import MirroredBench

S = WriteBackState


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
