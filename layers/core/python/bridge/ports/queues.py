"""Use cases send to these queues and this bus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bridge.domain.events import DomainEvent
from bridge.domain.hint import Hint
from bridge.domain.run import Run
from bridge.domain.work_messages import (
    JobMessage,
    PdfRequest,
    SigningKeyRequest,
    TickMessage,
)
from bridge.domain.write_back import WriteBack


class HintQueue(Protocol):
    def send(self, hints: Sequence[Hint], *, delay_seconds: int = 0) -> None: ...


class HintsAloneQueue(Protocol):
    def move(self, hints: Sequence[Hint]) -> None:
        """Have each of the hints worked on by itself, since its worker may have died of it."""
        ...


class SigningKeyQueue(Protocol):
    def send(self, request: SigningKeyRequest) -> None:
        """Ask a worker that has the member's keys to fetch a signing key."""
        ...


class RunQueue(Protocol):
    def send(self, run: Run, *, delay_seconds: int = 0, times_put_off: int = 0) -> None:
        """Ask a worker to do the run's next page.

        ``times_put_off`` tells the worker how often in a row the page was to wait for a turn.
        """
        ...


class PdfQueue(Protocol):
    def send(
        self, requests: Sequence[PdfRequest], *, partner_id: str, delay_seconds: int = 0
    ) -> None:
        """Ask a worker for PDFs of one partner's invoices."""
        ...


class WriteBackQueue(Protocol):
    def send(
        self, write_back: WriteBack, *, delay_seconds: int = 0, times_put_off: int = 0
    ) -> None:
        """Ask a worker to drive the write-back on, at once or after the delay, in any order.

        ``times_put_off`` tells the worker how often the asking was put off before. Raises
        InvalidInputError for a delay over ``LONGEST_DELAY_SECONDS``: a write-back that is due
        later than that is found by its time.
        """
        ...


class JobQueue(Protocol):
    def send(self, planned: Sequence[tuple[JobMessage, int]]) -> None:
        """Ask workers to do jobs, each after its delay in seconds.

        Raises InvalidInputError for a delay over ``LONGEST_DELAY_SECONDS``.
        """
        ...

    def go_on(self, message: TickMessage) -> None:
        """Ask a worker to go on with a tick."""
        ...


class EventBus(Protocol):
    def publish(self, events: Sequence[DomainEvent]) -> None:
        """Publish events at least once each, in any order."""
        ...
