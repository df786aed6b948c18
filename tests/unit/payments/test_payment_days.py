"""ConnectWise may list a payment's day as another zone sees it: the id decides, not the day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.write_back import Reason, Timings, WriteBack, WriteBackState
from bridge.domain.write_back.changes import state_post
from bridge.payments.payment_matching import best_match, post_that_may_have_made
from bridge.ports import PsaPayment
from connectwise_sandbox.finance.payments import change_payment
from connectwise_sandbox.people import PERSON
from tests.builders.payments import a_write_back
from tests.fakes.clock import START
from tests.unit.payments.bench import QUARANTINE_SECONDS
from tests.unit.payments.mirrored_bench import MirroredBench

S = WriteBackState
MEMBER = "Member"
DAY = timedelta(days=1)
Shift = Literal[-1, 0, 1]


@pytest.mark.parametrize("shift", [-1, 1])
def test_a_payment_whose_day_is_shifted_is_ours_and_is_taken_out(
    bench: MirroredBench, shift: Shift
) -> None:
    bench.engine.switches.payment_day_shift = shift
    write_back = bench.drive(bench.collect(5000))
    assert (write_back.state, write_back.reason) == (S.CONFIRMED, Reason.NONE)
    for _ in range(2):
        assert bench.compare() == 0, "a day's difference costs no call"
        assert (bench.stored(write_back).reason, bench.open_problems()) == (Reason.NONE, [])

    bench.undo()
    done = bench.drive_when_due(write_back)

    assert (done.state, bench.rows(), bench.open_problems()) == (S.REVERSED, [], [])


@pytest.mark.parametrize("shift", [-1, 0, 1])
def test_the_day_that_is_listed_is_noted_where_it_is_another(
    bench: MirroredBench, shift: Shift
) -> None:
    bench.engine.switches.payment_day_shift = shift
    write_back = bench.drive(bench.collect(5000))
    bench.wait(QUARANTINE_SECONDS)
    bench.let_follow_up(write_back)
    done = bench.drive(write_back)
    assert done.listed_on == (write_back.paid_on + shift * DAY if shift else None)
    assert (done.state, done.reason) == (S.CONFIRMED, Reason.NONE)


@pytest.mark.parametrize("shift", [-1, 1])
def test_a_lost_post_whose_day_is_shifted_is_found(bench: MirroredBench, shift: Shift) -> None:
    bench.engine.switches.payment_day_shift = shift
    write_back = bench.lose_post(bench.collect(5000))
    done = bench.drive_when_due(write_back)
    assert (done.state, len(bench.rows())) == (S.CONFIRMED, 1)


def test_a_day_that_is_further_off_was_edited(bench: MirroredBench) -> None:
    write_back = bench.drive(bench.collect(5000))
    (row,) = bench.rows()
    day = (write_back.paid_on + 2 * DAY).isoformat()
    change_payment(bench.engine.tenant, row, row | {"paymentDate": f"{day}T00:00:00Z"}, PERSON)
    bench.compare()
    assert bench.stored(write_back).reason is Reason.PAYMENT_CHANGED


# --- two of one amount on neighbouring days -----------------------------------------------------


def posted(payment_id: str, paid_on: date) -> WriteBack:
    """Return the write-back of a post that nothing proved, made as payment 5 was listed."""
    fresh = replace(a_write_back(), write_back_id=f"{payment_id}.1001", paid_on=paid_on)
    return state_post(fresh, START, Timings(), balance_minor=50_000, listed_ids=(5,), member=MEMBER)


def row(psa_payment_id: int, paid_on: date | None, **changes: object) -> PsaPayment:
    payment = PsaPayment(psa_payment_id, a_write_back().amount_minor, paid_on, MEMBER)
    return replace(payment, **changes)  # type: ignore[arg-type]


TODAY = a_write_back().paid_on
FIRST, NEXT = posted("first", TODAY), posted("next", TODAY + DAY)


def found_by(write_back: WriteBack, other: WriteBack, *rows: PsaPayment) -> int | None:
    match = best_match(write_back, rows, [other])
    return match[0].psa_payment_id if match else None


def test_each_finds_the_payment_of_its_own_day() -> None:
    rows = (row(7, TODAY), row(6, TODAY + DAY))
    assert found_by(FIRST, NEXT, *rows) == 7
    assert found_by(NEXT, FIRST, *rows) == 6


def test_a_payment_of_a_neighbouring_day_is_left_to_who_waits_for_that_day() -> None:
    assert found_by(FIRST, NEXT, row(6, TODAY + DAY)) is None
    assert found_by(NEXT, FIRST, row(6, TODAY + DAY)) == 6


def test_a_payment_of_a_neighbouring_day_is_ours_where_nobody_waits_for_that_day() -> None:
    assert found_by(FIRST, posted("far", TODAY + 5 * DAY), row(6, TODAY + DAY)) == 6


@given(
    psa_payment_id=st.sampled_from([5, 6]),
    days=st.integers(-3, 3),
    cents=st.integers(-1, 1),
    applied_by=st.sampled_from([MEMBER, MEMBER.lower(), "Person", ""]),
    is_credit=st.booleans(),
)
def test_a_post_may_have_made_what_has_its_member_amount_and_day_and_was_not_listed(
    psa_payment_id: int, days: int, cents: int, applied_by: str, is_credit: bool
) -> None:
    shown = row(
        psa_payment_id,
        TODAY + days * DAY,
        amount_minor=FIRST.amount_minor + cents,
        applied_by=applied_by,
        is_credit=is_credit,
    )
    is_ours = (
        psa_payment_id == 6
        and abs(days) <= 1
        and cents == 0
        and applied_by.lower() == MEMBER.lower()
        and not is_credit
    )
    assert (post_that_may_have_made(FIRST, shown) is not None) == is_ours


def test_two_payments_of_neighbouring_days_whose_answers_were_lost_find_their_own(
    bench: MirroredBench,
) -> None:
    first = bench.collect(5000)
    second = replace(bench.collect(5000, "pay-2"))
    bench.lose_post(first)
    bench.wait(QUARANTINE_SECONDS)
    assert bench.drive_when_due(first).state is S.CONFIRMED
    bench.lose_post(second)
    assert bench.drive_when_due(second).state is S.CONFIRMED
    owned = {bench.stored(each).psa_payment_id for each in (first, second)}
    assert owned == {each["id"] for each in bench.rows()}
    assert bench.amounts() == [Decimal("50.00")] * 2


@pytest.mark.parametrize("shift", [-1, 1])
def test_of_two_neighbouring_days_each_is_found_as_this_connectwise_lists_them(
    shift: Shift,
) -> None:
    """Given a ConnectWise that is known to list another day, and two lost posts of two days."""
    rows = (row(6, TODAY + shift * DAY), row(7, TODAY + DAY + shift * DAY))
    found = [
        best_match(mine, rows, [other], days_apart=-shift)
        for mine, other in ((FIRST, NEXT), (NEXT, FIRST))
    ]
    assert [match and match[0].psa_payment_id for match in found] == [6, 7]
