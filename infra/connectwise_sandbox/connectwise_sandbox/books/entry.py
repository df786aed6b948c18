"""A pen writes records into the books as of a day in the past."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from random import Random

from connectwise_sandbox.clock import wire_time
from connectwise_sandbox.kinds import Kind, Record, reference_to
from connectwise_sandbox.tenant import Tenant

CLERKS = ("jdoe", "mreyes", "kwong", "OtherSync")
DAYS_OF_BILLING = 730
_OFFICE_OPENS = 8
_OFFICE_SECONDS = 9 * 3_600
_SETUP_DAYS = 3 * 365


class Pen:
    """A pen writes records with `_info` of the past, silently."""

    def __init__(self, tenant: Tenant, random: Random) -> None:
        self.tenant = tenant
        self.random = random
        self.today = tenant.today
        self.now = tenant.now
        """The moment at which the books were opened."""
        self.setup_day = self.today - timedelta(days=_SETUP_DAYS)
        self.first_day = self.today - timedelta(days=DAYS_OF_BILLING)

    def write(
        self, kind: Kind, record: Record, entered_on: date, updated_on: date | None = None
    ) -> Record:
        """Store a new record and return it; None leaves a property out."""
        entered = wire_time(self.moment(entered_on))
        updated = max(entered, wire_time(self.moment(updated_on))) if updated_on else entered
        stored: Record = {"id": self.tenant.store[kind].next_id(), **record}
        if None in stored.values():
            stored = {name: value for name, value in stored.items() if value is not None}
        stored["_info"] = {
            "lastUpdated": updated,
            "updatedBy": self.random.choice(CLERKS),
            "dateEntered": entered,
            "enteredBy": self.random.choice(CLERKS),
        }
        self.tenant.store[kind].put(stored)
        return stored

    def rewrite(self, kind: Kind, record: Record) -> Record:
        """Store a record in place of the one with its id."""
        self.tenant.store[kind].put(record)
        return record

    def moment(self, day: date) -> datetime:
        """Return a random moment in the office hours of a day, at the latest the present one.

        Every third moment falls on a full hour, so that moments of several records coincide.
        """
        seconds = int(self.random.random() * _OFFICE_SECONDS)
        if self.random.random() < 1 / 3:
            seconds -= seconds % 3_600
        return min(_opening_of(day) + timedelta(seconds=seconds), self.now)

    def references(self, kind: Kind) -> list[Record]:
        """Return the short forms of every record of a kind, by id."""
        return [reference_to(kind, record) for record in self.tenant.store[kind]]

    def guid(self) -> str:
        """Return a new GUID of version 4."""
        digits = f"{self.random.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"

    def chance(self, probability: float) -> bool:
        """Return True with a probability."""
        return self.random.random() < probability

    def days_between(self, first: date, last: date, count: int) -> Iterator[date]:
        """Return `count` random days from `first` to `last`, both included."""
        span_days = (last - first).days
        return (first + timedelta(days=self.random.randint(0, span_days)) for _ in range(count))


@lru_cache(maxsize=2_048)
def _opening_of(day: date) -> datetime:
    return datetime.combine(day, time(_OFFICE_OPENS), tzinfo=UTC)
