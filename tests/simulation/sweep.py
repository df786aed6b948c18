"""Many seeds of all worlds, played by as many processes as the machine has cores."""

from __future__ import annotations

import gc
import multiprocessing
import signal
import time
import traceback
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice

from tests.simulation import episode
from tests.simulation.companies import episode as companies_episode
from tests.simulation.companies.episode import CompaniesOutcome
from tests.simulation.episode import Outcome
from tests.simulation.payments import episode as payment_episode
from tests.simulation.payments.episode import PaymentOutcome

TASKS_PER_WORKER = 4
MAX_SHOWN_VIOLATIONS = 5
LINES_BEFORE_THE_END = 60
OBJECTS_UNTIL_COLLECTION = 100_000


class WorldName(StrEnum):
    """Which story of a seed: that of the sync, of the payments, or of the companies."""

    SYNC = "sync"
    PAYMENTS = "payments"
    COMPANIES = "companies"


@dataclass(frozen=True, slots=True)
class Task:
    """One story to be played."""

    world: WorldName
    seed: int

    @property
    def replay_command(self) -> str:
        """What plays this story alone again, to the same step, and tells all of it."""
        return (
            f"python -m tests.simulation --world {self.world} --first {self.seed} --seeds 1 --trace"
        )


@dataclass(frozen=True, slots=True)
class Played:
    """How a story went. ``failure`` is empty when nothing was wrong; ``story`` tells the end of
    one that failed, or all of it where that was asked for."""

    task: Task
    cpu_seconds: float = 0.0
    steps: int = 0
    calls: int = 0
    injected: Counter[str] = field(default_factory=Counter)
    interleavings: int = 0
    posted: int = 0
    removed: int = 0
    confirmed: int = 0
    by_old_workers: int = 0
    """How many payments workers of the release before posted, beside those of this one."""
    turns: Counter[str] = field(default_factory=Counter)
    """What companies and their connections went through."""
    failure: str = ""
    story: str = ""


def play(task: Task, *, tell_all: bool = False) -> Played:
    """Play one story to its end. An error of the simulation itself counts as a failure too."""
    started = time.process_time()
    try:
        outcome = _told(task)
    except Exception as error:  # noqa: BLE001 - one story's error must not end the whole sweep
        return Played(task, failure=f"not playable: {error!r}", story=traceback.format_exc())
    paid = outcome if isinstance(outcome, PaymentOutcome | CompaniesOutcome) else None
    moved = outcome if isinstance(outcome, CompaniesOutcome) else None
    lines: list[str] = []
    if outcome.violations or tell_all:
        trace = outcome.trace if tell_all else outcome.trace[-LINES_BEFORE_THE_END:]
        lines = [*trace, "", *map(str, outcome.violations[:MAX_SHOWN_VIOLATIONS])]
    return Played(
        task,
        cpu_seconds=time.process_time() - started,
        steps=outcome.steps,
        calls=outcome.calls,
        injected=outcome.injected,
        interleavings=outcome.interleavings,
        posted=paid.posted if paid else 0,
        removed=paid.reversed if paid else 0,
        confirmed=paid.confirmed if paid else 0,
        by_old_workers=moved.by_old_workers if moved else 0,
        turns=moved.played if moved else Counter(),
        failure=str(outcome.violations[0]) if outcome.violations else "",
        story="\n".join(lines),
    )


def _told(task: Task) -> Outcome:
    match task.world:
        case WorldName.SYNC:
            return episode.play_seed(task.seed)
        case WorldName.PAYMENTS:
            return payment_episode.play_seed(task.seed)
        case WorldName.COMPANIES:
            return companies_episode.play_seed(task.seed)


def play_all(tasks: Iterable[Task], *, workers: int) -> Generator[Played, None, None]:
    """Play the stories in processes; yield them as they end.

    Few are handed out ahead, and all processes end when the iteration does, however it does.
    """
    left = iter(tasks)
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_get_ready)
    running: set[Future[Played]] = set()
    try:
        while True:
            wanted = TASKS_PER_WORKER * workers - len(running)
            with _interrupts_held_back():
                running |= {pool.submit(play, task) for task in islice(left, wanted)}
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
    finally:
        pool.shutdown(wait=not running, cancel_futures=True)
        if running:
            for process in multiprocessing.active_children():
                process.terminate()


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Let Ctrl-C wait. Processes that are started meanwhile leave it to this one for good."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _get_ready() -> None:
    """Look for garbage seldom, and never among what is imported."""
    gc.freeze()
    gc.set_threshold(OBJECTS_UNTIL_COLLECTION)
