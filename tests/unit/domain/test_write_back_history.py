"""Attempts are known from the history, and of a record of the release before from its sums."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.write_back import (
    AttemptKind,
    History,
    Outcome,
    StatedAttempt,
    Timings,
    WriteBack,
    WriteBackState,
)
from bridge.domain.write_back.changes import (
    confirm,
    note_unclear,
    note_unsent,
    refuse,
    state_deletion,
    state_post,
)
from bridge.domain.write_back.history import MAX_PROVEN_POSTS
from bridge.domain.write_back.reasons import Reason
from bridge.payments.payment_matching import post_that_may_have_made
from bridge.ports import PsaPayment
from bridge.store.codec import decode, encode
from tests.builders.payments import a_write_back
from tests.fakes.clock import START

S = WriteBackState
TIMINGS = Timings()
MINUTE = timedelta(minutes=1)
POST = AttemptKind.POST


def of_before(**fields: Any) -> WriteBack:
    """Return a write-back as a worker of the release before stored it, and ours reads it."""
    stored = encode(a_write_back(**fields))
    for name in ("history", "shown", "decision", "late_look_at", "look_at", "is_foreign"):
        stored.pop(name, None)
    return decode(WriteBack, stored)


def unclear_before(**fields: Any) -> WriteBack:
    """A post whose answer an old worker never got, where payment 40 was the newest."""
    known: dict[str, Any] = {
        "state": S.UNCLEAR,
        "posts": 1,
        "intent_at": START,
        "posted_as": "Member",
        "balance_before_minor": 11000,
        "rows_before": 3,
        "newest_before": 40,
    }
    return of_before(**known | fields)


def row(psa_payment_id: int, write_back: WriteBack) -> PsaPayment:
    return PsaPayment(psa_payment_id, write_back.amount_minor, write_back.paid_on, "Member")


# --- records of the release before --------------------------------------------------------------


@pytest.mark.parametrize("state", [S.UNCLEAR, S.POSTING, S.PENDING, S.REJECTED, S.MANUAL])
def test_a_post_of_an_old_worker_is_still_unproven(state: WriteBackState) -> None:
    write_back = unclear_before(state=state)
    (post,) = write_back.unproven_posts
    assert (post.stated_at, post.member, post.balance_minor) == (START, "Member", 11000)
    assert write_back.is_quarantined(START + 11 * MINUTE, TIMINGS)
    assert not write_back.is_quarantined(START + 12 * MINUTE, TIMINGS)


def test_what_an_old_worker_saw_before_its_post_is_not_taken_for_it() -> None:
    write_back = unclear_before()
    assert post_that_may_have_made(write_back, row(40, write_back)) is None
    assert post_that_may_have_made(write_back, row(39, write_back)) is None
    assert post_that_may_have_made(write_back, row(41, write_back)) is not None


def test_a_post_that_was_stated_before_the_sums_were_stored_is_unproven() -> None:
    """Given a worker that died between its statement and its answer."""
    write_back = of_before(state=S.POSTING, intent_at=START, posts=0)
    assert [post.stated_at for post in write_back.unproven_posts] == [START]


def test_what_an_old_worker_confirmed_is_proven() -> None:
    write_back = unclear_before(state=S.CONFIRMED, psa_payment_id=41)
    assert (write_back.unproven_posts, write_back.is_written) == ((), True)
    assert write_back.owning_post is not None
    assert write_back.owning_post.outcome is Outcome.PROVEN
    assert write_back.owning_post.balance_minor == 11000


def test_what_an_old_worker_never_posted_has_no_history() -> None:
    for state in (S.PENDING, S.REJECTED, S.MANUAL, S.CANCELLED, S.DONE_BY_HAND):
        assert of_before(state=state).known_history == History()


def test_deletions_of_an_old_worker_are_still_unproven() -> None:
    write_back = unclear_before(state=S.REVERSING, psa_payment_id=41, deletions=2)
    assert len(write_back.unproven_deletions) == 2
    assert write_back.is_quarantined(START + 11 * MINUTE, TIMINGS)


def test_a_post_of_today_keeps_that_of_an_old_worker() -> None:
    now = START + 20 * MINUTE
    write_back = state_post(
        unclear_before(), now, TIMINGS, balance_minor=11000, listed_ids=(38, 40), member="Member"
    )
    assert [post.stated_at for post in write_back.unproven_posts] == [now, START]
    assert post_that_may_have_made(write_back, row(41, write_back)) is not None


def test_an_old_worker_reads_what_todays_history_sums_up() -> None:
    stated = state_post(
        a_write_back(), START, TIMINGS, balance_minor=11000, listed_ids=(7, 40, 9), member="Member"
    )
    item = encode(note_unclear(stated, START, TIMINGS))
    found = {name: item[name] for name in ("posts", "balance_before_minor", "rows_before")}
    assert found == {"posts": 1, "balance_before_minor": 11000, "rows_before": 3}
    assert (item["newest_before"], item["posted_as"], item["state"]) == (40, "Member", "unclear")
    assert item["intent_at"] == encode(unclear_before())["intent_at"]


def test_what_an_old_worker_stored_over_todays_record_is_still_unproven() -> None:
    """An old worker leaves the history out."""
    stated = state_post(
        a_write_back(), START, TIMINGS, balance_minor=1, listed_ids=(40,), member="Member"
    )
    item = encode(note_unclear(stated, START, TIMINGS))
    del item["history"]
    (post,) = decode(WriteBack, item).unproven_posts
    assert (post.stated_at, post.member, post.had_listed(40)) == (START, "Member", True)


# --- the history itself -------------------------------------------------------------------------


def stated(count: int) -> WriteBack:
    write_back = a_write_back()
    for number in range(count):
        now = START + number * MINUTE
        write_back = note_unclear(
            state_post(write_back, now, TIMINGS, balance_minor=1, listed_ids=(number,)),
            now,
            TIMINGS,
        )
    return write_back


def test_an_answer_settles_the_attempt_that_it_is_about() -> None:
    write_back = confirm(stated(3), 9, START, stated_at=START + MINUTE)
    outcomes = [each.outcome for each in write_back.history.attempts]
    assert outcomes == [Outcome.UNKNOWN, Outcome.PROVEN, Outcome.UNKNOWN]
    assert write_back.owning_post == write_back.history.attempts[1]


def test_a_refusal_settles_the_latest_post_alone() -> None:
    again = state_post(stated(2), START + 9 * MINUTE, TIMINGS, balance_minor=1)
    for settled in (refuse(again, Reason.REFUSED), note_unsent(again)):
        assert len(settled.unproven_posts) == 2
        assert settled.late_look_at is not None
        assert sum(tally.count for tally in settled.history.tallies) == 1


def test_an_amount_that_was_not_ours_proves_no_balance() -> None:
    write_back = confirm(stated(1), 9, START, stated_at=START, is_exact=False)
    assert write_back.owning_post is not None
    assert write_back.owning_post.balance_minor is None


def test_a_deletion_of_unknown_end_keeps_the_payment_that_it_was_about() -> None:
    owned = confirm(a_write_back(), 9, START)
    reversing = state_deletion(owned, START, TIMINGS)
    history = reversing.history.with_outcome(AttemptKind.DELETION, Outcome.UNKNOWN)
    (deletion,) = history.unproven(AttemptKind.DELETION)
    assert deletion.psa_payment_id == 9


outcomes = st.sampled_from([Outcome.UNKNOWN, Outcome.PROVEN, Outcome.REFUSED, Outcome.NOT_SENT])


@given(found=st.lists(outcomes, max_size=40))
def test_every_unproven_post_stays_whole_and_every_other_is_counted(found: list[Outcome]) -> None:
    history = History()
    for number, outcome in enumerate(found):
        attempt = StatedAttempt(POST, START + number * MINUTE, listed_ids=(number,))
        history = history.with_stated(attempt).with_outcome(POST, outcome)

    unproven = [number for number, each in enumerate(found) if each is Outcome.UNKNOWN]
    assert [each.listed_ids for each in reversed(history.unproven(POST))] == [
        (number,) for number in unproven
    ]
    proven = found.count(Outcome.PROVEN)
    kept = sum(each.outcome is Outcome.PROVEN for each in history.attempts)
    assert kept == min(proven, MAX_PROVEN_POSTS)
    counted = sum(tally.count for tally in history.tallies)
    assert counted == len(found) - len(unproven) - kept


@given(days=st.integers(-3, 3), cents=st.integers(-1, 1))
def test_a_payment_is_as_large_by_its_amount_and_a_day_within_one(days: int, cents: int) -> None:
    write_back = a_write_back()
    paid_on = write_back.paid_on + timedelta(days=days)
    is_ours = write_back.is_as_large(write_back.amount_minor + cents, paid_on)
    assert is_ours == (abs(days) <= 1 and cents == 0)
    assert not replace(write_back).is_as_large(write_back.amount_minor, None)
