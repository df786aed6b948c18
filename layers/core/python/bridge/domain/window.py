"""A partner may start each kind of manual fetch once in a window of time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.domain.run import RunKind

WINDOW_LENGTHS: dict[RunKind, timedelta] = {
    RunKind.FETCH_NEW: timedelta(hours=1),
    RunKind.FETCH_UNPAID: timedelta(hours=12),
}
# The last hour, and five minutes for clocks that disagree.
FETCH_NEW_REACH = timedelta(minutes=65)


@dataclass(frozen=True, slots=True)
class Window:
    """A kind of fetch is taken on one connection until ``free_at``."""

    connection_id: str
    kind: RunKind
    taken_at: datetime
    """UTC, as is ``free_at``."""

    @property
    def free_at(self) -> datetime:
        return self.taken_at + WINDOW_LENGTHS[self.kind]
