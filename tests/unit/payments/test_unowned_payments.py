"""A person says whose a payment by our API member is; what may be ours is not given away."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from bridge.domain.errors import NotFoundError, NotPossibleError
from bridge.domain.write_back import ShownPayment, WriteBackState
from bridge.wiring import use_cases
from connectwise_sandbox.change_faults import ChangeEffect
from tests.unit.payments.bench import PAID_ON
from tests.unit.payments.mirrored_bench import MirroredBench

S = WriteBackState


def disclaim(bench: MirroredBench, psa_payment_id: int) -> None:
    connection = bench.connection
    decisions = use_cases.unowned_payments(bench)
    decisions.disclaim(
        connection.partner_id, connection.connection_id, bench.invoice_id, psa_payment_id
    )


def surplus(bench: MirroredBench) -> tuple[ShownPayment, ...]:
    connection = bench.connection
    return use_cases.unowned_payments(bench).surplus(
        connection.partner_id, connection.connection_id, bench.invoice_id
    )


def foreign(bench: MirroredBench, amount: str) -> int:
    """Another system enters a payment with our API member's keys."""
    member = bench.connection.member_identifier
    row = bench.people.record_payment(bench.invoice_id, Decimal(amount), PAID_ON, by=member)
    return int(row["id"])


def test_a_payment_whose_answer_was_lost_is_not_given_away(bench: MirroredBench) -> None:
    """Given a surplus of another system's, and a post of ours that the mirror shows by now."""
    theirs = foreign(bench, "7.00")
    write_back = bench.lose_post(bench.collect(5000))
    ours = bench.rows()[1]["id"]
    bench.mirror()

    with pytest.raises(NotPossibleError) as refusal:
        disclaim(bench, ours)
    assert refusal.value.reason == "may_be_ours"

    disclaim(bench, theirs)
    assert bench.drive_when_due(write_back).state is S.CONFIRMED
    assert bench.amounts() == [Decimal("7.00"), Decimal("50.00")]
    assert bench.compare() == 0


def test_the_second_payment_of_a_post_that_was_sent_twice_is_not_given_away(
    bench: MirroredBench,
) -> None:
    """Given a post that is proven to have made one of the two."""
    bench.fault(ChangeEffect.SENT_TWICE, "POST")
    write_back = bench.drive(bench.collect(5000))
    assert write_back.state is S.CONFIRMED
    bench.mirror()
    (doubled,) = surplus(bench)
    assert doubled.psa_payment_id != write_back.psa_payment_id

    with pytest.raises(NotPossibleError) as refusal:
        disclaim(bench, doubled.psa_payment_id)

    assert refusal.value.reason == "may_be_ours"
    assert surplus(bench) == (doubled,)


def test_a_payment_that_stood_there_before_our_post_may_be_given_away(
    bench: MirroredBench,
) -> None:
    """Given that a person keeps it apart from an equal one of ours."""
    theirs = foreign(bench, "50.00")
    bench.mirror()
    disclaim(bench, theirs)
    write_back = bench.drive(bench.collect(5000))
    assert (write_back.state, write_back.psa_payment_id == theirs) == (S.CONFIRMED, False)
    assert len(bench.rows()) == 2


def test_each_payment_is_given_away_by_itself(bench: MirroredBench) -> None:
    one, other = foreign(bench, "7.00"), foreign(bench, "9.00")
    bench.mirror()
    disclaim(bench, one)
    assert [each.psa_payment_id for each in surplus(bench)] == [other]


def test_what_is_no_surplus_cannot_be_given_away(bench: MirroredBench) -> None:
    owned = bench.drive(bench.collect(5000)).psa_payment_id
    by_person = bench.people.record_payment(bench.invoice_id, Decimal("1.00"), PAID_ON)["id"]
    bench.mirror()
    assert owned is not None
    for psa_payment_id in (owned, by_person, 1):
        with pytest.raises(NotFoundError):
            disclaim(bench, psa_payment_id)
    assert bench.ledger.owners(bench.connection.books, [by_person, 1]) == {}


def test_a_payment_of_a_past_member_is_a_surplus_once_we_posted_under_its_name(
    bench: MirroredBench,
) -> None:
    """Given a post under the old name that stayed unproven, and landed far too late."""
    old = foreign(bench, "8.00")
    bench.lose_post(bench.collect(5000))
    late = bench.rows()[1]["id"]
    bench.save_connection(member_identifier="NewMember")
    bench.mirror()
    assert [each.psa_payment_id for each in surplus(bench)] == [late]
    assert old not in {each.psa_payment_id for each in surplus(bench)}


def test_the_surplus_of_another_partner_is_nobodys_business(bench: MirroredBench) -> None:
    theirs = foreign(bench, "7.00")
    bench.mirror()
    bench.connection = replace(bench.connection, partner_id="partner-other")
    with pytest.raises(NotFoundError):
        disclaim(bench, theirs)


def test_where_lists_hide_members_a_post_that_was_sent_twice_is_not_given_away(
    bench: MirroredBench,
) -> None:
    bench.engine.switches.payment_shows_member = "not_in_lists"
    bench.fault(ChangeEffect.SENT_TWICE, "POST")
    bench.drive(bench.collect(5000))
    bench.mirror()
    (doubled,) = surplus(bench)
    assert doubled.applied_by == ""
    with pytest.raises(NotPossibleError) as refusal:
        disclaim(bench, doubled.psa_payment_id)
    assert refusal.value.reason == "may_be_ours"
