"""The store keeps the latest sums of a partner's unpaid invoices."""

from __future__ import annotations

from typing import Protocol

from bridge.domain.receivables import Outstanding


class OutstandingStore(Protocol):
    """A partner has one set of sums, and a newer one takes its place."""

    def get(self, partner_id: str) -> Outstanding | None: ...

    def save(self, outstanding: Outstanding) -> None: ...
