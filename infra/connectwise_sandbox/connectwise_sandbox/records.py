"""Records are the rows of a list in order of id, touched only when they are looked at."""

from __future__ import annotations

import sys
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import overload

from connectwise_sandbox.kinds import Record

Test = Callable[[Record], bool]


class Records(Sequence[Record]):
    """Records are a window on sorted ids, and tests that every record has to pass.

    With tests, all of them are looked at to find their number; `counted` does so once.
    """

    def __init__(
        self,
        records: Mapping[int, Record],
        ids: Sequence[int],
        *,
        start: int = 0,
        stop: int | None = None,
        tests: tuple[Test, ...] = (),
        number: int | None = None,
        met: str = "",
    ) -> None:
        self._records = records
        self._ids = ids
        self._start = start
        self._stop = len(ids) if stop is None else max(start, stop)
        self._tests = tests
        self._number = number if tests else self._stop - start
        """How many records pass the tests; None while that is unknown."""
        self.met = met
        """The conditions that exactly these records of their table meet; may be blank."""

    @classmethod
    def of(cls, records: Iterable[Record]) -> Records:
        """Return records of any origin, in order of id."""
        by_id = {record["id"]: record for record in records}
        return cls(by_id, sorted(by_id))

    def after(self, record_id: int) -> Records:
        """Return the records with greater ids."""
        start = bisect_right(self._ids, record_id, self._start, self._stop)
        return self._window(start, self._stop)

    def between(self, least_id: int | None, greatest_id: int | None) -> Records:
        """Return the records with ids in a range, both ends included; None leaves an end open."""
        if least_id is None and greatest_id is None:
            return self
        start, stop = self._start, self._stop
        if least_id is not None:
            start = bisect_left(self._ids, least_id, start, stop)
        if greatest_id is not None:
            stop = bisect_right(self._ids, greatest_id, start, stop)
        return self._window(start, stop)

    def where(self, *tests: Test) -> Records:
        """Return the records that pass more tests."""
        return self._window(self._start, self._stop, tests)

    def meeting(self, conditions: str) -> Records:
        """Return these records with a note of the conditions that they meet."""
        return Records(
            self._records,
            self._ids,
            start=self._start,
            stop=self._stop,
            tests=self._tests,
            number=self._number,
            met=conditions,
        )

    def counted(self) -> Records:
        """Return the records with a number that is known."""
        return Records.of(self) if self._number is None else self

    def __iter__(self) -> Iterator[Record]:
        for index in range(self._start, self._stop):
            record = self._records[self._ids[index]]
            if all(test(record) for test in self._tests):
                yield record

    def __len__(self) -> int:
        return sum(1 for _ in self) if self._number is None else self._number

    @overload
    def __getitem__(self, index: int) -> Record: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Record]: ...

    def __getitem__(self, index: int | slice) -> Record | Sequence[Record]:
        if self._tests:
            return _part_of(self, index)
        chosen = range(self._start, self._stop)[index]
        if isinstance(chosen, int):
            return self._records[self._ids[chosen]]
        return [self._records[self._ids[each]] for each in chosen]

    def _window(self, start: int, stop: int, tests: tuple[Test, ...] = ()) -> Records:
        return Records(
            self._records,
            self._ids,
            start=start,
            stop=stop,
            tests=self._tests + tests,
            met=self.met,
        )


def _part_of(rows: Records, index: int | slice) -> Record | Sequence[Record]:
    """Return a part of records with tests; it stops looking where the part ends."""
    if isinstance(index, slice) and index.step is None:
        return list(islice(rows, *index.indices(sys.maxsize)))
    return list(rows)[index]
