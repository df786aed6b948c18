"""Every change of a write-back is made here: pure functions from one record to the next.

ConnectWise's payments lack an idempotency key and a reference field, and a request whose answer
was lost may still take effect later. So a payment may be posted only

1. by the holder of the invoice's lease, which stated its intent before it sent anything,
2. after the invoice's payments were listed, free of any that an attempt may have made,
3. after any earlier attempt is surely over: its quarantine forbids another post.

Each function that moves a write-back to another state is named in :data:`CHANGES`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bridge.domain.platform_payment import Target
from bridge.domain.write_back.change_table import move
from bridge.domain.write_back.history import AttemptKind, History, Outcome, StatedAttempt
from bridge.domain.write_back.reasons import Reason
from bridge.domain.write_back.record import MAX_SHOWN_ROWS, ShownPayment, WriteBack
from bridge.domain.write_back.states import MAYBE_SENT_STATES
from bridge.domain.write_back.timings import FIRST_LOOK_AFTER, Timings

FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)
MAX_WAITS_COUNTED = 10
WAITS_UNSEEN = 4
"""After so many waits in a row, a quarter of an hour together, a person is told."""


def _settle(write_back: WriteBack, history: History) -> WriteBack:
    """Note a history; once every attempt is proven, the late look is dropped."""
    settled = write_back.with_history(history)
    kinds = (AttemptKind.POST, AttemptKind.DELETION)
    is_proven = not any(history.unproven(kind) for kind in kinds)
    return replace(settled, late_look_at=None) if is_proven else settled


def _with_late_look(write_back: WriteBack, now: datetime, timings: Timings) -> datetime:
    """Return the time of the next late look, once an attempt is stated now: that of an earlier
    attempt comes first."""
    return min(write_back.late_look_at or timings.late_look(now), timings.late_look(now))


# --- the post ------------------------------------------------------------------------------------


def state_post(
    write_back: WriteBack,
    now: datetime,
    timings: Timings,
    *,
    balance_minor: int,
    listed_ids: Sequence[int] = (),
    member: str = "",
) -> WriteBack:
    """State the intent to post; from now on the attempt may take effect."""
    attempt = StatedAttempt(
        AttemptKind.POST,
        now,
        member=member,
        balance_minor=balance_minor,
        listed_ids=tuple(listed_ids),
    )
    stated = write_back.with_history(write_back.known_history.with_stated(attempt))
    return move(
        stated,
        "state_post",
        due_at=timings.quarantine_end(now),
        look_at=now + timings.attempt,
        late_look_at=_with_late_look(write_back, now, timings),
        posted_as=member,
        lasting_reason=write_back.missing_reason,
        decision=None,
        shown=(),
    )


def note_unsent(write_back: WriteBack) -> WriteBack:
    """Note that the post failed before it reached a socket: ConnectWise is as before."""
    history = write_back.known_history.with_outcome(AttemptKind.POST, Outcome.NOT_SENT)
    return move(_settle(write_back, history), "note_unsent")


def note_unclear(write_back: WriteBack, now: datetime, timings: Timings) -> WriteBack:
    """Note that the post was sent and its outcome is unproven: it is looked for.

    The worker looks at once, and once more soon after, however long the answer was waited for.
    """
    history = write_back.known_history.with_outcome(AttemptKind.POST, Outcome.UNKNOWN)
    unclear = look_again(move(write_back.with_history(history), "note_unclear"), now, timings)
    return replace(unclear, look_at=now + FIRST_LOOK_AFTER)


def refuse(write_back: WriteBack, reason: Reason, refusal: str = "") -> WriteBack:
    """Note that ConnectWise refused the post with a code of its own; earlier attempts stay."""
    history = write_back.known_history.with_outcome(AttemptKind.POST, Outcome.REFUSED)
    return move(
        _settle(write_back, history),
        "refuse",
        reason=reason,
        refusal=refusal,
        due_at=None,
        look_at=None,
        waits=0,
    )


def confirm(
    write_back: WriteBack,
    psa_payment_id: int,
    now: datetime,
    *,
    applied_by: str = "",
    stated_at: datetime | None = None,
    is_exact: bool = True,
    is_foreign: bool = False,
    was_found: bool = False,
) -> WriteBack:
    """Own a payment that stands there, from now on. It is read back next.

    ``stated_at`` names the post that made it, None if that is unknown or somebody else's, and
    ``was_found`` tells that a list shows it, and no answer.
    """
    history = write_back.known_history
    if stated_at is not None:
        history = history.with_outcome(
            AttemptKind.POST,
            Outcome.PROVEN,
            psa_payment_id=psa_payment_id,
            stated_at=stated_at,
            is_exact=is_exact,
            was_found=was_found,
        )
    return move(
        _settle(write_back, history),
        "confirm",
        psa_payment_id=psa_payment_id,
        posted_as=applied_by or write_back.posted_as,
        is_foreign=is_foreign,
        due_at=now,
        look_at=None,
        reason=Reason.NONE,
        wants_follow_up=True,
        waits=0,
        lasting_reason=write_back.missing_reason,
        decision=None,
        shown=(),
        refusal="",
        overpaid_minor=0,
    )


# --- the deletion --------------------------------------------------------------------------------


def state_deletion(write_back: WriteBack, now: datetime, timings: Timings) -> WriteBack:
    """State the intent to delete the payment that this write-back owns."""
    attempt = StatedAttempt(AttemptKind.DELETION, now, psa_payment_id=write_back.psa_payment_id)
    stated = write_back.with_history(write_back.known_history.with_stated(attempt))
    return move(
        stated,
        "state_deletion",
        due_at=timings.quarantine_end(now),
        look_at=None,
        decision=None,
        late_look_at=_with_late_look(write_back, now, timings),
    )


def note_undeleted(write_back: WriteBack) -> WriteBack:
    """Note that the deletion failed before it reached a socket."""
    history = write_back.known_history.with_outcome(AttemptKind.DELETION, Outcome.NOT_SENT)
    return move(_settle(write_back, history), "note_undeleted")


def note_deletion_unclear(write_back: WriteBack) -> WriteBack:
    """Note that the deletion was sent and its outcome is unproven."""
    history = write_back.known_history.with_outcome(AttemptKind.DELETION, Outcome.UNKNOWN)
    return write_back.with_history(history)


def note_undeleted_by_refusal(write_back: WriteBack) -> WriteBack:
    """Note that ConnectWise refused the deletion with a code of its own; a person decides."""
    history = write_back.known_history.with_outcome(AttemptKind.DELETION, Outcome.REFUSED)
    return _settle(write_back, history)


def note_deleted(write_back: WriteBack) -> WriteBack:
    """Note ConnectWise's answer that the deletion took effect."""
    history = write_back.known_history.with_outcome(AttemptKind.DELETION, Outcome.PROVEN)
    return _settle(write_back, history)


def reverse(write_back: WriteBack, now: datetime) -> WriteBack:
    """Note that our payment is out of ConnectWise again, or stayed outside from the start."""
    wants_follow_up = write_back.psa_payment_id is not None
    return move(
        write_back,
        "reverse",
        due_at=now if wants_follow_up else None,
        look_at=None,
        reason=write_back.missing_reason,
        wants_follow_up=wants_follow_up,
        waits=0,
        decision=None,
        shown=(),
        refusal="",
    )


def call_off(write_back: WriteBack, now: datetime) -> WriteBack:
    """Leave a payment out of ConnectWise that was undone and is absent there."""
    return reverse(replace(write_back, target=Target.ABSENT), now)


# --- the billing status --------------------------------------------------------------------------


def state_status(write_back: WriteBack, now: datetime) -> WriteBack:
    """State a change of the invoice's billing status."""
    attempt = StatedAttempt(AttemptKind.STATUS, now)
    return write_back.with_history(write_back.known_history.with_stated(attempt))


def note_status(write_back: WriteBack, outcome: Outcome) -> WriteBack:
    """Note the outcome of the change of status that was stated last."""
    return write_back.with_history(
        write_back.known_history.with_outcome(AttemptKind.STATUS, outcome)
    )


# --- waits ---------------------------------------------------------------------------------------


def delay(write_back: WriteBack, now: datetime, timings: Timings) -> WriteBack:
    """Look again, each time later; if that goes on, a person is told."""
    if write_back.is_quarantined(now, timings):
        return look_again(write_back, now, timings)
    is_seen = write_back.waits >= WAITS_UNSEEN and write_back.reason is Reason.NONE
    return replace(
        write_back,
        waits=min(write_back.waits + 1, MAX_WAITS_COUNTED),
        reason=Reason.NO_ANSWER if is_seen else write_back.reason,
        due_at=now + min(FIRST_WAIT * 2**write_back.waits, LONGEST_WAIT),
        look_at=None,
    )


def look_again(write_back: WriteBack, now: datetime, timings: Timings) -> WriteBack:
    """Look again soon: for an unproven post at its next look, else in a minute."""
    if not write_back.is_quarantined(now, timings):
        return replace(write_back, due_at=now + FIRST_WAIT, look_at=None)
    unproven = (*write_back.unproven_posts, *write_back.unproven_deletions)
    stated_at = max(each.stated_at for each in unproven)
    next_look = timings.next_look(stated_at, now)
    is_post = write_back.state in MAYBE_SENT_STATES
    return replace(
        write_back,
        due_at=timings.quarantine_end(stated_at),
        look_at=next_look if is_post else None,
    )


def look_now(write_back: WriteBack, now: datetime) -> WriteBack:
    """Look for an unclear post now; every other step waits for its quarantine."""
    return replace(write_back, waits=0, look_at=now)


def postpone(write_back: WriteBack, until: datetime) -> WriteBack:
    """Wait until then, while somebody else holds the invoice."""
    return replace(write_back, due_at=until, look_at=None)


def wait_with_reason(write_back: WriteBack, reason: Reason, due_at: datetime) -> WriteBack:
    """Wait and tell a person why; it goes on by itself."""
    return replace(write_back, reason=reason, due_at=due_at, look_at=None)


def finish_late_look(write_back: WriteBack, now: datetime, timings: Timings) -> WriteBack:
    """Note that the invoice was compared once more, long after an unproven attempt; each attempt
    that was stated later has a late look of its own. A young one is looked at anew.

    A later post that a list proved counts, too: the payment that was found may be the earlier
    one's, and its own may still come.
    """
    stated_at = write_back.last_stated_at
    if stated_at is not None and write_back.is_young(now, timings):
        return replace(write_back, late_look_at=timings.quarantine_end(stated_at))
    unproven = (*write_back.unproven_posts, *write_back.unproven_deletions)
    since = min((each.stated_at for each in unproven), default=now)
    posts = write_back.known_history.posts()
    later = (each for each in posts if each.was_found and each.stated_at > since)
    planned = (timings.late_look(each.stated_at) for each in (*unproven, *later))
    return replace(write_back, late_look_at=min((at for at in planned if at > now), default=None))


# --- decisions of a person or a later look -------------------------------------------------------


def hand_over(
    write_back: WriteBack, reason: Reason, shown: Sequence[ShownPayment] = (), refusal: str = ""
) -> WriteBack:
    """Leave it to a person, with the reason and the payments that it is about."""
    return move(
        with_lasting_reason(write_back, reason),
        "hand_over",
        reason=reason,
        shown=tuple(shown)[:MAX_SHOWN_ROWS],
        refusal=refusal or write_back.refusal,
        due_at=None,
        look_at=None,
        wants_follow_up=False,
        waits=0,
        decision=None,
    )


def with_lasting_reason(write_back: WriteBack, reason: Reason) -> WriteBack:
    """Remember a reason that lasts: on a paid invoice, a person may have entered ours."""
    if reason is Reason.OTHERS_REPLACED:
        return replace(write_back, lasting_reason=reason)
    if reason in (Reason.PAID_BY_HAND, Reason.OVERPAYMENT) and write_back.psa_payment_id is None:
        return replace(write_back, lasting_reason=Reason.PAID_BY_HAND)
    return write_back


def try_again(write_back: WriteBack, now: datetime) -> WriteBack:
    """Try again after the obstacle seems to be over; its reason stands until that is sure.

    A payment that is owned stands there: it is read back or taken out, and its post is over. A
    request that may be under way is only looked for. A follow-up that was left is made.
    """
    if write_back.may_be_in_flight:
        return look_now(write_back, now)
    is_owned = write_back.psa_payment_id is not None
    is_left = write_back.wants_follow_up and write_back.is_at_target
    if write_back.needs_person:
        write_back = move(write_back, "read_again" if is_owned else "try_again")
    return replace(
        write_back,
        waits=0,
        due_at=now,
        wants_follow_up=is_left or (is_owned and write_back.target is Target.POSTED),
    )


def follow_up(write_back: WriteBack, reason: Reason) -> WriteBack:
    """Note that the invoice was read back and its status seen to; a reason is for a person."""
    return replace(
        with_lasting_reason(write_back, reason),
        due_at=None,
        wants_follow_up=False,
        reason=reason,
        shown=(),
        waits=0,
    )


def retarget(
    write_back: WriteBack, target: Target, now: datetime, *, is_called_off: bool = False
) -> WriteBack:
    """Follow the payment, which moved on, to its new target."""
    moved = replace(write_back, is_called_off=is_called_off)
    if target is write_back.target:
        return moved
    due_at = write_back.due_at if write_back.state in MAYBE_SENT_STATES else now
    return replace(moved, target=target, due_at=due_at)
