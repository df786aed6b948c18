"""The queues and the bus that use cases send to."""

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

        Waiting is not the queue's business: a write-back that is not due is found again by its
        ``due_at``.
        """
        ...


class EventBus(Protocol):
    def publish(self, events: Sequence[DomainEvent]) -> None:
        """Publish events at least once each; their order is not kept."""
        ...
