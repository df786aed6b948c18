"""A job keeps one connection true, again and again; each connection has moments of its own for it.

The period of a job is cut into parts, and a tick at the start of each part sends the jobs of the
connections that belong to it, spread over the part. Part and moment follow from the connection's
id, so that ten thousand connections come evenly and each of them once in a period.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

QUARTER: Final = timedelta(minutes=15)
SPREAD_SECONDS: Final = 900
"""The jobs of a part come within so many seconds after its tick."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLY = timedelta(minutes=1)
"""A tick may come so long before its time, since clocks disagree."""


class Job(StrEnum):
    """A job is one connection's bounded work, known by its name."""

    INVOICE_DELTA = "invoice_delta"
    """Takes changed invoices, and queues runs again that got stuck."""
    CUSTOMERS = "customers"
    """Takes changed customers."""
    SWEEP = "sweep"
    """Compares every record."""
    CALLBACKS = "callbacks"
    """Puts callback registrations in order."""
    HEAL_WRITE_BACKS = "heal_write_backs"
    """Tries write-backs again whose obstacle is gone."""
    PAYMENTS = "payments"
    """Compares our payments with those that ConnectWise shows."""
    RESTING_PAYMENTS = "resting_payments"
    """Looks at payments that were proven long ago."""

    @property
    def subject(self) -> str:
        """Return the subject of the problem that a connection has while the job fails."""
        return f"job/{self.value}"


@dataclass(frozen=True, slots=True)
class Cadence:
    """A cadence says how often each connection comes, and in how many parts."""

    period: timedelta
    parts: int = 1
    tick: timedelta = QUARTER
    """The time from one part to the next."""


CADENCES: Final[Mapping[Job, Cadence]] = {
    Job.INVOICE_DELTA: Cadence(QUARTER),
    Job.HEAL_WRITE_BACKS: Cadence(QUARTER),
    Job.CUSTOMERS: Cadence(timedelta(hours=1), parts=4),
    Job.CALLBACKS: Cadence(timedelta(hours=1), parts=4),
    Job.PAYMENTS: Cadence(timedelta(hours=1), parts=4),
    Job.SWEEP: Cadence(timedelta(days=1), parts=12),
    Job.RESTING_PAYMENTS: Cadence(timedelta(days=28), parts=28, tick=timedelta(days=1)),
}


@dataclass(frozen=True, slots=True)
class Tick:
    """A tick starts jobs on the connections of one part, or of all parts at once."""

    jobs: tuple[Job, ...]
    began_at: datetime
    part: int | None = None
    """None stands for every connection, at once."""

    def chosen(self, connection_id: str) -> Sequence[tuple[Job, datetime]]:
        """Return the jobs that the connection does now, each with its moment."""
        if self.part is None:
            return [(job, self.began_at) for job in self.jobs]
        moment = self.began_at + delay_of(connection_id)
        return [
            (job, moment)
            for job in self.jobs
            if part_of(connection_id, CADENCES[job].parts) == self.part
        ]


def scheduled_tick(jobs: Sequence[Job], part: int | None, now: datetime) -> Tick:
    """Return the tick that a schedule means, however late its event comes.

    With the part named, a late or repeated event does its own part; otherwise the part follows
    from the time. Raises ValueError for jobs of several cadences, and for an impossible part.
    """
    cadences = {CADENCES[job] for job in jobs}
    if len({(each.parts, each.tick) for each in cadences}) != 1:
        raise ValueError("a tick is for jobs of one cadence")
    cadence = cadences.pop()
    number = (now + _EARLY - _EPOCH) // cadence.tick
    if part is None:
        part = number % cadence.parts
    if not 0 <= part < cadence.parts:
        raise ValueError(f"there is no part {part}")
    number -= (number - part) % cadence.parts
    return Tick(tuple(jobs), _EPOCH + number * cadence.tick, part)


def part_of(connection_id: str, parts: int) -> int:
    """Return the part that a connection belongs to, from 0."""
    return _spread(connection_id, "part") % parts


def delay_of(connection_id: str) -> timedelta:
    """Return how long after a tick the connection's jobs come."""
    return timedelta(seconds=_spread(connection_id, "delay") % SPREAD_SECONDS)


def _spread(connection_id: str, use: str) -> int:
    digest = hashlib.sha256(f"{use} {connection_id}".encode()).digest()
    return int.from_bytes(digest[:8])
