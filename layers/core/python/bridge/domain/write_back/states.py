"""A write-back is in one of these states."""

from __future__ import annotations

from enum import StrEnum


class WriteBackState(StrEnum):
    """``pending``: nothing was sent. ``posting``: a worker stated that it sends. ``unclear``:
    sent, and no clear answer. ``manual``: a person decides. ``reversing``: a deletion was stated.
    ``done_by_hand``: a person entered the payment in ConnectWise."""

    PENDING = "pending"
    POSTING = "posting"
    UNCLEAR = "unclear"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    MANUAL = "manual"
    REVERSING = "reversing"
    REVERSED = "reversed"
    CANCELLED = "cancelled"
    DONE_BY_HAND = "done_by_hand"


_S = WriteBackState
ENDED_STATES = frozenset({_S.CONFIRMED, _S.REVERSED, _S.CANCELLED, _S.DONE_BY_HAND})
MAYBE_SENT_STATES = frozenset({_S.POSTING, _S.UNCLEAR})
