"""Change import filters, and archive what they leave outside, with undo."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bridge.domain.connection import Connection
from bridge.domain.customer import Archive, ArchiveReason, Customer
from bridge.domain.errors import ConflictError, InvalidInputError
from bridge.domain.filters import ImportFilters
from bridge.domain.run import Run
from bridge.ports import Clock, ConnectionStore, RecordStore
from bridge.sync.mirror_walk import (
    Entry,
    MirroredRecord,
    MirrorWalk,
    Place,
    Slice,
    read_place,
    record_id,
)
from bridge.sync.owned_connections import OwnedConnections, refuse_unless_syncing
from bridge.sync.run_control import RunControl

_STAMP = "%Y%m%dT%H%M%S%fZ"
_UNDO_ID = re.compile(r"[0-9]{8}T[0-9]{12}Z")


@dataclass(frozen=True, slots=True)
class ArchivingStep:
    """What one request archived or brought back; ``contested`` records moved meanwhile.

    ``undo_id`` names the whole archiving, over all its steps. ``next_cursor`` continues it.
    """

    undo_id: str
    customers: int
    invoices: int
    contested: int
    next_cursor: str | None


class FilterChanges:
    """What a partner's admin does with import filters."""

    def __init__(
        self,
        *,
        connections: ConnectionStore,
        records: RecordStore,
        run_control: RunControl,
        clock: Clock,
    ) -> None:
        self._owned = OwnedConnections(connections)
        self._records = records
        self._run_control = run_control
        self._clock = clock
        self._walk = MirrorWalk(records, clock)

    def apply(
        self, partner_id: str, connection_id: str, filters: ImportFilters
    ) -> tuple[Connection, Run]:
        """Save the filters and start an import, so that what they let in newly arrives.

        What they leave outside stays until it is archived (connection guide, note on filters).
        Saving the same filters again starts the import again.
        """

        def changed(stored: Connection) -> Connection:
            refuse_unless_syncing(stored)
            return replace(stored, filters=filters)

        connection = self._owned.change(partner_id, connection_id, changed)
        return connection, self._run_control.restart_import(connection)

    def archive_left(self, connection: Connection, *, cursor: str | None = None) -> ArchivingStep:
        """Archive mirrored records outside the saved filters, as many as fit one request."""
        at, place = self._read_archiving_cursor(cursor)
        mark = Archive(ArchiveReason.LEFT_FILTER, at)
        tally = _Tally(undo_id=at.strftime(_STAMP), place=place)
        for part in self._walk.slices(connection, place, lambda head: not head.is_archived):
            wanted = self._walk.wanted(connection, part.records, connection.filters)
            for entry in part.entries:
                if record_id(entry.record) not in wanted:
                    tally.count(entry.record, is_written=self._mark(entry, mark))
            tally.pass_by(part)
        return tally.step(carries_undo_id=True)

    def undo(
        self, connection: Connection, undo_id: str, *, cursor: str | None = None
    ) -> ArchivingStep:
        """Bring back what one archiving archived, as much as fits one request.

        What ConnectWise deleted since then is archived again by the next comparison. May be
        repeated. Raises InvalidInputError for an id that no archiving had.
        """
        mark = Archive(ArchiveReason.LEFT_FILTER, _read_undo_id(undo_id, "undo_id"))
        place = read_place(cursor)
        tally = _Tally(undo_id=undo_id, place=place)
        for part in self._walk.slices(connection, place, lambda head: head.is_archived):
            for entry in part.entries:
                if entry.record.archive == mark:
                    tally.count(entry.record, is_written=self._mark(entry, None))
            tally.pass_by(part)
        return tally.step(carries_undo_id=False)

    def _read_archiving_cursor(self, cursor: str | None) -> tuple[datetime, Place]:
        if cursor is None:
            return self._clock.now(), Place()
        undo_id, _, place = cursor.partition(".")
        return _read_undo_id(undo_id, "cursor"), read_place(place)

    def _mark(self, entry: Entry, archive: Archive | None) -> bool:
        """Write the record with this archive mark, unless it moved since it was read."""
        marked = replace(entry.record, archive=archive)
        write: Callable[..., int] = (
            self._records.save_customer
            if isinstance(marked, Customer)
            else self._records.save_invoice
        )
        try:
            write(marked, expected_version=entry.version, marks=entry.marks)
        except ConflictError:
            return False
        return True


@dataclass(slots=True)
class _Tally:
    undo_id: str
    place: Place | None
    customers: int = 0
    invoices: int = 0
    contested: int = 0

    def count(self, record: MirroredRecord, *, is_written: bool) -> None:
        if not is_written:
            self.contested += 1
        elif isinstance(record, Customer):
            self.customers += 1
        else:
            self.invoices += 1

    def pass_by(self, part: Slice) -> None:
        self.place = part.next_place

    def step(self, *, carries_undo_id: bool) -> ArchivingStep:
        cursor = str(self.place) if self.place else None
        if cursor and carries_undo_id:
            cursor = f"{self.undo_id}.{cursor}"
        return ArchivingStep(self.undo_id, self.customers, self.invoices, self.contested, cursor)


def _read_undo_id(text: str, field: str) -> datetime:
    if _UNDO_ID.fullmatch(text):
        try:
            return datetime.strptime(text, _STAMP).replace(tzinfo=UTC)
        except ValueError:
            pass
    raise InvalidInputError("not an id of an archiving", field=field)
