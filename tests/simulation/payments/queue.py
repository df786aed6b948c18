"""The FIFO queue of write-backs, as SQS keeps one: in order within an invoice, at least once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random

from bridge.aws.messages import write_write_back
from bridge.domain.work_messages import WriteBackMessage
from bridge.domain.write_back import WriteBack
from tests.simulation.queues import QueuedMessage, SimulatedQueue
from tests.simulation.watching import Observer


@dataclass
class FifoQueue(SimulatedQueue):
    """Shows the first message of each group, and nothing of a group while that one is hidden."""

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


class SimulatedWriteBackQueue:
    """See ``payment_ports.WriteBackQueue``."""

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
