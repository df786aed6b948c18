"""A write-back is in one of these states; ``changes`` holds the ways between them."""

from __future__ import annotations

from enum import StrEnum


class WriteBackState(StrEnum):
    """Each state says what is known of the payment in ConnectWise, and who acts next."""

    PENDING = "pending"
    """A worker acts next: it looks, and then may post. Earlier posts stand in the history."""
    POSTING = "posting"
    """A worker stated that it posts the payment, and has yet to store the outcome."""
    UNCLEAR = "unclear"
    """The post was sent and its outcome is unproven: workers look for the payment."""
    CONFIRMED = "confirmed"
    """ConnectWise shows the payment that this write-back owns."""
    REJECTED = "rejected"
    """ConnectWise refused the last post with a code of its own: a person or a later try decides."""
    MANUAL = "manual"
    """A person decides, and sees the reason with the payments that it is about."""
    REVERSING = "reversing"
    """A worker stated that it deletes the payment, and the outcome is still unproven."""
    REVERSED = "reversed"
    """The payment is out of ConnectWise again, or stayed outside from the start."""
    CANCELLED = "cancelled"
    """A person said that the payment is to stay out of ConnectWise."""
    DONE_BY_HAND = "done_by_hand"
    """A person entered the payment in ConnectWise."""
    REVERSED_BY_HAND = "reversed_by_hand"
    """A person reversed the payment in the books; its row stays in ConnectWise."""


_S = WriteBackState
ENDED_STATES = frozenset(
    {_S.CONFIRMED, _S.REVERSED, _S.CANCELLED, _S.DONE_BY_HAND, _S.REVERSED_BY_HAND}
)
MAYBE_SENT_STATES = frozenset({_S.POSTING, _S.UNCLEAR})
IN_FLIGHT_STATES = MAYBE_SENT_STATES | {_S.REVERSING}
PERSONS_STATES = frozenset({_S.REJECTED, _S.MANUAL})
