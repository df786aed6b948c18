"""Queues in memory: they keep messages with their due times and give out those that are due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from bridge.domain.errors import InvalidInputError
from bridge.domain.hint import Hint
from bridge.domain.run import Run
from bridge.domain.work_messages import (
    LONGEST_DELAY_SECONDS,
    JobMessage,
    PdfRequest,
    RunMessage,
    SigningKeyRequest,
    TickMessage,
    WriteBackMessage,
)
from bridge.domain.write_back import WriteBack
from bridge.ports import Clock

T = TypeVar("T")


@dataclass(frozen=True)
class Message(Generic[T]):
    body: T
    due_at: datetime


class InMemoryQueue(Generic[T]):
    """``sent`` remembers every message ever sent, in order; ``error`` makes sends fail."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.sent: list[T] = []
        self.waiting: list[Message[T]] = []
        self.error: Exception | None = None

    def take_due(self, *, limit: int = 10) -> list[T]:
        """Take up to ``limit`` messages that are due, the longest due first."""
        now = self._clock.now()
        due = sorted((m for m in self.waiting if m.due_at <= now), key=lambda m: m.due_at)[:limit]
        for message in due:
            self.waiting.remove(message)
        return [message.body for message in due]

    def next_due_at(self) -> datetime | None:
        return min((message.due_at for message in self.waiting), default=None)

    def _add(self, bodies: Sequence[T], delay_seconds: int = 0) -> None:
        if self.error:
            raise self.error
        if not 0 <= delay_seconds <= LONGEST_DELAY_SECONDS:
            raise InvalidInputError("delay is out of range", field="delay_seconds")
        due_at = self._clock.now() + timedelta(seconds=delay_seconds)
        self.sent += bodies
        self.waiting += [Message(body, due_at) for body in bodies]


class InMemoryHintQueue(InMemoryQueue[Hint]):
    def send(self, hints: Sequence[Hint], *, delay_seconds: int = 0) -> None:
        self._add(hints, delay_seconds)


class InMemoryHintsAloneQueue(InMemoryQueue[Hint]):
    def move(self, hints: Sequence[Hint]) -> None:
        self._add(hints)


class InMemorySigningKeyQueue(InMemoryQueue[SigningKeyRequest]):
    def send(self, request: SigningKeyRequest) -> None:
        self._add([request])


class InMemoryRunQueue(InMemoryQueue[RunMessage]):
    def send(self, run: Run, *, delay_seconds: int = 0, times_put_off: int = 0) -> None:
        message = RunMessage(run.connection_id, run.run_id, run.page_count, times_put_off)
        self._add([message], delay_seconds)


class InMemoryJobQueue(InMemoryQueue[JobMessage | TickMessage]):
    def send(self, planned: Sequence[tuple[JobMessage, int]]) -> None:
        for message, delay_seconds in planned:
            self._add([message], delay_seconds)

    def go_on(self, message: TickMessage) -> None:
        self._add([message])


class InMemoryPdfQueue(InMemoryQueue[PdfRequest]):
    def send(
        self,
        requests: Sequence[PdfRequest],
        *,
        partner_id: str,
        delay_seconds: int = 0,
    ) -> None:
        self._add(requests, delay_seconds)


class InMemoryWriteBackQueue(InMemoryQueue[WriteBackMessage]):
    """Messages come out with the longest due first, one of the orders in which SQS may bring them.

    ``write_backs`` are the write-backs of the messages ever sent, as they were then.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.write_backs: list[WriteBack] = []

    def send(
        self, write_back: WriteBack, *, delay_seconds: int = 0, times_put_off: int = 0
    ) -> None:
        ids = (write_back.connection_id, write_back.write_back_id)
        self._add([WriteBackMessage(*ids, times_put_off)], delay_seconds)
        self.write_backs.append(write_back)


class InMemoryParkedQueue:
    """Keeps dead letters for an operator: each body with the queue that it failed in."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str]] = []

    def send(self, body: str, *, source: str) -> None:
        self.messages.append((body, source))
