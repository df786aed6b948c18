"""A step is the part of a job that one worker does for one connection."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bridge.connections.visit import Visit
from bridge.domain.connection import Connection

EVERY_HOUR = frozenset(range(24))


@dataclass(frozen=True, slots=True)
class JobStep:
    """A step begins at the cursor, and ends soon after its time is over."""

    connection: Connection
    until: datetime
    cursor: str | None = None
    hours: frozenset[int] = EVERY_HOUR
    """The hours of the day that the job stands for; some work has its turn in one of them."""
    may_ask: bool = True
    """ConnectWise may be asked; a silent server is left alone."""


@dataclass(frozen=True, slots=True)
class StepEnd:
    """A step ends with a count, and with the place where the next one goes on."""

    done: int = 0
    visit: Visit = Visit.UNASKED
    cursor: str | None = None
    """None says that the job is done."""
