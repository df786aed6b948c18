"""The functions that work off queues, with the timings that the service stack gives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.entrypoints.batches import (
    hints_in,
    pdf_requests_in,
    run_messages_in,
    write_back_messages_in,
)
from tests.simulation.wiring import Wiring

Event = Mapping[str, Any]
Reply = Mapping[str, Any]

# As in infra.constructs.queue_worker: a message stays hidden for six times the function's life.
VISIBILITY_PER_TIMEOUT = 6
DEAD_LETTERS_TIMEOUT_SECONDS = 30.0
WRITE_BACK_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class QueueFunction:
    """What works off one queue: its batches are answered with the ids to be repeated."""

    queue: str
    timeout_seconds: float
    batch_size: int
    handle: Callable[[Wiring, Event], Reply]


def _work_hints(wiring: Wiring, event: Event) -> Reply:
    batch = hints_in(event)
    failed = wiring.hint_processor.process(tuple(batch.messages.values()))
    return batch.reply(message_id for message_id, hint in batch.messages.items() if hint in failed)


def _work_run_steps(wiring: Wiring, event: Event) -> Reply:
    return run_messages_in(event).work_each(wiring.run_worker.work)


def _work_pdfs(wiring: Wiring, event: Event) -> Reply:
    return pdf_requests_in(event).work_each(wiring.pdf_keeper.keep)


def _work_write_backs(wiring: Wiring, event: Event) -> Reply:
    return write_back_messages_in(event).work_each(wiring.write_back_turns.drive)


def _park(wiring: Wiring, event: Event) -> Reply:
    return wiring.dead_letters.park(event)


WORKERS: tuple[QueueFunction, ...] = (
    QueueFunction("hints", 120.0, 10, _work_hints),
    QueueFunction("run-steps", 600.0, 1, _work_run_steps),
    QueueFunction("pdfs", 120.0, 5, _work_pdfs),
)
"""What the sync lives on."""
WRITE_BACK_WORKER = QueueFunction("writebacks", WRITE_BACK_SECONDS, 1, _work_write_backs)


def parker_of(worker: QueueFunction) -> QueueFunction:
    """Return what works off the dead letters of a worker's queue."""
    return QueueFunction(f"{worker.queue}-dead", DEAD_LETTERS_TIMEOUT_SECONDS, 10, _park)
