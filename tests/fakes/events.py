"""A bus that remembers what was published."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.domain.events import DomainEvent


class InMemoryEventBus:
    def __init__(self) -> None:
        self.published: list[DomainEvent] = []

    def publish(self, events: Sequence[DomainEvent]) -> None:
        self.published += events
