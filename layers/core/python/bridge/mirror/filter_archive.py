"""Mirrored records outside the import filters are archived here, and brought back on undo."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from bridge.domain.archiving import Archiving, moment_of, undo_id_of
from bridge.domain.connection import Connection
from bridge.domain.customer import Archive, ArchiveReason
from bridge.domain.errors import ConflictError, InvalidInputError, NotFoundError
from bridge.domain.mirrored_kinds import (
    CUSTOMERS,
    INVOICES,
    MIRRORED_KINDS,
    MirroredRecord,
    kind_of,
)
from bridge.mirror.walk import (
    Entry,
    MirrorWalk,
    Slice,
    WalkPosition,
    read_position,
    record_id,
)
from bridge.ports import ArchivingStore, Clock, RecordStore, until_saved

MAX_ARCHIVINGS_LISTED = 100


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

    def __init__(
        self, records: RecordStore, archivings: ArchivingStore, walk: MirrorWalk, clock: Clock
    ) -> None:
        self._records = records
        self._archivings = archivings
        self._clock = clock
        self._walk = walk

    def list_latest(self, connection: Connection) -> tuple[Archiving, ...]:
        """Return the connection's latest archivings that archived something, newest first."""
        return self._archivings.list_latest(connection.connection_id, limit=MAX_ARCHIVINGS_LISTED)

    def archive_left(self, connection: Connection, *, cursor: str | None = None) -> ArchivingStep:
        """Archive mirrored records outside the saved filters, as many as fit one request.

        The archiving is noted before its first record, so that it can be found after any crash.
        """
        at, position = self._read_archiving_cursor(cursor)
        mark = Archive(ArchiveReason.LEFT_FILTER, at)
        archiving = Archiving(connection.connection_id, undo_id_of(at), at, connection.filters)
        tally = _Tally(undo_id=archiving.undo_id, position=position)
        for part in self._walk.slices(connection, position, lambda each: not each.is_archived):
            wanted = self._walk.wanted(connection, part.records, connection.filters)
            left = [entry for entry in part.entries if record_id(entry.record) not in wanted]
            if left and not tally.has_met_any:
                self._change(archiving, lambda known: known)
            for entry in left:
                tally.count(entry.record, is_written=self._mark(entry, mark))
            tally.move_past(part)
        if tally.has_met_any:
            self._change(archiving, tally.added_to)
        return tally.step(carries_undo_id=True)

    def undo(
        self, connection: Connection, undo_id: str, *, cursor: str | None = None
    ) -> ArchivingStep:
        """Bring back the records of one archiving, as many as fit one request.

        A record that ConnectWise deleted since then is archived again by the next comparison.
        The call may be repeated. Archivings of earlier releases are known by their
        records alone. Raises InvalidInputError for a malformed id or cursor, NotFoundError
        for an unknown archiving.
        """
        mark = Archive(ArchiveReason.LEFT_FILTER, _read_undo_id(undo_id, "undo_id"))
        noted = self._archivings.get(connection.connection_id, undo_id).value
        position = read_position(cursor)
        tally = _Tally(undo_id=undo_id, position=position)
        for part in self._walk.slices(connection, position, lambda each: each.is_archived):
            for entry in part.entries:
                if entry.record.archive == mark:
                    tally.count(entry.record, is_written=self._mark(entry, None))
            tally.move_past(part)
        if noted is None and cursor is None and tally.is_at_end and not tally.has_met_any:
            raise NotFoundError("no such archiving")
        if noted is not None:
            is_first, now = cursor is None, self._clock.now()
            self._change(noted, lambda known: tally.taken_from(known, now, is_first=is_first))
        return tally.step(carries_undo_id=False)

    def _change(self, noted: Archiving, change: Callable[[Archiving], Archiving]) -> None:
        def read() -> tuple[Archiving, int]:
            stored = self._archivings.get(noted.connection_id, noted.undo_id)
            return stored.value or noted, stored.version

        until_saved(
            read,
            change,
            lambda changed, version: self._archivings.save(changed, expected_version=version),
        )

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

    @property
    def has_met_any(self) -> bool:
        """Tell whether a record was archived, brought back or contested."""
        return bool(self.written.total() or self.contested)

    @property
    def is_at_end(self) -> bool:
        return self.position is None

    def added_to(self, known: Archiving) -> Archiving:
        """Return the archiving with the records counted that this request archived."""
        return replace(
            known,
            customer_count=known.customer_count + self.written[CUSTOMERS.plural],
            invoice_count=known.invoice_count + self.written[INVOICES.plural],
        )

    def taken_from(self, known: Archiving, now: datetime, *, is_first: bool) -> Archiving:
        """Return the archiving after a part of its undo, undone unless some were contested."""
        contested = self.contested + (0 if is_first else known.contested_count)
        is_undone = self.is_at_end and not contested
        return replace(
            known,
            contested_count=contested,
            undone_at=(known.undone_at or now) if is_undone else known.undone_at,
        )

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
    try:
        return moment_of(text)
    except ValueError:
        raise InvalidInputError("not an id of an archiving", field=field) from None
