"""What the use cases send, and the time they do it in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from bridge.domain.events import DomainEvent
from bridge.domain.hint import Hint
from bridge.domain.run import Run
from bridge.domain.work_messages import PdfRequest


class HintQueue(Protocol):
    def send(self, hints: Sequence[Hint], *, delay_seconds: int = 0) -> None: ...


class RunQueue(Protocol):
    def send(self, run: Run, *, delay_seconds: int = 0) -> None:
        """Ask a worker to do the run's next page."""
        ...


class PdfQueue(Protocol):
    def send(self, requests: Sequence[PdfRequest]) -> None: ...


class EventBus(Protocol):
    def publish(self, events: Sequence[DomainEvent]) -> None:
        """Publish events at least once each; their order is not kept."""
        ...


class DocumentStore(Protocol):
    def put_pdf(self, key: str, content: bytes) -> None: ...

    def has_pdf(self, key: str) -> bool: ...

    def presign_pdf(self, key: str, *, file_name: str, lifetime_seconds: int) -> str: ...


class Clock(Protocol):
    def now(self) -> datetime:
        """Return the time in UTC."""
        ...

    def sleep(self, seconds: float) -> None: ...

    def remaining_seconds(self) -> float:
        """Return the time this worker may still use."""
        ...
