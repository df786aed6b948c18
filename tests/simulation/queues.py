"""Queues as SQS keeps them: messages come at least once, and poison moves aside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from bridge.aws.messages import write_hint, write_pdf_request, write_run, write_write_back
from bridge.domain.errors import InvalidInputError
from bridge.domain.hint import Hint
from bridge.domain.run import Run
from bridge.domain.work_messages import PdfRequest, RunMessage, WriteBackMessage
from bridge.domain.write_back import WriteBack
from bridge.ports import Clock
from tests.simulation.watching import Observer

MAX_SENT_AT_ONCE = 10
MAX_DELAY_SECONDS = 900


@dataclass(eq=False)
class QueuedMessage:
    message_id: str
    body: str
    visible_at: datetime
    receives: int = 0


@dataclass
class SimulatedQueue:
    """A queue without an order.

    ``visibility_seconds`` hide a message that was received; one that was received
    ``max_receives`` times without success goes to ``dead_letters`` (None: it stays for ever).
    ``lateness`` tells, by the queue's name, how late a message comes; None when it is lost.
    ``lost`` are the bodies of those, in their order.
    """

    name: str
    clock: Clock
    visibility_seconds: float
    max_receives: int = 5
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
        visible_at = self.clock.now() + timedelta(seconds=delay_seconds) + late
        message = QueuedMessage(f"{self.name}-{self.sent}", body, visible_at)
        self.messages.append(message)
        return message

    def visible(self) -> list[QueuedMessage]:
        now = self.clock.now()
        return [message for message in self._first_in_line() if message.visible_at <= now]

    def has_visible(self) -> bool:
        now = self.clock.now()
        return any(message.visible_at <= now for message in self._first_in_line())

    def _first_in_line(self) -> Iterable[QueuedMessage]:
        """Return the messages that wait for no other one."""
        return self.messages

    def receive(self, limit: int, random: Random) -> list[QueuedMessage]:
        """Take up to ``limit`` visible messages, in no order, and hide them for a while."""
        visible = self.visible()
        taken: list[QueuedMessage] = []
        for message in random.sample(visible, min(limit, len(visible))):
            if message.receives >= self.max_receives and self.dead_letters:
                self._remove(message)
                self.dead_letters.put(message.body)
                continue
            message.receives += 1
            message.visible_at = self.clock.now() + timedelta(seconds=self.visibility_seconds)
            taken.append(message)
        return taken

    def delete(self, message: QueuedMessage) -> None:
        """Delete a message; it may be gone already."""
        if message in self.messages:
            self._remove(message)

    def _remove(self, message: QueuedMessage) -> None:
        self.messages.remove(message)

    def next_visible_at(self) -> datetime | None:
        return min((message.visible_at for message in self.messages), default=None)


@dataclass
class FifoQueue(SimulatedQueue):
    """A queue in order within each group: it shows the first message of a group, and nothing of
    the group while that one is hidden."""

    lines: dict[int, list[QueuedMessage]] = field(default_factory=dict)
    groups: dict[str, int] = field(default_factory=dict)

    def put_in_group(self, group: int, body: str) -> None:
        message = self.put(body)
        if message is not None:
            self.groups[message.message_id] = group
            self.lines.setdefault(group, []).append(message)

    def _first_in_line(self) -> Iterable[QueuedMessage]:
        return [line[0] for line in self.lines.values() if line]

    def _remove(self, message: QueuedMessage) -> None:
        super()._remove(message)
        self.lines[self.groups[message.message_id]].remove(message)

    def receive(self, limit: int, random: Random) -> list[QueuedMessage]:
        """Take one message; a write-back is driven by an invocation of its own."""
        return super().receive(min(limit, 1), random)


class _Sender:
    """Puts bodies into a queue in the batches of the SQS API, each a call that may fail."""

    def __init__(self, queue: SimulatedQueue, observer: Observer) -> None:
        self._queue = queue
        self._observer = observer

    def _put_all(self, bodies: Sequence[str], delay_seconds: int = 0) -> None:
        if not 0 <= delay_seconds <= MAX_DELAY_SECONDS:
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


class SimulatedRunQueue(_Sender):
    def send(self, run: Run, *, delay_seconds: int = 0) -> None:
        message = RunMessage(run.connection_id, run.run_id, run.page_count)
        self._put_all([write_run(message)], delay_seconds)


class SimulatedPdfQueue(_Sender):
    def send(self, requests: Sequence[PdfRequest]) -> None:
        self._put_all([write_pdf_request(request) for request in requests])


class SimulatedWriteBackQueue:
    def __init__(self, queue: FifoQueue, observer: Observer) -> None:
        self._queue = queue
        self._observer = observer

    def send(self, write_back: WriteBack) -> None:
        body = write_write_back(
            WriteBackMessage(write_back.connection_id, write_back.write_back_id)
        )

        def put() -> None:
            self._queue.put_in_group(write_back.invoice_source_id, body)

        self._observer.pass_through(("queue", f"send_{self._queue.name}"), put)
