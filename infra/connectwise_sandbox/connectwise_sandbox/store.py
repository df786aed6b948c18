"""The store keeps records in memory by kind and id, with indexes over their references."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from random import Random

from connectwise_sandbox.kinds import Kind, Record
from connectwise_sandbox.query import Bounds
from connectwise_sandbox.records import Records

_Change = tuple[str, int]
"""The second of a record's last change, and its id."""

_WIDEST_GAP = 4
_FIRST_IDS = {
    Kind.COMPANY: 1_250_000,
    Kind.CONTACT: 1_810_000,
    Kind.SITE: 1_420_000,
    Kind.INVOICE: 2_310_000,
    Kind.PAYMENT: 3_070_000,
    Kind.AGREEMENT: 1_100_000,
    Kind.PRODUCT: 5_400_000,
    Kind.TIME_ENTRY: 7_900_000,
    Kind.EXPENSE_ENTRY: 1_660_000,
    Kind.TICKET: 1_990_000,
    Kind.ADDITION: 2_050_000,
    Kind.GL_ENTRY: 9_100_000,
    Kind.CALLBACK: 26_500,
    Kind.MEMBER: 140,
}
_INDEXED: dict[Kind, tuple[str, ...]] = {
    Kind.PAYMENT: ("invoice", "credit"),
    Kind.PRODUCT: ("invoice",),
    Kind.TIME_ENTRY: ("invoice",),
    Kind.EXPENSE_ENTRY: ("invoice",),
    Kind.ROUTING: ("invoice",),
    Kind.GL_ENTRY: ("invoice",),
    Kind.BATCH_ENTRY: ("batch",),
    Kind.INVOICE: ("company",),
    Kind.CONTACT: ("company",),
    Kind.SITE: ("company",),
    Kind.TYPE_ASSOCIATION: ("company",),
    Kind.AGREEMENT: ("company",),
    Kind.ADDITION: ("agreementId",),
    Kind.ADJUSTMENT: ("agreementId",),
    Kind.COMPONENT: ("parentProductItem",),
}


FIRST_CHANGE = "0"
"""Comes before every moment on the wire, and after the blank one of a silent record."""


class Table:
    """A table keeps the records of one kind in order of id."""

    def __init__(self, kind: Kind, random: Random) -> None:
        self._records: dict[int, Record] = {}
        self.revision = 0
        """Grows with every record that is stored or removed."""
        self._forms: dict[int, dict[Hashable, bytes]] = {}
        self._ids: list[int] = []
        self._changes: list[_Change] | None = None
        """All records in order of their last change; made at the first question for it."""
        self._random = random
        self._last_id = _FIRST_IDS.get(kind, 0)
        self._gap = _WIDEST_GAP if kind in _FIRST_IDS else 1
        self._indexes: dict[str, dict[int, set[int]]] = {
            field: defaultdict(set) for field in _INDEXED.get(kind, ())
        }

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[Record]:
        return map(self._records.__getitem__, self._ids)

    def next_id(self) -> int:
        """Return a fresh id; the ids of a kind have gaps."""
        self._last_id += self._random.randint(1, self._gap)
        return self._last_id

    def get(self, record_id: int) -> Record | None:
        """Return the record with an id, None if it is missing."""
        return self._records.get(record_id)

    def put(self, record: Record) -> None:
        """Store a record in place of the one with its id, if any."""
        record_id: int = record["id"]
        self._forms.pop(record_id, None)
        self.revision += 1
        before = self._records.get(record_id)
        if before is not None:
            self._unindex(before)
        elif not self._ids or record_id > self._ids[-1]:
            self._ids.append(record_id)
        else:
            insort(self._ids, record_id)
        self._last_id = max(self._last_id, record_id)
        self._records[record_id] = record
        for field, index in self._indexes.items():
            referred_id = _referred_id(record, field)
            if referred_id is not None:
                index[referred_id].add(record_id)
        if self._changes is not None:
            insort(self._changes, _last_change(record))

    def remove(self, record_id: int) -> None:
        """Remove a record; raises KeyError if it is missing."""
        self._unindex(self._records.pop(record_id))
        self._forms.pop(record_id, None)
        self.revision += 1
        del self._ids[bisect_left(self._ids, record_id)]

    def forms(self, record: Record) -> dict[Hashable, bytes]:
        """Return the forms that were made of a record, kept until another one takes its place.

        A record that is not the stored one has none, and none are kept for it.
        """
        if self._records.get(record["id"]) is not record:
            return {}
        return self._forms.setdefault(record["id"], {})

    def among(self, record_ids: Iterable[int]) -> list[Record]:
        """Return the records with these ids that exist, in order of id."""
        found = sorted(set(record_ids) & self._records.keys())
        return [self._records[record_id] for record_id in found]

    def referring(self, field: str, referred_ids: Iterable[int]) -> list[Record]:
        """Return the records whose indexed `field` refers to one of the ids, in order of id."""
        return self.among(self._referring_ids(field, referred_ids))

    def rows_referring(self, field: str, referred_id: int) -> Records:
        """Return the records whose indexed `field` refers to an id, in order of id."""
        return Records(self._records, sorted(self._indexes[field].get(referred_id, ())))

    def within(self, bounds: Bounds) -> tuple[Records, bool]:
        """Return records with every one within the bounds, and whether they are exactly those.

        Indexes serve ids, the last change and most references; the others let more records in.
        """
        chosen = [] if bounds.ids is None else [set(bounds.ids)]
        chosen += [
            self._referring_ids(field, ids)
            for field, ids in bounds.references.items()
            if field in self._indexes
        ]
        is_exact = all(field in self._indexes for field in bounds.references)
        if chosen:
            found = self._records.keys() & set.intersection(*chosen)
            rows = Records(self._records, sorted(found))
            is_exact = is_exact and (bounds.changed_from or bounds.changed_before) is None
        elif bounds.changed_from or bounds.changed_before:
            rows = self._changed_rows(bounds.changed_from, bounds.changed_before)
        else:
            rows = Records(self._records, self._ids)
        return rows.between(bounds.least_id, bounds.greatest_id), is_exact

    def _changed_rows(self, first: str | None, end: str | None) -> Records:
        """Return the records whose last change lies from `first` on and before `end`.

        Where these are most of the table, they are picked out one by one as they are looked at.
        """
        if self._changes is None:
            self._changes = sorted(map(_last_change, self))
        start = bisect_left(self._changes, (first or FIRST_CHANGE,))
        stop = bisect_left(self._changes, (end,), start) if end else len(self._changes)
        if 2 * (stop - start) <= len(self._ids):
            return Records(self._records, sorted(each for _, each in self._changes[start:stop]))

        def is_within(record: Record) -> bool:
            moment, _ = _last_change(record)
            return moment >= (first or FIRST_CHANGE) and (end is None or moment < end)

        return Records(self._records, self._ids, tests=(is_within,), number=stop - start)

    def _referring_ids(self, field: str, referred_ids: Iterable[int]) -> set[int]:
        index = self._indexes[field]
        return set[int]().union(*(index.get(each, ()) for each in referred_ids))

    def _unindex(self, record: Record) -> None:
        for field, index in self._indexes.items():
            referred_id = _referred_id(record, field)
            if referred_id is not None:
                index[referred_id].discard(record["id"])
        if self._changes is not None:
            del self._changes[bisect_left(self._changes, _last_change(record))]


class Store:
    """A store has one table for each kind of record."""

    def __init__(self, random: Random) -> None:
        self._tables = {kind: Table(kind, random) for kind in Kind}

    def __getitem__(self, kind: Kind) -> Table:
        return self._tables[kind]


def _last_change(record: Record) -> _Change:
    """Return the place of a record among the changes; one that is silent about it comes first."""
    moment = record.get("lastUpdated") or record.get("_info", {}).get("lastUpdated", "")
    return moment, record["id"]


def _referred_id(record: Record, field: str) -> int | None:
    value = record.get(field)
    if isinstance(value, dict):
        value = value.get("id")
    return value if isinstance(value, int) else None
