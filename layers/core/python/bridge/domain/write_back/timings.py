"""Timings limit the life of an attempt; a lease gives an invoice to one holder for a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

LOOKS_AFTER = tuple(timedelta(seconds=seconds) for seconds in (0, 5, 30, 120))
"""So long after an unproven post was stated, it is looked for; and once more when its quarantine
is over."""
FIRST_LOOK_AFTER = timedelta(seconds=5)
"""So long after its answer was lost, a post is looked for a second time."""


@dataclass(frozen=True, slots=True)
class Timings:
    """The timings are assumptions about workers, ConnectWise and the network between."""

    worker_seconds: int = 60
    """The function's timeout, at which every worker stops."""
    in_flight_seconds: int = 600
    """The longest a request may take effect after it was sent."""
    read_lag_seconds: int = 60
    """The longest a list may lag behind an effect; it covers clocks that disagree."""

    @property
    def attempt(self) -> timedelta:
        """Return how long a worker may hold an invoice before it sends anything."""
        return timedelta(seconds=self.worker_seconds)

    @property
    def quarantine(self) -> timedelta:
        """Return the time from the statement of intent until a post is surely over and visible."""
        return timedelta(
            seconds=self.worker_seconds + self.in_flight_seconds + self.read_lag_seconds
        )

    def quarantine_end(self, stated_at: datetime) -> datetime:
        """Return when an attempt stated then is surely over and visible."""
        return stated_at + self.quarantine

    def answer_shown(self, stated_at: datetime) -> datetime:
        """Return when lists surely show what had taken effect before an attempt was answered."""
        return stated_at + self.attempt + timedelta(seconds=self.read_lag_seconds)

    def late_look(self, stated_at: datetime) -> datetime:
        """Return when an attempt that stayed unproven is looked for a last time."""
        return stated_at + 2 * self.quarantine

    def next_look(self, stated_at: datetime, now: datetime) -> datetime:
        """Return when to look next for a post: soon at first, and last as its quarantine ends."""
        end = self.quarantine_end(stated_at)
        looks = [stated_at + after for after in LOOKS_AFTER if now < stated_at + after < end]
        return min(looks, default=end)


@dataclass(frozen=True, slots=True)
class Books:
    """One connection reaches the books of its company by these keys.

    Leases and owners of payments are kept by the company. Workers of the release before keep them
    by the connection, so both keys are held while such workers may run.
    """

    connection_id: str
    company_key: str = ""
    """It is empty until the company was proven."""
    other_connections: tuple[str, ...] = ()
    """The other connections of the company: their owners are read, and left to them."""

    @property
    def read_keys(self) -> tuple[str, ...]:
        """Return the keys that owners are looked up by, the company's first."""
        return (*self.keys, *(each for each in self.other_connections if each not in self.keys))

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the keys of leases and owners, the company's first."""
        if self.company_key in ("", self.connection_id):
            return (self.connection_id,)
        return (self.company_key, self.connection_id)


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease is the right to act on one invoice's payments until a stated time."""

    books: Books
    invoice_source_id: int
    holder_id: str
    token: str
    """It is new with every holder."""
    until: datetime
