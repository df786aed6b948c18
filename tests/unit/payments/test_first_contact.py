"""Before the first write, a connection learns from mirrored payments what its lists show."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bridge.domain.connection import PaymentFacts
from bridge.domain.problem import ProblemCode
from bridge.domain.write_back import WriteBackState
from tests.unit.payments.bench import PAID_ON
from tests.unit.payments.mirrored_bench import MirroredBench

S = WriteBackState


@pytest.fixture
def new() -> MirroredBench:
    """A connection that has proven nothing yet, and whose mirror is still to be filled."""
    bench = MirroredBench()
    bench.save_connection(payment_facts=PaymentFacts())
    return bench


def facts(bench: MirroredBench) -> PaymentFacts:
    stored = bench.connections.get(bench.connection.connection_id).value
    assert stored is not None
    return stored.payment_facts


def test_payments_of_others_with_our_member_are_told_to_the_partner(new: MirroredBench) -> None:
    member = new.connection.member_identifier
    new.people.record_payment(new.invoice_id, Decimal("7.00"), PAID_ON, by=member)
    new.mirror()
    assert new.drive(new.collect(5000)).state is S.CONFIRMED
    assert facts(new).is_member_shared is True
    assert ProblemCode.MEMBER_SHARED in {problem.code for problem in new.open_problems()}


def test_payments_of_others_under_their_own_names_are_no_trouble(new: MirroredBench) -> None:
    new.people.record_payment(new.invoice_id, Decimal("7.00"), PAID_ON)
    new.mirror()
    new.drive(new.collect(5000))
    assert (facts(new).shows_members, facts(new).is_member_shared) == (True, False)
    assert new.open_problems() == []


def test_lists_that_hide_members_are_noticed_and_our_payment_is_ours_by_its_id(
    new: MirroredBench,
) -> None:
    """Given lists without ``appliedBy``: the answer's id decides, and nothing is in trouble."""
    new.engine.switches.payment_shows_member = "not_in_lists"
    new.people.record_payment(new.invoice_id, Decimal("7.00"), PAID_ON)
    new.mirror()
    write_back = new.drive(new.collect(5000))
    assert write_back.state is S.CONFIRMED
    assert facts(new).shows_members is False
    new.undo()
    assert new.drive(write_back).state is S.REVERSED
    assert new.open_problems() == []


def test_where_lists_hide_members_a_lost_payment_is_adopted_by_a_person_only(
    new: MirroredBench,
) -> None:
    new.engine.switches.payment_shows_member = "not_in_lists"
    new.drive(new.collect(1000))
    write_back = new.collect(5000, "pay-2")
    new.lose_post(write_back)
    asked = new.drive_when_due(write_back)
    assert asked.state is S.MANUAL
    assert [shown.amount_minor for shown in asked.shown] == [5000]
    assert len(new.rows()) == 2


def test_the_day_that_lists_shift_is_learnt_with_the_first_payment(new: MirroredBench) -> None:
    new.engine.switches.payment_day_shift = -1
    write_back = new.drive(new.collect(5000))
    assert write_back.state is S.CONFIRMED
    assert facts(new).listed_days_apart == 1
    assert new.open_problems() == []
