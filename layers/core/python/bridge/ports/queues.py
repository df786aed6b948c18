"""Use cases send to these queues and this bus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bridge.domain.events import DomainEvent
from bridge.domain.hint import Hint
from bridge.domain.run import Run
from bridge.domain.work_messages import PdfRequest
from bridge.domain.write_back import WriteBack


class HintQueue(Protocol):
    def send(self, hints: Sequence[Hint], *, delay_seconds: int = 0) -> None: ...


class RunQueue(Protocol):
    def send(self, run: Run, *, delay_seconds: int = 0) -> None:
        """Ask a worker to do the run's next page."""
        ...


class PdfQueue(Protocol):
    def send(self, requests: Sequence[PdfRequest]) -> None: ...


class WriteBackQueue(Protocol):
    def send(self, write_back: WriteBack) -> None:
        """Ask a worker to drive the write-back on, in order per connection and invoice.

        The queue delivers at once: a write-back that is due later is found by its ``due_at``.
        """
        ...


class EventBus(Protocol):
    def publish(self, events: Sequence[DomainEvent]) -> None:
        """Publish events at least once each, in any order."""
        ...
