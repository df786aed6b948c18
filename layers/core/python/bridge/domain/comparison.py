"""A comparison tells how the records of one kind differ between the mirror and ConnectWise."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from enum import StrEnum


class Difference(StrEnum):
    """A record that differs is counted once, for the gravest of its differences: the first here."""

    MISSING_HERE = "missing_here"
    """ConnectWise lists it, and the mirror lacks it."""
    MISSING_THERE = "missing_there"
    """Only the mirror has it, in its open view."""
    BALANCE = "balance"
    """What is owed: total, payments, credits, balance."""
    PAYER = "payer"
    """Who owes it."""
    STATUS = "status"
    """Its status, the status's name, and whether that closes the record."""
    DETAILS = "details"
    """Something else that both sides show."""
    CHANGED = "changed"
    """The date of change alone; the records themselves may be equal."""
    PAYMENTS_UNREAD = "payments_unread"
    """Its head agrees, and its payments are still to be read."""


@dataclass(frozen=True, slots=True)
class DifferenceCounts:
    """How many records differ, by their gravest difference."""

    missing_here: int = 0
    missing_there: int = 0
    balance: int = 0
    payer: int = 0
    status: int = 0
    details: int = 0
    changed: int = 0
    payments_unread: int = 0

    @property
    def total(self) -> int:
        return sum(getattr(self, each.name) for each in fields(self))

    def __add__(self, other: DifferenceCounts) -> DifferenceCounts:
        return DifferenceCounts(
            **{
                each.name: getattr(self, each.name) + getattr(other, each.name)
                for each in fields(self)
            }
        )

    @classmethod
    def of(cls, differences: Iterable[Difference]) -> DifferenceCounts:
        found = list(differences)
        return cls(**{each.value: found.count(each) for each in Difference if each in found})


@dataclass(frozen=True, slots=True)
class Comparison:
    """A run compares what it was listed with the mirror, and with ConnectWise's own count."""

    compared: int = 0
    """The records that were held against the mirror's: those on either side."""
    differing: DifferenceCounts = field(default_factory=DifferenceCounts)
    listed: int = 0
    """The records that ConnectWise listed for the run, readable or not."""
    unreadable_rows: int = 0
    """Those of the listed whose very id is unreadable."""
    counted: int | None = None
    """ConnectWise's own count at the end, with the same conditions; None before the end."""

    @property
    def is_complete(self) -> bool:
        """Tell whether the list was as long as ConnectWise's count."""
        return self.counted == self.listed

    def with_page(
        self,
        *,
        compared: int,
        differences: Iterable[Difference],
        listed: int,
        unreadable_rows: int = 0,
    ) -> Comparison:
        """Return the comparison with one page added."""
        return replace(
            self,
            compared=self.compared + compared,
            differing=self.differing + DifferenceCounts.of(differences),
            listed=self.listed + listed,
            unreadable_rows=self.unreadable_rows + unreadable_rows,
        )


def difference_between(stored: str, listed: str) -> Difference:
    """Return the gravest difference between two unequal change fingerprints.

    A fingerprint is a JSON object of the values that each kind of difference is about.
    """
    before, now = _groups(stored), _groups(listed)
    named = (each for each in Difference if before.get(each) != now.get(each))
    return next(named, Difference.CHANGED) if before and now else Difference.CHANGED


def is_earlier(fingerprint: str, than: str) -> bool:
    """Tell whether a change fingerprint has an earlier date of change than another one.

    It is False where either lacks a date that can be read.
    """
    one, other = _date_of_change(fingerprint), _date_of_change(than)
    return one is not None and other is not None and one < other


def _date_of_change(fingerprint: str) -> datetime | None:
    values = _groups(fingerprint).get(Difference.CHANGED)
    text = values[0] if isinstance(values, list) and values else None
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)


def _groups(fingerprint: str) -> Mapping[str, object]:
    """Return the groups of a fingerprint; one of an earlier form has an empty set."""
    try:
        groups = json.loads(fingerprint)
    except ValueError:
        return {}
    return groups if isinstance(groups, Mapping) else {}
