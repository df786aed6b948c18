"""Payments of ours that may stand twice, since ConnectWise did what the bridge must not assume."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.ports import Clock


@dataclass(slots=True)
class Double:
    """A payment that may stand beside another of the same money, and by when that is shown."""

    invoice_source_id: int
    expected_at: datetime
    landed_until: datetime
    due_at: datetime


class Doubles:
    """Knows how many payments too many an invoice may have, by their amount."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._allowed: Counter[tuple[int, int]] = Counter()
        self.pending: list[Double] = []

    def expect(
        self, invoice_source_id: int, amount_minor: int, *, lands: timedelta, within: timedelta
    ) -> None:
        """Let one payment more stand there, which takes effect in the first of these times, if it
        is shown within the other."""
        now = self._clock.now()
        self._allowed[invoice_source_id, amount_minor] += 1
        self.pending.append(Double(invoice_source_id, now, now + lands, now + within))

    def allowed(self, invoice_source_id: int, amount_minor: int) -> int:
        return self._allowed[invoice_source_id, amount_minor]

    def allowed_on(self, invoice_source_id: int) -> int:
        """Return how many there may be of any amount."""
        return sum(n for (invoice, _), n in self._allowed.items() if invoice == invoice_source_id)

    def take_due(self) -> list[Double]:
        """Return what is to be shown by now, and forget it."""
        now = self._clock.now()
        due = [each for each in self.pending if each.due_at <= now]
        if due:
            self.pending = [each for each in self.pending if each.due_at > now]
        return due
