"""Reads of hinted records begin and end here, so that workers share them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bridge.domain.hint import Hint, HintedRecord
from bridge.domain.identity import new_id
from bridge.domain.read_mark import SETTLING, ReadMark
from bridge.ports import Clock, ReadMarks

MAX_RACES = 3
"""A worker that others overtook so often comes back later."""


@dataclass(frozen=True, slots=True)
class RecordRead:
    """A read is one worker's, until it ends or its time is over."""

    record: HintedRecord
    mark: ReadMark

    @property
    def source_id(self) -> int:
        return self.record.source_id

    @property
    def is_early(self) -> bool:
        """Tell whether ConnectWise may be about to show another change."""
        return self.mark.reads_early(self.record.came_at)

    @property
    def is_alone(self) -> bool:
        """Tell whether a change that is found must be the one that the hint is about."""
        return len(self.record.hints) == 1 and self.mark.reads_after_rest


@dataclass(slots=True)
class Begun:
    """Records are read now, or wait; those read well after their hints came are left out."""

    reads: list[RecordRead] = field(default_factory=list)
    waiting: list[tuple[Hint, int]] = field(default_factory=list)
    """Hints with the seconds after which they come again."""


class RecordReads:
    """Reads are claimed by marks, one reader at a time for each record.

    ``step`` is the longest time that a read takes; the claim of a worker that was killed is over
    then.
    """

    def __init__(self, marks: ReadMarks, clock: Clock, *, step: timedelta) -> None:
        self._marks = marks
        self._clock = clock
        self._step = step

    def begin(self, connection_id: str, records: Sequence[HintedRecord]) -> Begun:
        """Claim the reads of one connection's records as far as it is their time."""
        marks = self._marks.get(connection_id, [each.hint.record for each in records])
        begun = Begun()
        for record in records:
            self._begin_one(record, marks[record.hint.record], begun)
        return begun

    def _begin_one(self, record: HintedRecord, mark: ReadMark, begun: Begun) -> None:
        for _ in range(MAX_RACES):
            now = self._clock.now()
            if mark.settles(record.came_at):
                return
            read_at = mark.next_read_at(record.came_at, now)
            if read_at > now:
                if not mark.is_being_read(now):
                    # It only makes the record's next read serve more hints: a lost race is no harm.
                    self._put(record, mark, mark.waited_for(record.came_at, token=new_id()))
                begun.waiting.append((record.hint, seconds_until(read_at, now)))
                return
            claimed = mark.claimed(now, now + self._step, token=new_id())
            if self._put(record, mark, claimed):
                begun.reads.append(RecordRead(record, claimed))
                return
            key = record.hint.record
            mark = self._marks.get(record.hint.connection_id, [key])[key]
        begun.waiting.append((record.hint, math.ceil(SETTLING.total_seconds())))

    def finish(self, reads: Iterable[RecordRead]) -> None:
        """Mark records as read; a read whose time is over leaves the mark as it is."""
        for read in reads:
            self._put(read.record, read.mark, read.mark.finished(token=new_id()))

    def give_up(self, reads: Iterable[RecordRead]) -> None:
        """Let others read the records at once."""
        for read in reads:
            self._put(read.record, read.mark, read.mark.given_up(token=new_id()))

    def _put(self, record: HintedRecord, before: ReadMark, after: ReadMark) -> bool:
        hint = record.hint
        return self._marks.put(hint.connection_id, hint.record, after, replaces=before.token)


def seconds_until(moment: datetime, now: datetime) -> int:
    """Return the whole seconds, at least one, after which the moment has come."""
    return max(1, math.ceil((moment - now).total_seconds()))
