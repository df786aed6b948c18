"""Time that passes in jumps, for many workers: each has a thread, of which one runs at a time."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from tests.fakes.clock import START, FakeClock


class KilledError(BaseException):
    """The worker's process ends here: nothing of it runs on, no matter what it holds."""


class Task:
    """A piece of work with a deadline. It runs until it sleeps, and on when it is woken."""

    def __init__(self, work: Callable[[], None], deadline: datetime) -> None:
        self.deadline = deadline
        self.error: BaseException | None = None
        self.has_ended = False
        self.is_killed = False
        self._work = work
        self._may_run = threading.Semaphore(0)
        self._has_paused = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def go_on(self) -> None:
        """Let it run until it sleeps or ends."""
        self._may_run.release()
        self._has_paused.acquire()

    def pause(self) -> None:
        """Wait, within the task, until it may go on."""
        self._has_paused.release()
        self._may_run.acquire()
        if self.is_killed:
            raise KilledError

    def _run(self) -> None:
        self._may_run.acquire()
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 - whoever started it looks at it
            self.error = error
        self.has_ended = True
        self._has_paused.release()


class VirtualClock(FakeClock):
    """A clock that all tasks share, while each has a deadline of its own."""

    def __init__(self) -> None:
        super().__init__(START)
        self._sleeping: list[tuple[datetime, int, Task]] = []
        self._numbers = itertools.count()
        self._running: Task | None = None

    def sleep(self, seconds: float) -> None:
        task = self._running
        if task is None:
            self.advance(seconds=seconds)
            return
        wakes_at = self.now() + timedelta(seconds=seconds)
        heapq.heappush(self._sleeping, (wakes_at, next(self._numbers), task))
        task.pause()

    def remaining_seconds(self) -> float:
        if self._running is None:
            return 0.0
        return max(0.0, (self._running.deadline - self.now()).total_seconds())

    def start(self, work: Callable[[], None], *, seconds: float) -> Task:
        """Begin a task that has so many seconds, and run it until it sleeps."""
        task = Task(work, self.now() + timedelta(seconds=seconds))
        self._go_on(task)
        return task

    def next_wake_at(self) -> datetime | None:
        return self._sleeping[0][0] if self._sleeping else None

    def pass_to(self, moment: datetime) -> None:
        """Let the time pass to a moment before the next task wakes, or wake the one that does."""
        self.advance(seconds=max(0.0, (moment - self.now()).total_seconds()))
        if self._sleeping and self._sleeping[0][0] <= self.now():
            self._go_on(heapq.heappop(self._sleeping)[2])

    def kill(self, task: Task) -> None:
        """End a sleeping task at once."""
        self._sleeping = [each for each in self._sleeping if each[2] is not task]
        heapq.heapify(self._sleeping)
        task.is_killed = True
        self._go_on(task)

    def _go_on(self, task: Task) -> None:
        self._running = task
        task.go_on()
        self._running = None
