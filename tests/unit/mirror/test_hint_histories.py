"""Whatever becomes of callbacks, messages and workers, the mirror ends as ConnectWise is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.hint import Hint, HintReason
from bridge.domain.identity import RecordKind
from bridge.domain.invoice import Invoice
from bridge.domain.mirrored_kinds import MirroredKind, R
from bridge.ports import Fetched
from tests.builders.records import CONNECTION, a_customer, an_invoice
from tests.fakes.clock import FakeClock
from tests.unit.mirror.bench import Bench
from tests.unit.mirror.psa import FakeGateway, FakePsa

INVOICE = RecordKind.INVOICE
IDS = (1001, 1002)
MAX_LAG_SECONDS = 4.0
HIDDEN_SECONDS = 70.0
MAX_DEPTH = 2
MAX_STEPS = 2_000


class WorkerKilledError(BaseException):
    """The worker is gone with all its memory."""


@dataclass(eq=False)
class Waiting:
    """One message of the queue."""

    hint: Hint
    sent_at: datetime
    due_at: datetime


class Queue:
    """Keeps hints as SQS does: with the time at which they were sent, and until they are done."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.messages: list[Waiting] = []

    def send(self, hints: Sequence[Hint], *, delay_seconds: float = 0) -> None:
        now = self._clock.now()
        due_at = now + timedelta(seconds=delay_seconds)
        self.messages += [Waiting(hint, now, due_at) for hint in hints]

    def due(self) -> list[Waiting]:
        return [each for each in self.messages if each.due_at <= self._clock.now()]


class LaggingPsa(FakePsa):
    """Shows an edit some seconds after it was made, and lets the story go on while it is read."""

    def __init__(self, story: Story) -> None:
        super().__init__(story.clock)
        self.story = story
        self.edits: dict[int, list[tuple[datetime, Invoice]]] = {each: [] for each in IDS}

    def edit(self, source_id: int, invoice: Invoice, *, shown_at: datetime) -> None:
        earlier = self.edits[source_id][-1][0] if self.edits[source_id] else shown_at
        self.edits[source_id].append((max(earlier, shown_at), invoice))

    def fetch(self, kind: MirroredKind[R], source_ids: Sequence[int], **asked: Any) -> Fetched[R]:
        self.story.something_happens()
        for source_id, edits in self.edits.items():
            shown = [invoice for at, invoice in edits if at <= self.story.clock.now()]
            if shown and self.records.get((INVOICE, source_id)) != shown[-1]:
                self.put(shown[-1])
        fetched = super().fetch(kind, source_ids, **asked)
        self.story.something_happens()
        return fetched


class Story:
    """Edits, callbacks and workers, by dice."""

    def __init__(self, seed: int) -> None:
        self.dice = Random(seed)
        self.bench = Bench()
        self.clock = self.bench.clock
        self.psa = LaggingPsa(self)
        self.psa.put(a_customer())
        self.bench.gateway = FakeGateway(self.psa)
        self.queue = self.bench.hints = Queue(self.clock)  # type: ignore[assignment]
        self.edits_left = self.dice.randint(1, 8)
        self.is_calm = False
        self.depth = 0

    def play(self) -> None:
        for _ in range(MAX_STEPS):
            if not self.edits_left and not self.queue.messages:
                return
            self.is_calm = not self.edits_left
            self._step()
        raise AssertionError("hints do not end")

    def something_happens(self) -> None:
        """Let time pass in the middle of a read, others act, or the worker die."""
        if self.dice.random() < 0.5:
            self.clock.advance(seconds=self.dice.choice((0.1, 1.0, 3.0, 8.0)))
        if self.depth < MAX_DEPTH and self.dice.random() < 0.4:
            self._step()
        if not self.is_calm and self.dice.random() < 0.1:
            raise WorkerKilledError

    def _step(self) -> None:
        if self.edits_left and self.dice.random() < 0.4:
            self._edit()
        elif self.queue.due() and self.dice.random() < 0.8:
            self._work()
        else:
            self.clock.advance(seconds=self.dice.choice((0.2, 1.0, 5.0, 20.0)))

    def _edit(self) -> None:
        self.edits_left -= 1
        source_id = self.dice.choice(IDS)
        lag = timedelta(seconds=self.dice.choice((0.0, 0.0, 0.5, 2.0, MAX_LAG_SECONDS)))
        invoice = an_invoice(source_id, reference=f"edit {self.edits_left}")
        self.psa.edit(source_id, invoice, shown_at=self.clock.now() + lag)
        for _ in range(self.dice.choice((1, 1, 2, 4))):
            hint = Hint(CONNECTION, INVOICE, source_id, HintReason.CALLBACK)
            late = self.dice.choice((0.0, 0.1, 1.0, 6.0, 40.0))
            # A callback on its way is a message that is not sent yet: it comes when it is due.
            came_at = self.clock.now() + timedelta(seconds=late)
            self.queue.messages.append(Waiting(hint, came_at, came_at))

    def _work(self) -> None:
        due = self.queue.due()
        batch = self.dice.sample(due, self.dice.randint(1, min(len(due), 10)))
        for message in batch:
            message.due_at = self.clock.now() + timedelta(seconds=HIDDEN_SECONDS)
        hints = {
            id(each): replace(each.hint, came_at=each.hint.came_at or each.sent_at)
            for each in batch
        }
        self.depth += 1
        try:
            failed = self.bench.hint_processor.process(tuple(hints.values()))
        except WorkerKilledError:
            return
        finally:
            self.depth -= 1
        is_repeated = self.dice.random() < 0.1
        for message in batch:
            if hints[id(message)] not in failed and not is_repeated:
                self.queue.messages.remove(message)


@given(st.integers(0, 2**32))
def test_every_edit_arrives(seed: int) -> None:
    story = Story(seed)

    story.play()

    for source_id, edits in story.psa.edits.items():
        if edits:
            assert story.bench.invoice(source_id) == edits[-1][1]
