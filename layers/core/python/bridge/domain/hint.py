"""A hint says that a record may have changed; the record itself is then fetched and compared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bridge.domain.identity import RecordKind

MAX_HINT_ATTEMPTS = 14
HINT_LIFE = timedelta(days=4)
"""A hint waits so long for its turn at most: a message lives as long."""

RecordKey = tuple[RecordKind, int]
"""It names a record of a connection by its kind and its id in ConnectWise."""


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
    """A hint holds ids, times and counts only, because it lies in a queue."""

    connection_id: str
    record_kind: RecordKind
    source_id: int
    reason: HintReason
    attempts: int = 0
    """The tries that found ConnectWise out of reach, or the record unsettled."""
    partner_id: str = ""
    """It is empty where the sender knows the connection alone."""
    came_at: datetime | None = None
    """The time since which the record is to be read. A hint that is sent again keeps it; for None
    it is when the message was sent."""
    times_put_off: int = 0
    """It counts how often in a row the hint waited for a turn."""

    @property
    def record(self) -> RecordKey:
        return self.record_kind, self.source_id


@dataclass(frozen=True, slots=True)
class HintedRecord:
    """The hints about one record that came together are worked on as one."""

    hint: Hint
    """It stands for all of them, and names its partner."""
    came_at: datetime
    """When the latest of them came."""
    hints: tuple[Hint, ...]

    @property
    def source_id(self) -> int:
        return self.hint.source_id


def hinted_records(hints: Iterable[Hint], partner_id: str, now: datetime) -> list[HintedRecord]:
    """Return the records that one connection's hints are about, in the order of their ids.

    A hint without a time came now.
    """
    by_record: dict[RecordKey, list[Hint]] = defaultdict(list)
    for hint in hints:
        by_record[hint.record].append(hint)
    return [
        _hinted_record(together, partner_id, now)
        for _, together in sorted(by_record.items(), key=lambda item: item[0])
    ]


def _hinted_record(hints: list[Hint], partner_id: str, now: datetime) -> HintedRecord:
    came_at = max(hint.came_at or now for hint in hints)
    stands_for_all = replace(
        min(hints, key=_tiredness),
        partner_id=partner_id,
        came_at=came_at,
        times_put_off=max(hint.times_put_off for hint in hints),
    )
    return HintedRecord(stands_for_all, came_at, tuple(hints))


def _tiredness(hint: Hint) -> tuple[bool, bool, int]:
    """Order hints of a record by how much is still to be done for them, callbacks first."""
    reason = hint.reason
    return reason is HintReason.UNSETTLED, reason is not HintReason.CALLBACK, hint.attempts
