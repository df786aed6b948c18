"""A person decides about a write-back that waits, by one of the actions that are offered.

ConnectWise is left alone here. An action may not be offered where it could double, lose or give
away money unseen: ``retry`` is for a payment of ours that is surely absent, or one that is owned
and only read back or taken out; the other actions are named by their effect.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bridge.domain.errors import InvalidInputError, NotPossibleError
from bridge.domain.platform_payment import Target
from bridge.domain.problem import Action
from bridge.domain.write_back.change_table import CHANGES
from bridge.domain.write_back.changes import follow_up, look_now, try_again
from bridge.domain.write_back.reasons import Reason
from bridge.domain.write_back.record import (
    MAX_DECIDED_POSTS,
    Decision,
    DecisionKind,
    ShownPayment,
    WriteBack,
)
from bridge.domain.write_back.states import WriteBackState

MAX_REFERENCE_LENGTH = 100

_S = WriteBackState
ASKED_FIRST = frozenset({Reason.LOOKS_WRITTEN, Reason.POSSIBLE_DUPLICATE})
"""Before the first post, a person says whether it is to be made."""
_LOST = frozenset({Reason.PAYMENT_GONE, Reason.PAYMENT_REWRITTEN})


def may_stand(write_back: WriteBack) -> bool:
    """Tell whether a payment of ours may stand in ConnectWise that this write-back has yet to own,
    or stood there and may have been written anew."""
    was_posted = any(write_back.known_history.posts())
    is_lost = was_posted and write_back.psa_payment_id is None
    return bool(write_back.unproven_posts) or is_lost or write_back.reason in _LOST


def adoptable(write_back: WriteBack) -> tuple[ShownPayment, ...]:
    """Return the shown payments that may stand for ours: those of the same amount."""
    return tuple(p for p in write_back.shown if p.amount_minor == write_back.amount_minor)


def offered_actions(write_back: WriteBack) -> tuple[Action, ...]:
    """Return the actions that a person may take on a write-back as it stands."""
    if not write_back.needs_person and write_back.reason is Reason.NONE:
        return ()
    if write_back.may_be_in_flight:
        return (Action.LOOK,)
    if write_back.target is Target.ABSENT and not write_back.has_ended:
        return _offered_for_reversal(write_back)
    if write_back.needs_person or write_back.state is _S.PENDING:
        return _offered_for_post(write_back)
    if write_back.has_ended and write_back.reason is not Reason.STATUS_REFUSED:
        return (Action.MARK_DONE,)
    return (Action.RETRY, Action.MARK_DONE)


def _offered_for_post(write_back: WriteBack) -> tuple[Action, ...]:
    if write_back.psa_payment_id is not None and write_back.reason not in _LOST:
        return (Action.RETRY, Action.MARK_DONE)
    if not may_stand(write_back) and write_back.reason not in ASKED_FIRST:
        return (Action.RETRY, Action.MARK_DONE, Action.CANCEL)
    offered = []
    if write_back.reason is Reason.LOOKS_WRITTEN and not may_stand(write_back):
        # Nothing of ours was sent: to begin anew shows afresh what stands there.
        offered = [Action.RETRY]
    elif may_stand(write_back) and write_back.reason is not Reason.LATE_EFFECT:
        offered = [Action.LOOK]
    if write_back.needs_person and adoptable(write_back):
        offered.append(Action.ADOPT)
    if write_back.needs_person and may_be_posted(write_back):
        offered.append(Action.POST)
    return (*offered, Action.MARK_DONE, Action.CANCEL)


def may_be_posted(write_back: WriteBack) -> bool:
    """Tell whether a person may have it posted: both the list and the balance are free of a
    payment that may be ours."""
    if write_back.reason in ASKED_FIRST:
        return True
    is_unseen = write_back.reason is not Reason.PAYMENT_HIDDEN and not write_back.shown
    is_counted_out = len(write_back.unproven_posts) >= MAX_DECIDED_POSTS
    return may_stand(write_back) and is_unseen and not is_counted_out


def _offered_for_reversal(write_back: WriteBack) -> tuple[Action, ...]:
    is_owned = write_back.psa_payment_id is not None
    if not write_back.needs_person:
        return (Action.RETRY, Action.MARK_DONE)
    if write_back.reason is Reason.REVERSED_TWICE:
        return (Action.MARK_DONE,)
    if is_owned and (write_back.is_foreign or write_back.reason is Reason.REVERSE_BY_HAND):
        return (Action.MARK_DONE, Action.REVERSE_IN_BOOKS)
    if is_owned:
        return (Action.RETRY, Action.MARK_DONE, Action.REVERSE_IN_BOOKS)
    if write_back.reason is Reason.REVERSE_BY_HAND:
        return (Action.MARK_DONE, Action.CANCEL)
    first = Action.LOOK if may_stand(write_back) else Action.RETRY
    return (first, Action.MARK_DONE, Action.CANCEL)


# --- the effect of each action -------------------------------------------------------------------


def decided(
    write_back: WriteBack,
    action: Action,
    now: datetime,
    *,
    psa_payment_id: int | None = None,
    reference: str = "",
) -> WriteBack:
    """Return the write-back as a person's action leaves it.

    ``psa_payment_id`` names the payment to adopt, ``reference`` the entry that reversed it in the
    books. Raises NotPossibleError unless the action is offered, and InvalidInputError for a
    payment outside those shown, or a missing reference.
    """
    if action not in offered_actions(write_back):
        raise NotPossibleError("action_not_offered", _refusal_text(write_back))
    match action:
        case Action.RETRY | Action.LOOK:
            return _tried_again(write_back, now)
        case Action.POST:
            return _left_to_worker(write_back, Decision(DecisionKind.POST), now)
        case Action.ADOPT:
            return _left_to_worker(write_back, _adoption(write_back, psa_payment_id), now)
        case Action.CANCEL:
            return _ended(write_back, "cancel")
        case Action.REVERSE_IN_BOOKS:
            return _reversed_in_books(write_back, reference)
        case _:
            return _done(write_back)


def _refusal_text(write_back: WriteBack) -> str:
    if write_back.may_be_in_flight:
        return "A request is under way; decide when it is over."
    return "The write-back does not offer this action as it stands now."


def _tried_again(write_back: WriteBack, now: datetime) -> WriteBack:
    if write_back.may_be_in_flight:
        return look_now(write_back, now)
    if write_back.has_ended:
        return replace(write_back, reason=Reason.NONE, wants_follow_up=True, due_at=now)
    if write_back.needs_person and may_stand(write_back) and write_back.psa_payment_id is None:
        looked_at = _left_to_worker(write_back, Decision(DecisionKind.LOOK), now)
        return replace(looked_at, reason=write_back.reason)
    again = try_again(write_back, now)
    if write_back.target is Target.ABSENT and write_back.psa_payment_id is not None:
        again = replace(again, decision=Decision(DecisionKind.DELETE))
    # A write-back that goes on by itself stays shown until it got through.
    is_shown = may_stand(write_back) or not write_back.needs_person
    return replace(again, reason=write_back.reason if is_shown else Reason.NONE)


def _adoption(write_back: WriteBack, psa_payment_id: int | None) -> Decision:
    if psa_payment_id not in {each.psa_payment_id for each in adoptable(write_back)}:
        raise InvalidInputError(
            "name one of the payments that the problem shows, of the same amount",
            field="connectwise_payment_id",
        )
    return Decision(DecisionKind.ADOPT, psa_payment_id)


def _left_to_worker(write_back: WriteBack, decision: Decision, now: datetime) -> WriteBack:
    """Leave it to a worker, which looks at ConnectWise afresh under the lease before it acts."""
    return replace(
        write_back,
        state=CHANGES["decide"].target,
        decision=decision,
        psa_payment_id=None,
        reason=Reason.NONE,
        waits=0,
        due_at=now,
        wants_follow_up=False,
    )


def _reversed_in_books(write_back: WriteBack, reference: str) -> WriteBack:
    if not reference.strip():
        raise InvalidInputError("name the entry that reversed it", field="reference")
    short = reference.strip()[:MAX_REFERENCE_LENGTH]
    return replace(_ended(write_back, "reverse_in_books"), hand_reference=short)


def _done(write_back: WriteBack) -> WriteBack:
    """Note that a person has seen to the trouble that was shown."""
    if write_back.has_ended and write_back.reason is Reason.PAYMENT_CHANGED:
        # A person's edit of it holds from now on, and it is theirs to take out again.
        return _ended(write_back, "mark_done")
    acknowledged = acknowledge(write_back)
    if write_back.has_ended:
        return acknowledged
    if write_back.is_at_target:
        return follow_up(acknowledged, acknowledged.reason)
    if write_back.needs_person and write_back.is_written and write_back.reason not in _LOST:
        # It stays ours: a return takes it out again.
        accepted = replace(acknowledged, state=CHANGES["accept"].target)
        return follow_up(accepted, accepted.reason)
    if write_back.target is Target.ABSENT:
        return _taken_out(write_back)
    return _ended(write_back, "mark_done")


def _taken_out(write_back: WriteBack) -> WriteBack:
    """Note that a person took the payment out, or edited it so that it stopped being ours."""
    if write_back.psa_payment_id is not None and not write_back.needs_person:
        # It is about to be taken out: only the reason shown before is seen to.
        return acknowledge(write_back)
    if write_back.reason is Reason.PAYMENT_CHANGED:
        return _ended(write_back, "cancel")
    return _ended(write_back, "mark_taken_out")


def acknowledge(write_back: WriteBack) -> WriteBack:
    """Note that a person has seen to the reason; a lasting one behind it is shown now."""
    is_shown = write_back.reason is write_back.lasting_reason
    left = Reason.NONE if is_shown else write_back.missing_reason
    return replace(write_back, reason=left, lasting_reason=left, shown=())


def _ended(write_back: WriteBack, name: str) -> WriteBack:
    return replace(
        acknowledge(write_back),
        state=CHANGES[name].target,
        due_at=None,
        wants_follow_up=False,
        waits=0,
    )
