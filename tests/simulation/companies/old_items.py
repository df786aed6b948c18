"""A write-back as the release before read and changed it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bridge.domain.errors import MalformedRecordError
from bridge.domain.platform_payment import Target
from bridge.domain.write_back import History, Reason, WriteBack
from bridge.domain.write_back import WriteBackState as S
from bridge.ports import PsaPayment

FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)
MAX_POSTS = 5
MAX_DELETIONS = 5
DISCONNECTED_RETRY = timedelta(hours=1)
ENDED = frozenset({S.CONFIRMED, S.REVERSED, S.CANCELLED, S.DONE_BY_HAND})
IN_FLIGHT = frozenset({S.POSTING, S.UNCLEAR, S.REVERSING})
UNKNOWN_REASONS = frozenset(
    {
        Reason.TOO_MANY_PAYMENTS,
        Reason.NOTHING_OWED,
        Reason.POSSIBLE_DUPLICATE,
        Reason.LOOKS_WRITTEN,
        Reason.PAYMENT_HIDDEN,
        Reason.STOPPED,
        Reason.DELETION_IGNORED,
        Reason.REVERSED_TWICE,
        Reason.PAYMENT_DISPUTED,
    }
)
UNKNOWN_FIELDS: dict[str, Any] = {
    "look_at": None,
    "history": History(),
    "decision": None,
    "shown": (),
    "late_look_at": None,
    "listed_on": None,
    "is_foreign": False,
    "refusal": "",
    "overpaid_minor": 0,
    "hand_reference": "",
}


def as_read(write_back: WriteBack) -> WriteBack:
    """Return a stored write-back as such a worker reads it.

    Raises MalformedRecordError for a state or reason that it does not know.
    """
    is_unknown = (
        write_back.reason in UNKNOWN_REASONS or write_back.lasting_reason in UNKNOWN_REASONS
    )
    if write_back.state is S.REVERSED_BY_HAND or is_unknown:
        raise MalformedRecordError("stored WriteBack cannot be read")
    return replace(write_back, **UNKNOWN_FIELDS)


def has_ended(item: WriteBack) -> bool:
    if item.wants_follow_up:
        return False
    if item.target is Target.POSTED:
        return item.state in ENDED
    return item.target is Target.NONE or item.state in (S.REVERSED, S.CANCELLED)


def is_drivable(item: WriteBack, now: datetime) -> bool:
    if has_ended(item) or item.target is Target.NONE:
        return False
    needs_person = item.state in (S.REJECTED, S.MANUAL)
    if needs_person and (item.target is Target.POSTED or item.due_at is None):
        return False
    return item.due_at is None or item.due_at <= now


# --- what becomes of an item ---------------------------------------------------------------------


def is_like(item: WriteBack, row: PsaPayment, member: str) -> bool:
    is_as_large = row.amount_minor == item.amount_minor and row.paid_on == item.paid_on
    return not row.is_credit and is_as_large and row.applied_by.casefold() == member.casefold()


def manual(item: WriteBack, reason: Reason) -> WriteBack:
    return replace(item, state=S.MANUAL, reason=reason, due_at=None, wants_follow_up=False, waits=0)


def rejected(item: WriteBack, reason: Reason) -> WriteBack:
    posts = max(0, item.posts - 1)
    left = replace(item, reason=reason, due_at=None, intent_at=None, posts=posts, waits=0)
    return replace(left, state=S.REJECTED)


def reversed_(item: WriteBack, now: datetime) -> WriteBack:
    wants_follow_up = item.psa_payment_id is not None
    due_at = now if wants_follow_up else None
    gone = replace(item, state=S.REVERSED, due_at=due_at, reason=Reason.NONE, waits=0)
    return replace(gone, wants_follow_up=wants_follow_up)


def followed_up(item: WriteBack, reason: Reason) -> WriteBack:
    return replace(item, due_at=None, wants_follow_up=False, reason=reason, waits=0)


def delayed(item: WriteBack, now: datetime) -> WriteBack:
    due_at = now + min(FIRST_WAIT * 2**item.waits, LONGEST_WAIT)
    if item.state in IN_FLIGHT and item.due_at is not None:
        due_at = max(due_at, item.due_at)
    reason = Reason.NO_ANSWER if item.waits >= 4 and item.reason is Reason.NONE else item.reason
    return replace(item, waits=min(item.waits + 1, 10), reason=reason, due_at=due_at)
