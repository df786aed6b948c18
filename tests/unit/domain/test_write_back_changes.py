"""A write-back moves along the table of changes alone, and forgets nothing that may still stand."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import product
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.errors import InvalidInputError, NotPossibleError
from bridge.domain.platform_payment import Target
from bridge.domain.problem import Action
from bridge.domain.write_back import (
    MAX_LISTED_PAYMENTS,
    MAX_POSTS,
    AttemptKind,
    Outcome,
    Reason,
    ShownPayment,
    Timings,
    WriteBack,
    WriteBackState,
    changes,
    comparison,
    decisions,
)
from bridge.domain.write_back.change_table import (
    CHANGES,
    ImpossibleChangeError,
    allows,
    faults_of,
)
from bridge.domain.write_back.decisions import decided, offered_actions
from bridge.store.attributes import check_storable
from bridge.store.codec import encode
from tests.builders.payments import a_write_back
from tests.fakes.clock import START

S = WriteBackState
TIMINGS = Timings()
MINUTE = timedelta(minutes=1)
MADE = 7001
EQUAL = ShownPayment(7002, a_write_back().amount_minor, a_write_back().paid_on, "Member")
OTHER = ShownPayment(7003, 1, None, "Person")
MAX_ITEM_BYTES = 400 * 1024
MOVING = (changes, comparison, decisions)
"""The modules whose functions move a write-back to another state."""


# --- the table holds every change ---------------------------------------------------------------


def named_changes(module: ModuleType) -> set[str]:
    """Return the names of the changes that a module's functions make."""
    found = set()
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        is_moving = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if is_moving and node.func.id in ("move", "_ended"):  # type: ignore[attr-defined]
            found |= set(_texts(node.args[1]))  # type: ignore[attr-defined]
        if isinstance(node, ast.Subscript) and _name_of(node.value) == "CHANGES":
            found |= set(_texts(node.slice))
    return found


def _texts(node: ast.expr) -> Iterator[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value


def _name_of(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def test_the_table_holds_the_changes_that_are_made_and_no_others() -> None:
    assert set().union(*map(named_changes, MOVING)) == set(CHANGES)


@pytest.mark.parametrize("module", MOVING)
def test_a_state_is_taken_from_the_table_alone(module: ModuleType) -> None:
    states = [
        ast.unparse(keyword.value)
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "state"
    ]
    assert all(text.startswith("CHANGES[") for text in states), states


def test_every_state_is_reached_and_none_but_the_first_is_given() -> None:
    targets = {change.target for change in CHANGES.values()}
    assert targets == set(WriteBackState)
    assert all(change.sources for change in CHANGES.values())


def test_what_the_table_lacks_is_impossible() -> None:
    for state in set(WriteBackState) - CHANGES["state_post"].sources:
        with pytest.raises(ImpossibleChangeError):
            changes.state_post(a_write_back(state=state), START, TIMINGS, balance_minor=1)


def test_a_payment_that_was_posted_unclearly_is_never_pending_by_forgetting_it() -> None:
    lost = changes.note_unclear(
        changes.state_post(a_write_back(), START, TIMINGS, balance_minor=1), START, TIMINGS
    )
    forgotten = replace(lost.with_history(a_write_back().history), state=S.PENDING)
    assert faults_of(lost, forgotten)
    assert faults_of(lost, lost) == []


# --- what is offered is what is possible --------------------------------------------------------


def waiting_states() -> Iterator[WriteBack]:
    """Yield a write-back for every combination of what a decision may depend on."""
    fresh = a_write_back()
    posted = changes.state_post(fresh, START - 30 * MINUTE, TIMINGS, balance_minor=11000)
    lost = replace(changes.note_unclear(posted, START - 30 * MINUTE, TIMINGS), state=S.PENDING)
    for base, state, reason, target in product(
        (fresh, lost), WriteBackState, Reason, (Target.POSTED, Target.ABSENT)
    ):
        for owned, follows, shown, is_foreign in product(
            (None, MADE), (True, False), ((), (EQUAL, OTHER)), (True, False)
        ):
            yield replace(
                base,
                state=state,
                reason=reason,
                target=target,
                psa_payment_id=owned,
                wants_follow_up=follows,
                shown=shown,
                is_foreign=is_foreign and owned is not None,
                due_at=START,
            )


BY_PERSON = (S.CANCELLED, S.DONE_BY_HAND, S.REVERSED_BY_HAND)


def reachable_states() -> Iterator[WriteBack]:
    """Yield those of them that changes may lead to."""
    return filter(is_reachable, waiting_states())


def is_reachable(write_back: WriteBack) -> bool:
    is_owned = write_back.psa_payment_id is not None
    is_over = write_back.state in (*BY_PERSON, S.REVERSED)
    if write_back.state in (S.CONFIRMED, S.REVERSING):
        return is_owned
    if write_back.state is S.REVERSED and write_back.target is Target.POSTED:
        return False
    if write_back.state in BY_PERSON and write_back.wants_follow_up:
        return False
    return not (is_over and write_back.reason is Reason.PAYMENT_CHANGED)


def decide(write_back: WriteBack, action: Action) -> WriteBack:
    named = {"psa_payment_id": EQUAL.psa_payment_id, "reference": "JE-1"}
    return decided(write_back, action, START, **named)  # type: ignore[arg-type]


def is_accepted(write_back: WriteBack, action: Action) -> bool:
    try:
        decide(write_back, action)
    except NotPossibleError:
        return False
    return True


def test_what_is_offered_is_exactly_what_is_accepted() -> None:
    for write_back in waiting_states():
        accepted = {action for action in Action if is_accepted(write_back, action)}
        offered = offered_actions(write_back)
        assert set(offered) == accepted, write_back
        assert len(set(offered)) == len(offered), write_back


def test_a_decision_moves_along_the_table_and_forgets_no_attempt() -> None:
    for write_back in reachable_states():
        for action in offered_actions(write_back):
            after = decide(write_back, action)
            assert faults_of(write_back, after) == [], (action, write_back)
            assert after.history == write_back.history, (action, write_back)


def test_a_decision_gives_up_no_payment_that_still_stands_unless_it_says_so() -> None:
    """Only where ours is missing, a decision lets go of its id: for another, or a new one."""
    missing = {Reason.PAYMENT_GONE, Reason.PAYMENT_REWRITTEN}
    for write_back in reachable_states():
        for action in offered_actions(write_back):
            after = decide(write_back, action)
            is_kept = after.psa_payment_id == write_back.psa_payment_id
            assert is_kept or write_back.reason in missing, (action, write_back)


def test_nobody_has_a_payment_posted_or_tried_again_that_may_stand_there() -> None:
    for write_back in reachable_states():
        offered = offered_actions(write_back)
        is_owned = write_back.psa_payment_id is not None
        if write_back.unproven_posts and not is_owned and write_back.needs_person:
            assert Action.RETRY not in offered, write_back
        if write_back.unproven_posts and write_back.shown:
            is_asked = write_back.reason in decisions.ASKED_FIRST
            assert Action.POST not in offered or is_asked, write_back


def test_while_a_request_is_under_way_a_person_may_only_look() -> None:
    for write_back in reachable_states():
        if write_back.may_be_in_flight:
            assert set(offered_actions(write_back)) <= {Action.LOOK}, write_back


def test_a_payment_of_somebody_else_is_never_taken_out_by_a_decision() -> None:
    for write_back in reachable_states():
        if write_back.is_foreign and write_back.target is Target.ABSENT and write_back.needs_person:
            assert Action.RETRY not in offered_actions(write_back), write_back


@pytest.mark.parametrize("psa_payment_id", [None, OTHER.psa_payment_id, 1])
def test_only_a_shown_payment_of_the_same_amount_is_adopted(psa_payment_id: int | None) -> None:
    waiting = changes.hand_over(a_write_back(), Reason.LOOKS_WRITTEN, [EQUAL, OTHER])
    with pytest.raises(InvalidInputError):
        decided(waiting, Action.ADOPT, START, psa_payment_id=psa_payment_id)


def test_a_reversal_in_the_books_keeps_the_row_ours_and_ends_it() -> None:
    owned = changes.confirm(a_write_back(), MADE, START)
    locked = changes.hand_over(changes.retarget(owned, Target.ABSENT, START), Reason.INVOICE_LOCKED)
    for nothing in ("", "  "):
        with pytest.raises(InvalidInputError):
            decided(locked, Action.REVERSE_IN_BOOKS, START, reference=nothing)

    done = decided(locked, Action.REVERSE_IN_BOOKS, START, reference=" JE-1 ")

    assert (done.state, done.hand_reference, done.psa_payment_id) == (
        S.REVERSED_BY_HAND, "JE-1", MADE,
    )  # fmt: skip
    assert (done.has_ended, done.reason) == (True, Reason.NONE)
    assert offered_actions(done) == ()


# --- whatever happens, no attempt is forgotten --------------------------------------------------


@dataclass(frozen=True)
class Step:
    """A step makes a change at a time; ``settles`` is the kind of attempt that it may prove."""

    name: str
    change: Callable[[WriteBack, datetime], WriteBack]
    settles: AttemptKind | None = None


def _post(write_back: WriteBack, now: datetime) -> WriteBack:
    return changes.state_post(
        write_back, now, TIMINGS, balance_minor=11000, listed_ids=(1, 2), member="Member"
    )


def _confirm_latest(write_back: WriteBack, now: datetime) -> WriteBack:
    posts = write_back.unproven_posts
    return changes.confirm(write_back, MADE, now, stated_at=posts[0].stated_at if posts else None)


def _confirm_first(write_back: WriteBack, now: datetime) -> WriteBack:
    posts = write_back.unproven_posts
    return changes.confirm(write_back, MADE, now, stated_at=posts[-1].stated_at if posts else None)


def _while_deleting(
    change: Callable[[WriteBack], WriteBack],
) -> Callable[[WriteBack, datetime], WriteBack]:
    def made(write_back: WriteBack, _: datetime) -> WriteBack:
        return change(write_back) if write_back.state is S.REVERSING else write_back

    return made


def _by_person(action: Action) -> Callable[[WriteBack, datetime], WriteBack]:
    def made(write_back: WriteBack, now: datetime) -> WriteBack:
        return decided(
            write_back, action, now, psa_payment_id=EQUAL.psa_payment_id, reference="JE-1"
        )

    return made


_POST, _DELETION = AttemptKind.POST, AttemptKind.DELETION
STEPS = [
    Step("post", _post),
    Step("unsent", lambda w, _: changes.note_unsent(w), _POST),
    Step("unclear", lambda w, now: changes.note_unclear(w, now, TIMINGS)),
    Step("refuse", lambda w, _: changes.refuse(w, Reason.REFUSED), _POST),
    Step("confirm", _confirm_latest, _POST),
    Step("confirm the first", _confirm_first, _POST),
    Step("adopt", lambda w, now: changes.confirm(w, 7009, now, is_foreign=True)),
    Step("delete", lambda w, now: changes.state_deletion(w, now, TIMINGS)),
    Step("undeleted", lambda w, _: changes.note_undeleted(w), _DELETION),
    Step("deletion unclear", _while_deleting(changes.note_deletion_unclear)),
    Step("deletion refused", _while_deleting(changes.note_undeleted_by_refusal), _DELETION),
    Step("deleted", _while_deleting(changes.note_deleted), _DELETION),
    Step("reverse", changes.reverse),
    Step("call off", changes.call_off),
    Step("status", changes.state_status),
    Step("status done", lambda w, _: changes.note_status(w, Outcome.PROVEN)),
    Step("status refused", lambda w, _: changes.note_status(w, Outcome.REFUSED)),
    Step("delay", lambda w, now: changes.delay(w, now, TIMINGS)),
    Step("look again", lambda w, now: changes.look_again(w, now, TIMINGS)),
    Step("postpone", lambda w, now: changes.postpone(w, now + MINUTE)),
    Step("wait", lambda w, now: changes.wait_with_reason(w, Reason.NO_ANSWER, now)),
    Step("late look", lambda w, now: changes.finish_late_look(w, now, TIMINGS)),
    Step("hand over", lambda w, _: changes.hand_over(w, Reason.PAYMENT_REWRITTEN, [EQUAL])),
    Step("too many posts", lambda w, _: changes.hand_over(w, Reason.TOO_MANY_POSTS)),
    Step("try again", changes.try_again),
    Step("follow up", lambda w, _: changes.follow_up(w, Reason.NONE)),
    Step("return", lambda w, now: changes.retarget(w, Target.ABSENT, now)),
    Step("stay", lambda w, now: changes.retarget(w, Target.POSTED, now, is_called_off=True)),
    Step("miss", lambda w, _: comparison.miss(w, Reason.PAYMENT_GONE)),
    Step("find", lambda w, _: comparison.find_again(w)),
    Step("see returned", comparison.see_returned),
    Step("see changed", lambda w, _: comparison.see_returned_changed(w, [OTHER])),
    Step("see undeleted", lambda w, _: comparison.see_undeleted(w, [OTHER])),
    Step("see reversed twice", lambda w, _: comparison.see_reversed_twice(w)),
    Step("see reversed once", lambda w, _: comparison.see_reversed_once(w)),
    *(Step(f"person: {action.value}", _by_person(action)) for action in Action),
]
_REFUSALS = (ImpossibleChangeError, NotPossibleError, InvalidInputError)


def unproven(write_back: WriteBack) -> dict[tuple[AttemptKind, datetime], Any]:
    """Return what nothing proved, each attempt without its outcome."""
    attempts = (*write_back.unproven_posts, *write_back.unproven_deletions)
    return {
        (each.kind, each.stated_at): replace(each, outcome=Outcome.UNKNOWN) for each in attempts
    }


@given(steps=st.lists(st.sampled_from(STEPS), max_size=30))
def test_an_attempt_that_nothing_proved_is_never_forgotten(steps: list[Step]) -> None:
    """Only an answer about the attempt itself settles it, one attempt at a time."""
    write_back = a_write_back()
    for number, step in enumerate(steps):
        before = unproven(write_back)
        try:
            after = step.change(write_back, START + number * MINUTE)
        except _REFUSALS:
            continue
        left = unproven(after)
        settled = before.keys() - left.keys()
        assert {kind for kind, _ in settled} <= {step.settles}, step.name
        assert len(settled) <= 1, step.name
        assert all(left[place] == before[place] for place in before.keys() & left.keys())
        assert allows(write_back.state, after.state), step.name
        assert faults_of(write_back, after) == [] or settled, step.name
        write_back = after


@given(steps=st.lists(st.sampled_from(STEPS), max_size=30))
def test_a_late_look_is_left_while_an_attempt_stays_unproven(steps: list[Step]) -> None:
    write_back = a_write_back()
    for number, step in enumerate(each for each in steps if each.name != "late look"):
        try:
            write_back = step.change(write_back, START + number * MINUTE)
        except _REFUSALS:
            continue
        if unproven(write_back):
            assert write_back.late_look_at is not None, step.name


@given(steps=st.lists(st.sampled_from(STEPS), max_size=30))
def test_the_sums_for_older_workers_say_what_the_history_says(steps: list[Step]) -> None:
    write_back = a_write_back()
    for number, step in enumerate(steps):
        try:
            write_back = step.change(write_back, START + number * MINUTE)
        except _REFUSALS:
            continue
    assert write_back.with_history(write_back.history) == write_back


# --- it always fits into one item ---------------------------------------------------------------


def lost_posts(count: int, write_back: WriteBack | None = None) -> WriteBack:
    """Return a write-back with so many posts that nothing proved, each on a full invoice."""
    lost = write_back or a_write_back()
    listed = tuple(range(9_000_000, 9_000_000 + MAX_LISTED_PAYMENTS))
    for number in range(count):
        now = START + number * TIMINGS.quarantine
        stated = changes.state_post(
            lost, now, TIMINGS, balance_minor=11000, listed_ids=listed, member="M" * 100
        )
        lost = changes.note_unclear(stated, now, TIMINGS)
    return lost


def test_as_many_lost_posts_as_are_made_fit_into_one_item() -> None:
    item = encode(lost_posts(MAX_POSTS))
    check_storable(item)
    assert len(repr(item).encode()) < MAX_ITEM_BYTES


def test_a_write_back_that_is_refused_daily_for_years_stays_small() -> None:
    write_back = a_write_back()
    for day in range(3_000):
        now = START + timedelta(days=day)
        stated = changes.state_post(write_back, now, TIMINGS, balance_minor=1, listed_ids=(1,))
        write_back = changes.try_again(changes.refuse(stated, Reason.REFUSED), now)
    assert write_back.history.attempts == ()
    (tally,) = write_back.history.tallies
    assert (tally.outcome, tally.count) == (Outcome.REFUSED, 3_000)
    assert (tally.first_at, tally.last_at) == (START, START + timedelta(days=2_999))
