"""A write-back is changed here by its comparison with ConnectWise, after it was written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from bridge.domain.platform_payment import Target
from bridge.domain.write_back.change_table import move
from bridge.domain.write_back.history import AttemptKind, Outcome
from bridge.domain.write_back.reasons import Reason
from bridge.domain.write_back.record import MAX_SHOWN_ROWS, ShownPayment, WriteBack
from bridge.domain.write_back.states import WriteBackState

MAX_IDLE_DELETIONS = 3
"""So many deletions of one payment are answered at most while it stands there; then a person
decides."""


def miss(write_back: WriteBack, reason: Reason, shown: Sequence[ShownPayment] = ()) -> WriteBack:
    """Note that our payment is missing: gone, or perhaps written anew by another tool."""
    return move(
        write_back,
        "miss",
        reason=reason,
        shown=tuple(shown)[:MAX_SHOWN_ROWS],
        due_at=None,
        wants_follow_up=False,
        waits=0,
    )


def find_again(write_back: WriteBack) -> WriteBack:
    """Note that our payment is listed again."""
    return move(write_back, "find_again", reason=write_back.missing_reason, shown=())


def see_returned(write_back: WriteBack, now: datetime) -> WriteBack:
    """Note that our payment stands there again as we made it; it is taken out once more."""
    return move(write_back, "see_returned", due_at=now)


def see_returned_changed(write_back: WriteBack, shown: Sequence[ShownPayment]) -> WriteBack:
    """Note that our payment stands there again, and that somebody edited it."""
    return _left_to_person(move(write_back, "see_returned_changed"), Reason.PAYMENT_CHANGED, shown)


def has_idle_deletions(write_back: WriteBack) -> bool:
    """Tell whether so many deletions were answered that one more would be in vain."""
    answered = write_back.known_history.count(AttemptKind.DELETION, Outcome.PROVEN)
    return answered >= MAX_IDLE_DELETIONS


def see_undeleted(write_back: WriteBack, shown: Sequence[ShownPayment]) -> WriteBack:
    """Note that our payment stands there still, though ConnectWise answered each deletion."""
    return _left_to_person(move(write_back, "see_undeleted"), Reason.DELETION_IGNORED, shown)


def see_reversed_twice(write_back: WriteBack) -> WriteBack:
    """Note that our payment is out of ConnectWise, and reversed by an entry of a person's, too."""
    return _left_to_person(move(write_back, "see_reversed_twice"), Reason.REVERSED_TWICE)


def see_reversed_once(write_back: WriteBack) -> WriteBack:
    """Note that the payment that a person reversed in the books is listed again."""
    return move(write_back, "see_reversed_once", reason=write_back.missing_reason, shown=())


def _left_to_person(
    write_back: WriteBack, reason: Reason, shown: Sequence[ShownPayment] = ()
) -> WriteBack:
    return replace(
        write_back,
        reason=reason,
        shown=tuple(shown)[:MAX_SHOWN_ROWS],
        due_at=None,
        wants_follow_up=False,
    )


def see_late(write_back: WriteBack, now: datetime, shown: Sequence[ShownPayment]) -> WriteBack:
    """Let a person decide about a payment of our post that came late, or was hidden. If the target
    is ``absent``, a worker owns it and takes it out."""
    return move(
        write_back,
        "see_late",
        reason=Reason.LATE_EFFECT,
        shown=tuple(shown)[:MAX_SHOWN_ROWS],
        psa_payment_id=None,
        was_done_by_hand=write_back.state is WriteBackState.DONE_BY_HAND,
        due_at=now if write_back.target is Target.ABSENT else None,
        wants_follow_up=False,
    )


def note_reason(
    write_back: WriteBack, reason: Reason, shown: Sequence[ShownPayment] = ()
) -> WriteBack:
    """Show a person something of a payment that stays written, or take it away again."""
    return replace(write_back, reason=reason, shown=tuple(shown)[:MAX_SHOWN_ROWS])


def note_overpaid(write_back: WriteBack, overpaid_minor: int) -> WriteBack:
    """Note the amount that was paid beyond the debt."""
    return replace(write_back, overpaid_minor=overpaid_minor)


def read_back_again(write_back: WriteBack, now: datetime) -> WriteBack:
    """Have the invoice of a written payment read back once more."""
    return replace(write_back, wants_follow_up=True, due_at=now)


def note_listed_day(write_back: WriteBack, listed_on: date | None) -> WriteBack:
    """Note the day that ConnectWise lists for our payment, if it is another than ours."""
    differs = listed_on is not None and listed_on != write_back.paid_on
    return replace(write_back, listed_on=listed_on if differs else None)
