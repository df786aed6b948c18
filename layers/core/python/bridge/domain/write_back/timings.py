"""Timings say how long an attempt may live; a lease says who acts on an invoice until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

LOOKS_AFTER = tuple(timedelta(seconds=seconds) for seconds in (0, 5, 30, 120))
"""So long after a post was stated that nothing proves yet, it is looked for; and once more when
its quarantine is over."""


@dataclass(frozen=True, slots=True)
class Timings:
    """The timings hold what is assumed of workers, of ConnectWise and of the network between."""

    worker_seconds: int = 60
    """The function's timeout: no worker acts longer."""
    in_flight_seconds: int = 600
    """The longest a request may take effect after it was sent."""
    read_lag_seconds: int = 60
    """How late a list may show what took effect; it covers clocks that disagree."""

    @property
    def attempt(self) -> timedelta:
        """How long a worker that has sent nothing yet may hold an invoice."""
        return timedelta(seconds=self.worker_seconds)

    @property
    def quarantine(self) -> timedelta:
        """From the statement of intent until a post is surely over and visible."""
        return timedelta(
            seconds=self.worker_seconds + self.in_flight_seconds + self.read_lag_seconds
        )

    def quarantine_end(self, stated_at: datetime) -> datetime:
        """Return when what was stated then is surely over and visible."""
        return stated_at + self.quarantine

    def late_look(self, stated_at: datetime) -> datetime:
        """Return when an attempt that nothing proved is looked for a last time."""
        return stated_at + 2 * self.quarantine

    def next_look(self, stated_at: datetime, now: datetime) -> datetime:
        """Return when to look next for a post: soon at first, and last as its quarantine ends."""
        end = self.quarantine_end(stated_at)
        looks = [stated_at + after for after in LOOKS_AFTER if now < stated_at + after < end]
        return min(looks, default=end)


@dataclass(frozen=True, slots=True)
class Books:
    """The books of one company, as one connection reaches them.

    Leases and owners of payments are kept by the company. Workers of the release before keep them
    by the connection, so both keys are held while such workers may run.
    """

    connection_id: str
    company_key: str = ""
    """It is empty until the company was proven."""

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the keys of leases and owners, the company's first."""
        if self.company_key in ("", self.connection_id):
            return (self.connection_id,)
        return (self.company_key, self.connection_id)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to act on one invoice's payments."""

    books: Books
    invoice_source_id: int
    holder_id: str
    token: str
    """It is new with every holder."""
    until: datetime
