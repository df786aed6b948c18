"""Go through a connection's mirrored records in slices that fit one request."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from bridge.domain.connection import Connection
from bridge.domain.customer import Customer
from bridge.domain.errors import InvalidInputError
from bridge.domain.filters import CustomerFilter, ImportFilters
from bridge.domain.identity import RecordKind
from bridge.domain.invoice import Invoice
from bridge.ports import Clock, Head, RecordStore, Stored

SLICE_SIZE = 100
MAX_SLICES_PER_REQUEST = 20
SECONDS_KEPT_BACK = 9.0
_ORDER = (RecordKind.CUSTOMER, RecordKind.INVOICE)
_PLACE = re.compile(r"(customer|invoice)-([0-9]{1,10})")

MirroredRecord = Customer | Invoice


@dataclass(frozen=True, slots=True)
class Place:
    """How far the walk came: records of ``kind`` with ids up to ``after_id`` are behind it."""

    kind: RecordKind = RecordKind.CUSTOMER
    after_id: int = 0

    def __str__(self) -> str:
        return f"{self.kind.value}-{self.after_id}"


@dataclass(frozen=True, slots=True)
class Entry:
    """A stored record with what is needed to write it again."""

    record: MirroredRecord
    version: int
    marks: str


@dataclass(frozen=True, slots=True)
class Slice:
    """Some stored records, and the place behind them (None: the walk is over)."""

    entries: tuple[Entry, ...]
    next_place: Place | None

    @property
    def records(self) -> tuple[MirroredRecord, ...]:
        return tuple(entry.record for entry in self.entries)


def read_place(cursor: str | None) -> Place:
    """Return the place that a cursor names; InvalidInputError for any other text."""
    if cursor is None:
        return Place()
    match = _PLACE.fullmatch(cursor)
    if match is None:
        raise InvalidInputError("not a cursor of this walk", field="cursor")
    return Place(RecordKind(match[1]), int(match[2]))


class MirrorWalk:
    """Reads mirrored records by ConnectWise id: writing to them does not disturb the order."""

    def __init__(self, records: RecordStore, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    def slices(
        self, connection: Connection, start: Place, choose: Callable[[Head], bool]
    ) -> Iterator[Slice]:
        """Yield slices of chosen records until all is seen or the request's share is used up."""
        place: Place | None = start
        for _ in range(MAX_SLICES_PER_REQUEST):
            if place is None or self._clock.remaining_seconds() < SECONDS_KEPT_BACK:
                return
            part = self._slice(connection, place, choose)
            yield part
            place = part.next_place

    def wanted(
        self, connection: Connection, records: Sequence[MirroredRecord], filters: ImportFilters
    ) -> frozenset[str]:
        """Return the ids of those records that the filters let in."""
        invoices = [record for record in records if isinstance(record, Invoice)]
        customer_ids = sorted({i.customer_source_id for i in invoices if i.customer_source_id})
        payers = self._records.get_customers(
            connection.partner_id, connection.connection_id, customer_ids
        )
        let_in = {
            source_id
            for source_id, payer in payers.items()
            if (payer.value is None and filters.customer == CustomerFilter())
            or (payer.value is not None and filters.customer.accepts(payer.value))
        }
        return frozenset(
            record_id(record)
            for record in records
            if (isinstance(record, Customer) and filters.customer.accepts(record))
            or (
                isinstance(record, Invoice)
                and record.customer_source_id in let_in
                and filters.invoice.accepts(record)
            )
        )

    def _slice(self, connection: Connection, place: Place, choose: Callable[[Head], bool]) -> Slice:
        heads = self._records.list_heads(
            connection.partner_id,
            connection.connection_id,
            place.kind,
            after_id=place.after_id,
            through_id=None,
            limit=SLICE_SIZE,
        )
        source_ids = [head.source_id for head in heads if choose(head)]
        entries = self._entries(connection, place.kind, source_ids)
        if len(heads) == SLICE_SIZE:
            return Slice(entries, Place(place.kind, heads[-1].source_id))
        return Slice(entries, _next_kind(place.kind))

    def _entries(
        self, connection: Connection, kind: RecordKind, source_ids: Sequence[int]
    ) -> tuple[Entry, ...]:
        scope = (connection.partner_id, connection.connection_id)
        stored: Iterable[Stored[Customer] | Stored[Invoice]]
        if kind is RecordKind.CUSTOMER:
            stored = self._records.get_customers(*scope, source_ids).values()
        else:
            stored = self._records.get_invoices(*scope, source_ids).values()
        return tuple(Entry(item.value, item.version, item.marks) for item in stored if item.value)


def record_id(record: MirroredRecord) -> str:
    return record.customer_id if isinstance(record, Customer) else record.invoice_id


def _next_kind(kind: RecordKind) -> Place | None:
    following = _ORDER[_ORDER.index(kind) + 1 :]
    return Place(following[0]) if following else None
