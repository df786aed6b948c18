"""The functions that work off queues, with the timings that the service stack gives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.connections.site_turns import STEP_LIFE
from bridge.entrypoints.batches import (
    jobs_in,
    joined,
    key_requests_in,
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
    keys = key_requests_in(event).work_each(wiring.signing_key_fetch.fetch)
    return joined(keys, wiring.hint_batches.work_off(event))


def _work_run_steps(wiring: Wiring, event: Event) -> Reply:
    return run_messages_in(event).work_each(wiring.run_worker.work)


def _work_pdfs(wiring: Wiring, event: Event) -> Reply:
    return pdf_requests_in(event).work_each(wiring.pdf_keeper.keep)


def _work_write_backs(wiring: Wiring, event: Event) -> Reply:
    return write_back_messages_in(event).work_each(wiring.write_back_turns.drive)


def _work_jobs(wiring: Wiring, event: Event) -> Reply:
    return jobs_in(event).work_each(wiring.reconciler_jobs.work)


def _park(wiring: Wiring, event: Event) -> Reply:
    return wiring.dead_letters.park(event)


JOBS = QueueFunction("jobs", 90.0, 1, _work_jobs)
WORKERS: tuple[QueueFunction, ...] = (
    QueueFunction("hints", 60.0, 10, _work_hints),
    QueueFunction("hints-alone", 60.0, 1, _work_hints),
    QueueFunction("run-steps", STEP_LIFE.total_seconds(), 1, _work_run_steps),
    QueueFunction("pdfs", STEP_LIFE.total_seconds(), 1, _work_pdfs),
    JOBS,
)
"""What the sync lives on."""
WRITE_BACK_WORKER = QueueFunction("writebacks", WRITE_BACK_SECONDS, 1, _work_write_backs)


def parker_of(worker: QueueFunction) -> QueueFunction:
    """Return what works off the dead letters of a worker's queue."""
    return QueueFunction(f"{worker.queue}-dead", DEAD_LETTERS_TIMEOUT_SECONDS, 10, _park)
