"""Lags let lists show records as they were, while the store already holds them as they are."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from connectwise_sandbox.kinds import Record
from connectwise_sandbox.records import Records


class Lag:
    """A lag keeps the former states of one kind's records for as long as lists show them."""

    def __init__(self) -> None:
        self._former: dict[int, deque[Record | None]] = {}

    def keep(self, record_id: int, former: Record | None) -> None:
        """Let lists show a record's former state, None for a record that is new."""
        self._former.setdefault(record_id, deque()).append(former)

    def release(self, record_id: int) -> None:
        """Let lists show a record's next state, in the order in which they were kept."""
        states = self._former[record_id]
        states.popleft()
        if not states:
            del self._former[record_id]

    def listed(self, rows: Records, belongs: Callable[[Record], bool]) -> Records:
        """Return the rows of a list as it shows them, in order of id.

        `rows` are the stored ones; `belongs` tells whether a former state is part of the list.
        """
        if not self._former:
            return rows
        shown = {row["id"]: row for row in rows if row["id"] not in self._former}
        for record_id, states in self._former.items():
            former = states[0]
            if former is not None and belongs(former):
                shown[record_id] = former
        return Records.of(shown.values())
