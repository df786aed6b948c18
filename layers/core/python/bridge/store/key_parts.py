"""Every key is made of these parts, none of which can forge another's."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from bridge.domain.errors import InvalidInputError

# They sort before and after every text that a key may hold.
FIRST: Final = "\0"
LAST: Final = "\U0010ffff"
_PART = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True, slots=True)
class Key:
    """A key names one item: every table has a text ``pk`` and a text ``sk``."""

    pk: str
    sk: str

    def attributes(self) -> dict[str, str]:
        return {"pk": self.pk, "sk": self.sk}


def timestamp(moment: datetime) -> str:
    """Return an aware time as UTC text of fixed width, which sorts as time does."""
    if moment.tzinfo is None:
        raise ValueError("a stored time needs a time zone")
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def date_or(day: date | None, missing: str) -> str:
    """Return a day as text, or another text where it is missing."""
    return day.isoformat() if day else missing


def partner_part(partner_id: str) -> str:
    return f"PARTNER#{part(partner_id)}"


def connection_part(connection_id: str) -> str:
    return f"CONNECTION#{part(connection_id)}"


def part(text: str) -> str:
    """Return an id as a part of a key. Raises InvalidInputError for any other text."""
    if not _PART.fullmatch(text):
        raise InvalidInputError("not an id", field="id")
    return text


def days_between(first: date | None, last: date | None) -> tuple[str, str]:
    """Return the bounds of sort keys that begin with a time on these days, both inclusive."""
    return first.isoformat() if first else FIRST, f"{last.isoformat()}T{LAST}" if last else LAST
