"""The call log counts the calls of each route, which proves or disproves a call budget."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from datetime import datetime

MAX_ENTRIES = 5_000


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """A logged call is one request to the API and its answer."""

    at: datetime
    method: str
    route: str
    """The template, such as `/finance/invoices/{id}`."""
    target: str
    """Path and query as they came."""
    status: int


class CallLog:
    """A call log counts by method and route template and keeps the last MAX_ENTRIES calls."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._entries: deque[LoggedCall] = deque(maxlen=MAX_ENTRIES)

    def add(self, call: LoggedCall) -> None:
        """Count a call."""
        self._counts[f"{call.method} {call.route}"] += 1
        self._entries.append(call)

    def reset(self) -> None:
        """Start counting anew."""
        self._counts.clear()
        self._entries.clear()

    @property
    def total(self) -> int:
        """Return the number of calls since the last reset."""
        return self._counts.total()

    def counts(self) -> dict[str, int]:
        """Return the number of calls by `METHOD /route/{template}`."""
        return dict(sorted(self._counts.items()))

    def recent(self, limit: int) -> list[LoggedCall]:
        """Return the last calls, at most `limit`, oldest first."""
        return list(self._entries)[-limit:] if limit > 0 else []
