"""A hint says that a record may have changed; the record itself is then fetched and compared."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bridge.domain.identity import RecordKind

MAX_HINT_ATTEMPTS = 14


class HintReason(StrEnum):
    CALLBACK = "callback"
    CONFLICT = "conflict"
    RETRY = "retry"
    WRITE_BACK = "write_back"
    COMPARISON = "comparison"
    SEARCH = "search"
    UNSETTLED = "unsettled"
    """ConnectWise showed a payment and its balance apart; they agree within seconds."""


@dataclass(frozen=True, slots=True)
class Hint:
    """A hint holds ids only, because it lies in a queue."""

    connection_id: str
    record_kind: RecordKind
    source_id: int
    reason: HintReason
    attempts: int = 0
    """The tries that found ConnectWise out of reach, or the record unsettled."""
