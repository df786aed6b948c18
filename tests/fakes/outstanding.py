"""Outstanding sums in memory."""

from __future__ import annotations

from bridge.domain.receivables import Outstanding


class InMemoryOutstandingStore:
    def __init__(self) -> None:
        self._sums: dict[str, Outstanding] = {}

    def get(self, partner_id: str) -> Outstanding | None:
        return self._sums.get(partner_id)

    def save(self, outstanding: Outstanding) -> None:
        self._sums[outstanding.partner_id] = outstanding
