"""Mirrored records outside the import filters are archived here, and brought back on undo."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from bridge.domain.connection import Connection
from bridge.domain.customer import Archive, ArchiveReason
from bridge.domain.errors import ConflictError, InvalidInputError
from bridge.domain.mirrored_kinds import MIRRORED_KINDS, MirroredRecord, kind_of
from bridge.mirror.walk import (
    Entry,
    MirrorWalk,
    Slice,
    WalkPosition,
    read_position,
    record_id,
)
from bridge.ports import Clock, RecordStore

_UNDO_ID_FORMAT = "%Y%m%dT%H%M%S%fZ"
_UNDO_ID = re.compile(r"[0-9]{8}T[0-9]{12}Z")


@dataclass(frozen=True, slots=True)
class ArchivingStep:
    """The counts of records that one request archived or brought back."""

    undo_id: str
    """The name of the whole archiving, over all its steps."""
    counts: Mapping[str, int]
    """Records by the plural of their kind."""
    contested: int
    """Records that changed meanwhile and were left as they are."""
    next_cursor: str | None
    """The cursor that continues the archiving; None at its end."""


class FilterArchive:
    """Mirrored records that the saved filters leave outside are archived and brought back here."""

    def __init__(self, records: RecordStore, clock: Clock) -> None:
        self._records = records
        self._clock = clock
        self._walk = MirrorWalk(records, clock)

    def archive_left(self, connection: Connection, *, cursor: str | None = None) -> ArchivingStep:
        """Archive mirrored records outside the saved filters, as many as fit one request."""
        at, position = self._read_archiving_cursor(cursor)
        mark = Archive(ArchiveReason.LEFT_FILTER, at)
        tally = _Tally(undo_id=at.strftime(_UNDO_ID_FORMAT), position=position)
        for part in self._walk.slices(connection, position, lambda each: not each.is_archived):
            wanted = self._walk.wanted(connection, part.records, connection.filters)
            for entry in part.entries:
                if record_id(entry.record) not in wanted:
                    tally.count(entry.record, is_written=self._mark(entry, mark))
            tally.move_past(part)
        return tally.step(carries_undo_id=True)

    def undo(
        self, connection: Connection, undo_id: str, *, cursor: str | None = None
    ) -> ArchivingStep:
        """Bring back the records of one archiving, as many as fit one request.

        A record that ConnectWise deleted since then is archived again by the next comparison.
        The call may be repeated. Raises InvalidInputError for a malformed id or cursor.
        """
        mark = Archive(ArchiveReason.LEFT_FILTER, _read_undo_id(undo_id, "undo_id"))
        position = read_position(cursor)
        tally = _Tally(undo_id=undo_id, position=position)
        for part in self._walk.slices(connection, position, lambda each: each.is_archived):
            for entry in part.entries:
                if entry.record.archive == mark:
                    tally.count(entry.record, is_written=self._mark(entry, None))
            tally.move_past(part)
        return tally.step(carries_undo_id=False)

    def _read_archiving_cursor(self, cursor: str | None) -> tuple[datetime, WalkPosition]:
        if cursor is None:
            return self._clock.now(), WalkPosition()
        undo_id, _, position = cursor.partition(".")
        return _read_undo_id(undo_id, "cursor"), read_position(position)

    def _mark(self, entry: Entry, archive: Archive | None) -> bool:
        """Write the record with this archive mark; return False if it changed since it was read."""
        marked = replace(entry.record, archive=archive)
        try:
            self._records.save(
                marked,
                expected_version=entry.version,
                change_fingerprint=entry.change_fingerprint,
            )
        except ConflictError:
            return False
        return True


@dataclass(slots=True)
class _Tally:
    undo_id: str
    position: WalkPosition | None
    written: Counter[str] = field(default_factory=Counter)
    """Counts of written records by the plural of their kind, e.g. ``invoices``."""
    contested: int = 0

    def count(self, record: MirroredRecord, *, is_written: bool) -> None:
        if is_written:
            self.written[kind_of(record).plural] += 1
        else:
            self.contested += 1

    def move_past(self, part: Slice) -> None:
        self.position = part.next_position

    def step(self, *, carries_undo_id: bool) -> ArchivingStep:
        cursor = str(self.position) if self.position else None
        if cursor and carries_undo_id:
            cursor = f"{self.undo_id}.{cursor}"
        return ArchivingStep(
            undo_id=self.undo_id,
            contested=self.contested,
            next_cursor=cursor,
            counts={kind.plural: self.written[kind.plural] for kind in MIRRORED_KINDS},
        )


def _read_undo_id(text: str, field: str) -> datetime:
    if _UNDO_ID.fullmatch(text):
        try:
            return datetime.strptime(text, _UNDO_ID_FORMAT).replace(tzinfo=UTC)
        except ValueError:
            pass
    raise InvalidInputError("not an id of an archiving", field=field)
