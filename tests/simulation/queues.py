"""Queues as SQS keeps them: messages come at least once, and poison moves aside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from bridge.aws.messages import (
    is_key_request,
    read_hint,
    write_hint,
    write_job,
    write_key_request,
    write_pdf_request,
    write_run,
    write_tick,
    write_write_back,
)
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
from tests.simulation.watching import Observer

MAX_SENT_AT_ONCE = 10


@dataclass(eq=False)
class QueuedMessage:
    message_id: str
    body: str
    sent_at: datetime
    visible_at: datetime
    receives: int = 0


@dataclass
class SimulatedQueue:
    """A queue without an order, which honours delays.

    ``visibility_seconds`` hide a message that was received; one that was received
    ``max_receives`` times without success goes to ``dead_letters`` (None: it stays for ever).
    ``lateness`` tells, by the queue's name, how late a message comes; None when it is lost.
    ``lost`` are the bodies of those, in their order.
    """

    name: str
    clock: Clock
    visibility_seconds: float
    max_receives: int = 3
    dead_letters: SimulatedQueue | None = None
    lateness: Callable[[str], timedelta | None] = lambda _: timedelta(0)
    messages: list[QueuedMessage] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    sent: int = 0

    def put(self, body: str, *, delay_seconds: float = 0) -> QueuedMessage | None:
        """Return the message as it waits now, or None when it is lost."""
        late = self.lateness(self.name)
        if late is None:
            self.lost.append(body)
            return None
        self.sent += 1
        sent_at = self.clock.now()
        visible_at = sent_at + timedelta(seconds=delay_seconds) + late
        message = QueuedMessage(f"{self.name}-{self.sent}", body, sent_at, visible_at)
        self.messages.append(message)
        return message

    def visible(self) -> list[QueuedMessage]:
        now = self.clock.now()
        return [message for message in self.messages if message.visible_at <= now]

    def has_visible(self) -> bool:
        now = self.clock.now()
        return any(message.visible_at <= now for message in self.messages)

    def receive(self, limit: int, random: Random) -> list[QueuedMessage]:
        """Take up to ``limit`` visible messages, in no order, and hide them for a while."""
        visible = self.visible()
        taken: list[QueuedMessage] = []
        for message in random.sample(visible, min(limit, len(visible))):
            if message.receives >= self.max_receives and self.dead_letters:
                self.messages.remove(message)
                self.dead_letters.put(message.body)
                continue
            message.receives += 1
            message.visible_at = self.clock.now() + timedelta(seconds=self.visibility_seconds)
            taken.append(message)
        return taken

    def delete(self, message: QueuedMessage) -> None:
        """Delete a message; it may be gone already."""
        if message in self.messages:
            self.messages.remove(message)

    def next_visible_at(self) -> datetime | None:
        return min((message.visible_at for message in self.messages), default=None)


class _Sender:
    """Puts bodies into a queue in the batches of the SQS API, each a call that may fail."""

    def __init__(self, queue: SimulatedQueue, observer: Observer) -> None:
        self._queue = queue
        self._observer = observer

    def _put_all(self, bodies: Sequence[str], delay_seconds: int = 0) -> None:
        if not 0 <= delay_seconds <= LONGEST_DELAY_SECONDS:
            raise InvalidInputError("delay is out of range", field="delay_seconds")
        for start in range(0, len(bodies), MAX_SENT_AT_ONCE):
            self._put_batch(bodies[start : start + MAX_SENT_AT_ONCE], delay_seconds)

    def _put_batch(self, bodies: Sequence[str], delay_seconds: int) -> None:
        def put() -> None:
            for body in bodies:
                self._queue.put(body, delay_seconds=delay_seconds)

        self._observer.pass_through(("queue", f"send_{self._queue.name}"), put)


class SimulatedHintQueue(_Sender):
    def send(self, hints: Sequence[Hint], *, delay_seconds: int = 0) -> None:
        self._put_all([write_hint(hint) for hint in hints], delay_seconds)


class SimulatedHintsAloneQueue(_Sender):
    def move(self, hints: Sequence[Hint]) -> None:
        self._put_all([write_hint(hint) for hint in hints])


class SimulatedSigningKeyQueue(_Sender):
    def send(self, request: SigningKeyRequest) -> None:
        self._put_all([write_key_request(request)])


def hints_among(bodies: Iterable[str]) -> list[Hint]:
    """Return the hints of a queue that carries requests for signing keys as well."""
    return [read_hint(body) for body in bodies if not is_key_request(body)]


class SimulatedRunQueue(_Sender):
    def send(self, run: Run, *, delay_seconds: int = 0, times_put_off: int = 0) -> None:
        message = RunMessage(run.connection_id, run.run_id, run.page_count, times_put_off)
        self._put_all([write_run(message)], delay_seconds)


class SimulatedJobQueue(_Sender):
    def send(self, planned: Sequence[tuple[JobMessage, int]]) -> None:
        for message, delay_seconds in planned:
            self._put_all([write_job(message)], delay_seconds)

    def go_on(self, message: TickMessage) -> None:
        self._put_all([write_tick(message)])


class SimulatedPdfQueue(_Sender):
    def send(
        self,
        requests: Sequence[PdfRequest],
        *,
        partner_id: str,
        delay_seconds: int = 0,
    ) -> None:
        self._put_all([write_pdf_request(request) for request in requests], delay_seconds)


class SimulatedWriteBackQueue(_Sender):
    def send(
        self, write_back: WriteBack, *, delay_seconds: int = 0, times_put_off: int = 0
    ) -> None:
        ids = (write_back.connection_id, write_back.write_back_id)
        self._put_all([write_write_back(WriteBackMessage(*ids, times_put_off))], delay_seconds)
