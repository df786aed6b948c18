"""A write-back takes one allocation into ConnectWise, and out again: a closed machine of states.

``states`` and ``change_table`` hold the possible, ``record`` and ``history`` the known, and
``changes`` and ``decisions`` every change: pure functions from one record to the next.
"""

from __future__ import annotations

from bridge.domain.write_back.history import AttemptKind, History, Outcome, StatedAttempt, Tally
from bridge.domain.write_back.reasons import Reason
from bridge.domain.write_back.record import (
    MAX_DELETIONS,
    MAX_LISTED_PAYMENTS,
    MAX_POSTS,
    Decision,
    DecisionKind,
    ShownPayment,
    WriteBack,
)
from bridge.domain.write_back.states import (
    ENDED_STATES,
    IN_FLIGHT_STATES,
    MAYBE_SENT_STATES,
    WriteBackState,
)
from bridge.domain.write_back.timings import LOOKS_AFTER, Books, Lease, Timings

__all__ = [
    "ENDED_STATES",
    "IN_FLIGHT_STATES",
    "LOOKS_AFTER",
    "MAX_DELETIONS",
    "MAX_LISTED_PAYMENTS",
    "MAX_POSTS",
    "MAYBE_SENT_STATES",
    "AttemptKind",
    "Books",
    "Decision",
    "DecisionKind",
    "History",
    "Lease",
    "Outcome",
    "Reason",
    "ShownPayment",
    "StatedAttempt",
    "Tally",
    "Timings",
    "WriteBack",
    "WriteBackState",
]
