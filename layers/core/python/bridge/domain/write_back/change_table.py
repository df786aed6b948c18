"""The table holds every way from one state of a write-back to another.

``changes`` makes them, and every one of them asks this table. The picture and the table of the
page on write-backs are made from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from bridge.domain.write_back.history import StatedAttempt
from bridge.domain.write_back.record import WriteBack
from bridge.domain.write_back.states import WriteBackState

_S = WriteBackState
_OPEN = frozenset({_S.PENDING, _S.POSTING, _S.UNCLEAR, _S.REJECTED, _S.MANUAL})


class Actor(StrEnum):
    """An actor makes a change."""

    WORKER = "worker"
    COMPARISON = "comparison"
    PERSON = "person"
    RETRY_RULES = "retry rules"


@dataclass(frozen=True, slots=True)
class Change:
    """A change leads from some states to one state."""

    actor: Actor
    sources: frozenset[WriteBackState]
    target: WriteBackState
    meaning: str


CHANGES: Mapping[str, Change] = {
    "state_post": Change(
        Actor.WORKER,
        frozenset({_S.PENDING, _S.POSTING, _S.UNCLEAR}),
        _S.POSTING,
        "The intent to post is stored, with the balance and payments of before.",
    ),
    "note_unsent": Change(
        Actor.WORKER,
        frozenset({_S.POSTING}),
        _S.PENDING,
        "The post failed before it reached a socket.",
    ),
    "note_unclear": Change(
        Actor.WORKER,
        frozenset({_S.POSTING}),
        _S.UNCLEAR,
        "The post was sent, and its outcome is unproven.",
    ),
    "refuse": Change(
        Actor.WORKER,
        frozenset({_S.POSTING}),
        _S.REJECTED,
        "ConnectWise refused the post with a code of its own.",
    ),
    "confirm": Change(
        Actor.WORKER,
        _OPEN,
        _S.CONFIRMED,
        "The payment stands there: answered, found by proof, or adopted by a person.",
    ),
    "hand_over": Change(
        Actor.WORKER,
        _OPEN | {_S.CONFIRMED, _S.REVERSING, _S.DONE_BY_HAND},
        _S.MANUAL,
        "Only a person can decide the next step.",
    ),
    "state_deletion": Change(
        Actor.WORKER,
        frozenset({_S.CONFIRMED, _S.REVERSING, _S.REJECTED, _S.MANUAL}),
        _S.REVERSING,
        "The intent to delete exactly our payment is stored.",
    ),
    "note_undeleted": Change(
        Actor.WORKER,
        frozenset({_S.REVERSING}),
        _S.CONFIRMED,
        "The deletion failed before it reached a socket.",
    ),
    "reverse": Change(
        Actor.WORKER,
        _OPEN | {_S.CONFIRMED, _S.REVERSING},
        _S.REVERSED,
        "Our payment is out of ConnectWise again, or stayed outside from the start.",
    ),
    "miss": Change(
        Actor.COMPARISON,
        frozenset({_S.CONFIRMED}),
        _S.MANUAL,
        "Our payment is missing in ConnectWise.",
    ),
    "find_again": Change(
        Actor.COMPARISON,
        frozenset({_S.MANUAL}),
        _S.CONFIRMED,
        "Our payment is listed again.",
    ),
    "see_returned": Change(
        Actor.COMPARISON,
        frozenset({_S.REVERSED}),
        _S.CONFIRMED,
        "The payment stands there again, as we made it: it is taken out once more.",
    ),
    "see_returned_changed": Change(
        Actor.COMPARISON,
        frozenset({_S.REVERSED}),
        _S.MANUAL,
        "The payment stands there again, and somebody edited it.",
    ),
    "see_undeleted": Change(
        Actor.COMPARISON,
        frozenset({_S.REVERSED}),
        _S.MANUAL,
        "The payment stands there still, though its deletion was answered several times.",
    ),
    "see_reversed_twice": Change(
        Actor.COMPARISON,
        frozenset({_S.REVERSED_BY_HAND}),
        _S.MANUAL,
        "The payment that a person reversed in the books is missing in ConnectWise, too.",
    ),
    "see_reversed_once": Change(
        Actor.COMPARISON,
        frozenset({_S.MANUAL}),
        _S.REVERSED_BY_HAND,
        "The payment that a person reversed in the books is listed again.",
    ),
    "see_late": Change(
        Actor.COMPARISON,
        frozenset({_S.DONE_BY_HAND, _S.CANCELLED, _S.REVERSED}),
        _S.MANUAL,
        "A payment that our post may have made stands there, though the write-back had ended.",
    ),
    "try_again": Change(
        Actor.RETRY_RULES,
        frozenset({_S.REJECTED, _S.MANUAL}),
        _S.PENDING,
        "The obstacle seems to be over, and the write-back has yet to own a payment.",
    ),
    "read_again": Change(
        Actor.RETRY_RULES,
        frozenset({_S.REJECTED, _S.MANUAL}),
        _S.CONFIRMED,
        "The obstacle seems to be over, and the write-back owns a payment.",
    ),
    "decide": Change(
        Actor.PERSON,
        frozenset({_S.REJECTED, _S.MANUAL}),
        _S.PENDING,
        "A person asks for a post or a look, or names the payment to adopt.",
    ),
    "accept": Change(
        Actor.PERSON,
        frozenset({_S.REJECTED, _S.MANUAL}),
        _S.CONFIRMED,
        "A person has seen to it, and our payment stays ours.",
    ),
    "mark_done": Change(
        Actor.PERSON,
        frozenset({_S.PENDING, _S.REJECTED, _S.MANUAL, _S.CONFIRMED}),
        _S.DONE_BY_HAND,
        "A person entered the payment in ConnectWise, or stands by an edit of it.",
    ),
    "mark_taken_out": Change(
        Actor.PERSON,
        frozenset({_S.PENDING, _S.REJECTED, _S.MANUAL, _S.CONFIRMED, _S.DONE_BY_HAND}),
        _S.REVERSED,
        "A person took the payment out in ConnectWise.",
    ),
    "cancel": Change(
        Actor.PERSON,
        frozenset({_S.PENDING, _S.REJECTED, _S.MANUAL, _S.CONFIRMED}),
        _S.CANCELLED,
        "A person says that the payment is to stay out of ConnectWise.",
    ),
    "reverse_in_books": Change(
        Actor.PERSON,
        frozenset({_S.REJECTED, _S.MANUAL}),
        _S.REVERSED_BY_HAND,
        "A person reversed the payment in the books; its row stays.",
    ),
}


def allows(before: WriteBackState, after: WriteBackState) -> bool:
    """Tell whether some change leads from one state to the other; staying is always allowed."""
    if before is after:
        return True
    return any(before in change.sources and after is change.target for change in CHANGES.values())


class ImpossibleChangeError(ValueError):
    """The change leads away from other states than the one that the write-back is in."""

    def __init__(self, name: str, write_back: WriteBack) -> None:
        super().__init__(f"{name} is no change of a {write_back.state.value} write-back")


def move(write_back: WriteBack, name: str, **fields: Any) -> WriteBack:
    """Make a change of the table, with the fields that go with it."""
    change = CHANGES[name]
    if write_back.state not in change.sources:
        raise ImpossibleChangeError(name, write_back)
    return replace(write_back, state=change.target, **fields)


def faults_of(before: WriteBack, after: WriteBack) -> list[str]:
    """Return the faults of a stored change: a way that the table lacks, an unproven attempt that
    is forgotten, or another payment's identity."""
    faults = []
    if not allows(before.state, after.state):
        faults.append(f"{before.state.value} never becomes {after.state.value}")
    kept = {_place(each) for each in after.known_history.attempts}
    tallied = {tally.kind for tally in after.known_history.tallies}
    for attempt in before.known_history.attempts:
        is_settled = attempt.kind in tallied
        if attempt.is_unproven and _place(attempt) not in kept and not is_settled:
            faults.append(f"a {attempt.kind.value} that nothing proved was forgotten")
    if _identity(before) != _identity(after):
        faults.append("a write-back keeps its payment, invoice and amount")
    return faults


def _place(attempt: StatedAttempt) -> tuple[str, object]:
    return attempt.kind.value, attempt.stated_at


def _identity(write_back: WriteBack) -> tuple[object, ...]:
    return (
        write_back.write_back_id,
        write_back.partner_id,
        write_back.connection_id,
        write_back.invoice_source_id,
        write_back.amount_minor,
        write_back.currency,
        write_back.paid_on,
    )
