"""Timings say how long an attempt may live; a lease says who acts on an invoice until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Timings:
    """How long an attempt may live.

    ``worker_seconds`` is the function's timeout: no worker acts longer. ``in_flight_seconds`` is
    the longest a request may take effect after it was sent, our assumption about ConnectWise and
    the network between. ``read_lag_seconds`` is how late a list may show what took effect, and
    covers clocks that disagree.
    """

    worker_seconds: int = 60
    in_flight_seconds: int = 600
    read_lag_seconds: int = 60

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


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to act on one invoice's payments. ``token`` is new with every holder."""

    connection_id: str
    invoice_source_id: int
    holder_id: str
    token: str
    until: datetime
