"""The jobs of many connections through a day: their ticks, queue and workers on one virtual clock.

What a job does is left out: it takes no time, or as long as a hanging server lets it wait. So a day
of hundreds of connections is over in seconds, and an hour of ten thousand as well.
"""

from __future__ import annotations

import heapq
import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bridge.connections.job_step import JobStep, StepEnd
from bridge.connections.site_turns import PLACES, STEP_SECONDS
from bridge.connections.visit import Visit
from bridge.domain.job import CADENCES, QUARTER, Job
from bridge.domain.work_messages import JobMessage, TickMessage
from bridge.ports import Clock, Page, Place, SyncingConnection
from bridge.wiring import entrypoints
from tests.builders.operations import a_connection
from tests.fakes.clock import FakeClock
from tests.fakes.connections import InMemoryConnectionStore
from tests.fakes.coordination import InMemoryPartnerPlaces
from tests.fakes.ports import InMemoryPorts

MIDNIGHT = datetime(2026, 3, 5, tzinfo=UTC)
ASKING = frozenset({Job.CALLBACKS, Job.PAYMENTS})
HANGING_PARTNER = "partner-hanging"


@dataclass(frozen=True, slots=True, order=True)
class Visited:
    """A job was done for a connection: planned, due in the queue, and begun at these times."""

    begun_at: datetime
    planned_at: datetime


@dataclass
class JobDay:
    """``visits`` are what was done, ``due_times`` when messages came, ``longest_wait`` how long a
    message of a partner whose server answers waited for a worker."""

    clock: FakeClock
    visits: dict[tuple[Job, str], list[Visited]] = field(default_factory=lambda: defaultdict(list))
    due_times: list[datetime] = field(default_factory=list)
    longest_wait: timedelta = timedelta()


class _HeldPlaces(InMemoryPartnerPlaces):
    """A place is free again when the visit that held it is over, as workers beside it see it."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._now = clock.now

    def release(self, place: Place) -> None:
        key = (place.partner_id, place.activity, place.number)
        if key in self.held and self.held[key][0] == place:
            self.held[key] = (place, self._now())


class _SortedConnections(InMemoryConnectionStore):
    """A store whose list costs no time, since connections neither come nor go here."""

    def __init__(self, listed: Sequence[SyncingConnection]) -> None:
        super().__init__()
        self._listed = tuple(listed)

    def list_syncing(self, cursor: str | None = None) -> Page[SyncingConnection]:
        return Page(self._listed, None)


class _Jobs:
    """Stands in for all jobs: it notes each visit, and waits where a server hangs."""

    def __init__(self, day: JobDay) -> None:
        self._day = day
        self.planned_at = MIDNIGHT

    def do(self, job: Job, step: JobStep) -> StepEnd:
        connection = step.connection
        visited = Visited(self._day.clock.now(), self.planned_at)
        self._day.visits[job, connection.connection_id].append(visited)
        if connection.partner_id != HANGING_PARTNER or not step.may_ask or job not in ASKING:
            return StepEnd()
        self._day.clock.advance(seconds=STEP_SECONDS)
        return StepEnd(visit=Visit.UNANSWERED)


def partners_of(connections: int, partners: int, hanging: int) -> Iterator[tuple[str, str]]:
    """Yield the ids of each connection and its partner; the first ones are of the hanging one."""
    for number in range(connections):
        partner = HANGING_PARTNER if number < hanging else f"partner-{number % partners}"
        yield f"{number * 7919 + 1:032x}", partner


def play_day(
    owners: Sequence[tuple[str, str]], *, hours: int = 24, starts_at: datetime = MIDNIGHT
) -> JobDay:
    """Play the schedules of all jobs, and ten workers of their queue."""
    clock = FakeClock(starts_at)
    day = JobDay(clock)
    ports = InMemoryPorts(None, clock)  # type: ignore[arg-type]
    ports.connections = _SortedConnections([SyncingConnection(*each) for each in owners])
    ports.partner_places = _HeldPlaces(clock)
    for connection_id, partner_id in owners:
        connection = a_connection(connection_id, partner_id=partner_id)
        ports.connections.save(connection, expected_version=0)
    _Player(ports, day, dict(owners)).play(starts_at, starts_at + timedelta(hours=hours))
    return day


class _Player:
    def __init__(self, ports: InMemoryPorts, day: JobDay, owners: Mapping[str, str]) -> None:
        self._ports = ports
        self._day = day
        self._owners = owners
        self._jobs = _Jobs(day)
        self._ticks = entrypoints.job_ticks(ports)
        self._worker = entrypoints.job_worker(ports)
        self._worker._jobs = self._jobs  # type: ignore[assignment]
        self._free_at = [MIDNIGHT] * PLACES
        self._due: list[tuple[datetime, int, JobMessage]] = []
        self._numbers = itertools.count()

    def play(self, starts_at: datetime, ends_at: datetime) -> None:
        moment = starts_at
        while moment < ends_at:
            self._tick(moment)
            moment += QUARTER
            self._work_until(moment)

    def _tick(self, moment: datetime) -> None:
        """Let the schedules of a quarter of an hour start; the stacks hold the same times."""
        quarter = (moment - MIDNIGHT) // QUARTER % 96
        self._set(moment)
        self._ticks.start({"jobs": ["invoice_delta", "heal_write_backs"], "part": 0})
        for jobs in (["customers"], ["callbacks", "payments"]):
            self._ticks.start({"jobs": jobs, "part": quarter % 4})
        if 12 <= quarter < 24:
            self._ticks.start({"jobs": ["sweep"], "part": quarter - 12})
        if quarter == 0:
            self._ticks.start({"jobs": ["resting_payments"]})
        self._take_in()

    def _take_in(self) -> None:
        queue = self._ports.job_queue
        for message in queue.waiting:
            assert not isinstance(message.body, TickMessage)
            heapq.heappush(self._due, (message.due_at, next(self._numbers), message.body))
            self._day.due_times.append(message.due_at)
        queue.waiting.clear()
        queue.sent.clear()

    def _work_until(self, moment: datetime) -> None:
        while self._due and self._due[0][0] < moment:
            due_at, _, message = heapq.heappop(self._due)
            begins_at = max(due_at, self._free_at[0])
            self._set(begins_at)
            self._jobs.planned_at = message.planned_at
            self._worker.work(message)
            heapq.heapreplace(self._free_at, self._ports.clock.now())
            if self._owners[message.connection_id] != HANGING_PARTNER:
                self._day.longest_wait = max(self._day.longest_wait, begins_at - due_at)
            self._take_in()

    def _set(self, moment: datetime) -> None:
        self._ports.clock.advance(seconds=(moment - self._ports.clock.now()).total_seconds())
        self._ports.clock.set_remaining(STEP_SECONDS)


def visits_by_period(day: JobDay, job: Job, connection_id: str) -> list[int]:
    """Return in which periods of a job, counted from midnight, a connection was visited."""
    period = CADENCES[job].period
    visits = day.visits[job, connection_id]
    return [(each.planned_at - MIDNIGHT) // period for each in visits]
