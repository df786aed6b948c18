"""A connection's mirrored records are read here in slices, as many as fit one request."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass

from bridge.domain.connection import Connection
from bridge.domain.errors import InvalidInputError
from bridge.domain.filters import ImportFilters
from bridge.domain.identity import RecordKind
from bridge.domain.mirrored_kinds import (
    CUSTOMERS,
    MIRRORED_KINDS,
    MirroredRecord,
    kind_of,
    mirrored_kind,
)
from bridge.ports import Clock, ListedRecord, RecordStore

SLICE_SIZE = 100
MAX_SLICES_PER_REQUEST = 20
SECONDS_KEPT_BACK = 9.0
_POSITION = re.compile(
    rf"({'|'.join(kind.record_kind.value for kind in MIRRORED_KINDS)})-([0-9]{{1,10}})"
)


@dataclass(frozen=True, slots=True)
class WalkPosition:
    """The position that a walk has reached."""

    kind: RecordKind = MIRRORED_KINDS[0].record_kind
    """The kind being read; those before it in MIRRORED_KINDS are done."""
    after_id: int = 0
    """The ConnectWise id up to which records of this kind are done."""

    def __str__(self) -> str:
        return f"{self.kind.value}-{self.after_id}"


@dataclass(frozen=True, slots=True)
class Entry:
    """A stored record, with the version and fingerprint needed to write it again."""

    record: MirroredRecord
    version: int
    change_fingerprint: str


@dataclass(frozen=True, slots=True)
class Slice:
    """Some stored records of a walk."""

    entries: tuple[Entry, ...]
    next_position: WalkPosition | None
    """The position after these records; None at the end of the walk."""

    @property
    def records(self) -> tuple[MirroredRecord, ...]:
        return tuple(entry.record for entry in self.entries)


def read_position(cursor: str | None) -> WalkPosition:
    """Return the position that a cursor names. Raises InvalidInputError for any other text."""
    if cursor is None:
        return WalkPosition()
    match = _POSITION.fullmatch(cursor)
    if match is None:
        raise InvalidInputError("not a cursor of this walk", field="cursor")
    return WalkPosition(RecordKind(match[1]), int(match[2]))


class MirrorWalk:
    """The walk reads mirrored records by ConnectWise id, an order that writes leave unchanged."""

    def __init__(self, records: RecordStore, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    def slices(
        self, connection: Connection, start: WalkPosition, choose: Callable[[ListedRecord], bool]
    ) -> Iterator[Slice]:
        """Yield slices of chosen records until the end, or until the request's share is used up."""
        position: WalkPosition | None = start
        for _ in range(MAX_SLICES_PER_REQUEST):
            if position is None or self._clock.remaining_seconds() < SECONDS_KEPT_BACK:
                return
            part = self._read_slice(connection, position, choose)
            yield part
            position = part.next_position

    def wanted(
        self, connection: Connection, records: Sequence[MirroredRecord], filters: ImportFilters
    ) -> frozenset[str]:
        """Return the ids of those records that the filters let in."""
        payer_ids = set(filter(None, map(_payer_id, records)))
        if filters.asks_about_customers:
            payer_ids = self._accepted(connection, payer_ids, filters)
        return frozenset(
            record_id(record)
            for record in records
            if kind_of(record).accepts(filters, record)
            and (kind_of(record).payer_id_of is None or _payer_id(record) in payer_ids)
        )

    def _accepted(
        self, connection: Connection, customer_ids: Set[int], filters: ImportFilters
    ) -> set[int]:
        scope = connection.partner_id, connection.connection_id
        stored = self._records.get_mirrored(CUSTOMERS, *scope, sorted(customer_ids))
        return {
            source_id
            for source_id, item in stored.items()
            if item.value is not None and CUSTOMERS.accepts(filters, item.value)
        }

    def _read_slice(
        self, connection: Connection, position: WalkPosition, choose: Callable[[ListedRecord], bool]
    ) -> Slice:
        listed = self._records.list_mirrored(
            connection.partner_id,
            connection.connection_id,
            position.kind,
            after_id=position.after_id,
            through_id=None,
            limit=SLICE_SIZE,
        )
        source_ids = [each.source_id for each in listed if choose(each)]
        entries = self._read_entries(connection, position.kind, source_ids)
        if len(listed) == SLICE_SIZE:
            return Slice(entries, WalkPosition(position.kind, listed[-1].source_id))
        return Slice(entries, _start_of_next_kind(position.kind))

    def _read_entries(
        self, connection: Connection, kind: RecordKind, source_ids: Sequence[int]
    ) -> tuple[Entry, ...]:
        stored = self._records.get_mirrored(
            mirrored_kind(kind), connection.partner_id, connection.connection_id, source_ids
        )
        return tuple(
            Entry(item.value, item.version, item.change_fingerprint)
            for item in stored.values()
            if item.value
        )


def _payer_id(record: MirroredRecord) -> int | None:
    return kind_of(record).payer_id(record)


def record_id(record: MirroredRecord) -> str:
    return kind_of(record).id_of(record)


def _start_of_next_kind(kind: RecordKind) -> WalkPosition | None:
    following = MIRRORED_KINDS[MIRRORED_KINDS.index(mirrored_kind(kind)) + 1 :]
    return WalkPosition(following[0].record_kind) if following else None
