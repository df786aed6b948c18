"""Writing of payments is stopped by people, and stops itself where more is written than ever."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

MULTIPLE_OF_BUSIEST = 5
PAYMENTS_AT_FIRST = 50
"""So many payments an hour are written on any connection, however quiet it was."""
EVERY_PARTNER = "*"
"""It takes the place of a partner's id in a stop for all."""


@dataclass(frozen=True, slots=True)
class PaymentStop:
    """A stop keeps a partner's payments, or everybody's, from being written."""

    partner_id: str
    """It is ``EVERY_PARTNER`` for a stop for all."""
    stopped_at: datetime
    note: str = ""


@dataclass(frozen=True, slots=True)
class RestoreMark:
    """The ledger was restored to an earlier time, so that it may lack payments that stand in
    ConnectWise: an invoice is compared with it before anything is posted there."""

    restored_at: datetime


@dataclass(frozen=True, slots=True)
class PaymentRate:
    """The rate counts the payments that a connection posts an hour, now and at its busiest."""

    connection_id: str
    hour: datetime
    """The hour that ``count`` is of."""
    count: int = 0
    busiest: int = 0
    """The most payments of an earlier hour."""

    @property
    def limit(self) -> int:
        """Return how many payments an hour look usual."""
        return max(PAYMENTS_AT_FIRST, MULTIPLE_OF_BUSIEST * self.busiest)

    @property
    def is_unusual(self) -> bool:
        return self.count > self.limit

    def with_one_more(self, now: datetime) -> PaymentRate:
        """Count a payment that is about to be posted."""
        current = self.at(now)
        return replace(current, count=current.count + 1)

    def at(self, now: datetime) -> PaymentRate:
        """Return the rate as of now: with a new hour the old one may become the busiest."""
        hour = hour_of(now)
        if hour <= self.hour:
            return self
        usual = min(self.count, self.limit)
        return replace(self, hour=hour, count=0, busiest=max(self.busiest, usual))

    def approved(self) -> PaymentRate:
        """Return the rate after a person said that so many payments are meant."""
        return replace(self, busiest=max(self.busiest, self.count))


def hour_of(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
