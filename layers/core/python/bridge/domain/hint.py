"""A hint: somebody says a record changed. It is never believed, only looked into."""

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


@dataclass(frozen=True, slots=True)
class Hint:
    """Ids only, because hints lie in queues. ``attempts`` counts the tries that found ConnectWise
    out of reach."""

    connection_id: str
    record_kind: RecordKind
    source_id: int
    reason: HintReason
    attempts: int = 0
