"""A write-back that was proven long ago rests: it is looked at monthly instead of hourly."""

from __future__ import annotations

from datetime import datetime, timedelta

from bridge.domain.write_back.reasons import Reason
from bridge.domain.write_back.record import WriteBack
from bridge.domain.write_back.states import ENDED_STATES

RESTS_AFTER = timedelta(days=60)


def may_rest(write_back: WriteBack, now: datetime) -> bool:
    """Tell whether it ended long ago, with a proof for each attempt, and is of no concern since.

    A change of any kind ends the rest.
    """
    is_settled = write_back.has_ended and write_back.state in ENDED_STATES
    concerns = (write_back.reason, write_back.lasting_reason) != (Reason.NONE, Reason.NONE)
    is_open = concerns or write_back.decision is not None or write_back.next_look_at is not None
    is_proven = not write_back.unproven_posts and not write_back.unproven_deletions
    return is_settled and is_proven and not is_open and _moved_at(write_back) <= now - RESTS_AFTER


def _moved_at(write_back: WriteBack) -> datetime:
    """Return when the last attempt was stated, or else when the write-back was made."""
    history = write_back.known_history
    stated = [attempt.stated_at for attempt in history.attempts]
    counted = [tally.last_at for tally in history.tallies]
    return max([write_back.created_at, *stated, *counted])
