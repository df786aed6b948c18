"""A bench for fairness: workers of each kind, their queues, and many connections' servers.

Each kind has as many workers as the stacks give it. A queue brings the longest due message first,
whoever's it is: SQS is fairer than that.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bridge.connections.site_turns import PLACES, STEP_LIFE, STEP_SECONDS
from bridge.connections.visit import Visit
from bridge.connectwise.call_limits import PAGE, SMALL
from bridge.connectwise.failures import FAIR_WAIT_SECONDS
from bridge.domain.connection import Connection, ConnectionState
from bridge.domain.errors import (
    KeptWaitingError,
    OutOfTimeError,
    TooHeavyError,
    UnavailableError,
)
from bridge.domain.hint import Hint, HintReason
from bridge.domain.identity import RecordKind, mirrored_id
from bridge.domain.job import Job
from bridge.domain.platform_payment import Allocation
from bridge.domain.run import Run, RunKind
from bridge.domain.work_messages import JobMessage, PdfRequest, WriteBackMessage
from bridge.domain.write_back import WriteBackState
from bridge.wiring import entrypoints, use_cases
from tests.builders.operations import CREDENTIALS, a_connection
from tests.builders.payments import a_platform_payment, write_backs_for
from tests.builders.records import a_customer, an_invoice
from tests.fakes.ports import InMemoryPorts
from tests.fakes.queues import InMemoryQueue, Message
from tests.unit.fairness.virtual_time import Task, VirtualClock
from tests.unit.mirror.psa import FakeGateway, FakePsa

QUICK_SECONDS = 0.2
SLOW_SECONDS = 55.0
NEVER = float("inf")

VISIBILITY = 6 * STEP_LIFE
RECEIVES_BEFORE_DEAD = 3
CALLS_OF_A_FETCH = 40
CALLS_OF_A_WRITE_BACK = 9


class Site(FakePsa):
    """A connection's server, which takes its time for each call."""

    def __init__(self, bench: FairnessBench, connection: Connection) -> None:
        super().__init__(bench.clock)
        self._bench = bench
        self.connection = connection
        self.answers_after_seconds = QUICK_SECONDS
        self.call_count = 0

    def call(self, longest_seconds: float) -> None:
        """Make one call, as the client does: for so long at most, and within the worker's time."""
        clock = self._bench.clock
        left_seconds = clock.remaining_seconds() - 1
        allowed_seconds = min(longest_seconds, left_seconds)
        if allowed_seconds < 2:
            raise OutOfTimeError("no time left")
        self.call_count += 1
        with self._bench.in_flight(self.connection.partner_id):
            clock.sleep(min(self.answers_after_seconds, allowed_seconds))
        if self.answers_after_seconds <= allowed_seconds:
            return
        if left_seconds > longest_seconds:
            raise TooHeavyError("too slow")
        if allowed_seconds >= FAIR_WAIT_SECONDS:
            raise KeptWaitingError("silent")
        raise OutOfTimeError("cut short")

    def _begin(self, method: str) -> None:
        if method.startswith("fetch_"):
            for _ in range(CALLS_OF_A_FETCH):
                self.call(PAGE.seconds)
        else:
            self.call(PAGE.seconds if method.startswith("list_") else SMALL.seconds)
        super()._begin(method)


@dataclass(frozen=True)
class Delivery:
    """A message that is worked on."""

    message: Message[Any]
    receives: int
    partner_id: str
    began_at: datetime


@dataclass(frozen=True)
class Redelivered(Message[Any]):
    receives: int


@dataclass
class WorkerKind:
    """Workers of one function: what they work off, and how."""

    name: str
    queue: InMemoryQueue[Any]
    work: Callable[[Any], object]
    step_seconds: float = STEP_SECONDS
    busy: dict[Task, Delivery] = field(default_factory=dict)


class FairnessBench(InMemoryPorts):
    """``waits`` are the seconds for which each message of a partner waited for a free worker, and
    ``put_off`` counts those that had found no turn before."""

    clock: VirtualClock

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clock = VirtualClock()
        self.sites: dict[str, Site] = {}
        self.fake_gateway = FakeGateway(FakePsa(clock))
        super().__init__(self.fake_gateway, clock)
        monkeypatch.setattr(use_cases, "write_back_worker", lambda _: self)
        self.kinds = [
            WorkerKind("run-steps", self.run_queue, use_cases.run_worker(self).work),
            WorkerKind("pdfs", self.pdf_queue, use_cases.pdf_keeper(self).keep),
            WorkerKind("writebacks", self.write_back_queue, self._write_back),
            WorkerKind("hints", self.hints, self._hint),
            WorkerKind("jobs", self.job_queue, entrypoints.job_worker(self).work),
        ]
        self.dead_letters: list[object] = []
        self.waits: dict[str, list[float]] = {}
        self.steps: Counter[tuple[str, str]] = Counter()
        self.put_off: Counter[str] = Counter()
        self.most_at_once: Counter[tuple[str, str]] = Counter()
        """The most calls of a partner that were on their way together, by kind of worker."""
        self.kill_after: dict[str, timedelta] = {}
        """Workers of these partners are killed so long after they began."""
        self.killed = 0
        self._in_flight: Counter[tuple[str, str]] = Counter()
        self._present = threading.local()

    # --- arranging -------------------------------------------------------------------------------

    def connect(self, connection_id: str, partner_id: str, *, invoices: int) -> Site:
        """Connect a server with so many invoices."""
        connection = a_connection(
            connection_id, partner_id=partner_id, state=ConnectionState.IMPORTING
        )
        self.connections.save(connection, expected_version=0)
        self.vault.put_credentials(connection_id, CREDENTIALS)
        site = self.sites[connection_id] = Site(self, connection)
        self.fake_gateway.others[connection_id] = site
        owner: dict[str, Any] = {"connection_id": connection_id, "partner_id": partner_id}
        site.put(a_customer(**owner), *(an_invoice(1001 + n, **owner) for n in range(invoices)))
        return site

    def start_import(self, site: Site) -> Run:
        return use_cases.run_starter(self).start(site.connection, RunKind.IMPORT)

    def request_pdfs(self, site: Site, count: int) -> None:
        connection = site.connection
        owner = {"connection_id": connection.connection_id, "partner_id": connection.partner_id}
        invoices = [an_invoice(1001 + number, **owner) for number in range(count)]
        for invoice in invoices:
            self.records.save(invoice, expected_version=0)
        requests = [PdfRequest(connection.connection_id, each.invoice_id) for each in invoices]
        self.pdf_queue.send(requests, partner_id=connection.partner_id)

    def collect_payments(self, site: Site, count: int, *, prefix: str = "pay") -> None:
        """Record payments, and send a worker for each."""
        connection = site.connection
        for number in range(count):
            invoice_id = mirrored_id(connection.connection_id, 1001 + number)
            payment = a_platform_payment(
                f"{prefix}-{number}",
                partner_id=connection.partner_id,
                allocations=(Allocation(invoice_id, 100),),
            )
            (write_back,) = write_backs_for(payment, due_at=self.clock.now())
            self.ledger.record(payment, [write_back])
            self.write_back_queue.send(write_back)

    def call_back(self, site: Site, count: int) -> None:
        """Let ConnectWise say of so many invoices that they changed."""
        self.hints.send(
            [
                Hint(
                    site.connection.connection_id,
                    RecordKind.INVOICE,
                    1001 + number,
                    HintReason.CALLBACK,
                    partner_id=site.connection.partner_id,
                    came_at=self.clock.now(),
                )
                for number in range(count)
            ]
        )

    def look_after_callbacks(self, site: Site) -> None:
        """Start the hourly job of a connection."""
        owner = site.connection.connection_id, site.connection.partner_id
        self.job_queue.send([(JobMessage(*owner, Job.CALLBACKS, self.clock.now()), 0)])

    def wake_write_backs(self) -> None:
        use_cases.due_write_backs(self).wake()

    # --- acting ----------------------------------------------------------------------------------

    def pass_time(self, **time: float) -> None:
        """Let all workers work for a time."""
        until = self.clock.now() + timedelta(**time)
        while True:
            for kind in self.kinds:
                self._start_workers(kind)
            moments = [self.clock.next_wake_at(), self._next_kill_at(), *self._next_due()]
            moment = min((each for each in moments if each is not None), default=None)
            if moment is None or moment > until:
                self.clock.advance(seconds=(until - self.clock.now()).total_seconds())
                return
            self.clock.pass_to(moment)
            self._kill_workers()
            for kind in self.kinds:
                self._end_workers(kind)

    def drive(self, connection_id: str, write_back_id: str) -> Visit:
        """Stand for the write-back worker: its calls, and the payment that is in ConnectWise."""
        site = self.sites[connection_id]
        try:
            for _ in range(CALLS_OF_A_WRITE_BACK):
                site.call(SMALL.seconds)
        except (TooHeavyError, OutOfTimeError):
            return Visit.UNANSWERED
        stored = self.ledger.get_write_back(connection_id, write_back_id)
        assert stored.value is not None
        done = replace(stored.value, state=WriteBackState.CANCELLED, due_at=None)
        self.ledger.save_write_back(done, expected_version=stored.version)
        return Visit.ANSWERED

    @contextmanager
    def in_flight(self, partner_id: str) -> Iterator[None]:
        """Count a partner's call while it is on its way."""
        key = (partner_id, self._present.kind)
        self._in_flight[key] += 1
        self.most_at_once[key] = max(self.most_at_once[key], self._in_flight[key])
        try:
            yield
        finally:
            self._in_flight[key] -= 1

    def _write_back(self, message: WriteBackMessage) -> None:
        use_cases.write_back_turns(self).drive(message)

    def _hint(self, hint: Hint) -> None:
        if use_cases.hint_processor(self).process([hint]):
            raise UnavailableError("to be delivered again")

    def _next_due(self) -> list[datetime | None]:
        return [kind.queue.next_due_at() for kind in self.kinds if len(kind.busy) < PLACES]

    def _start_workers(self, kind: WorkerKind) -> None:
        while len(kind.busy) < PLACES:
            due = [each for each in kind.queue.waiting if each.due_at <= self.clock.now()]
            if not due:
                return
            message = min(due, key=lambda each: each.due_at)
            kind.queue.waiting.remove(message)
            self._start_worker(kind, message)

    def _start_worker(self, kind: WorkerKind, message: Message[Any]) -> None:
        partner_id = self.sites[message.body.connection_id].connection.partner_id
        now = self.clock.now()
        self.waits.setdefault(partner_id, []).append((now - message.due_at).total_seconds())
        self.put_off[partner_id] += message.body.times_put_off > 0
        self.steps[partner_id, kind.name] += 1
        receives = message.receives + 1 if isinstance(message, Redelivered) else 1
        delivery = Delivery(message, receives, partner_id, now)

        def work() -> None:
            self._present.kind = kind.name
            kind.work(message.body)

        kind.busy[self.clock.start(work, seconds=kind.step_seconds)] = delivery
        self._end_workers(kind)

    def _end_workers(self, kind: WorkerKind) -> None:
        for task in [each for each in kind.busy if each.has_ended]:
            delivery = kind.busy.pop(task)
            if task.error is None:
                continue
            body = delivery.message.body
            if delivery.receives >= RECEIVES_BEFORE_DEAD:
                self.dead_letters.append(body)
            else:
                visible_at = delivery.began_at + VISIBILITY
                kind.queue.waiting.append(Redelivered(body, visible_at, delivery.receives))

    def _doomed(self) -> list[tuple[datetime, Task]]:
        return [
            (delivery.began_at + self.kill_after[delivery.partner_id], task)
            for kind in self.kinds
            for task, delivery in kind.busy.items()
            if delivery.partner_id in self.kill_after
        ]

    def _next_kill_at(self) -> datetime | None:
        return min((at for at, _ in self._doomed()), default=None)

    def _kill_workers(self) -> None:
        for at, task in self._doomed():
            if at <= self.clock.now() and not task.has_ended:
                self.clock.kill(task)
                self.killed += 1

    # --- looking ---------------------------------------------------------------------------------

    def run_of(self, run: Run) -> Run:
        stored = self.runs.get(run.connection_id, run.run_id).value
        assert stored is not None
        return stored

    def runs_of(self, site: Site) -> tuple[Run, ...]:
        return self.runs.list_of_connection(site.connection.connection_id, limit=10).items

    def calls_of(self, partner_id: str) -> int:
        return sum(
            site.call_count
            for site in self.sites.values()
            if site.connection.partner_id == partner_id
        )

    def is_idle(self, partner_id: str) -> bool:
        """Tell whether no message of the partner waits or is worked on."""
        bodies = [
            each.body
            for kind in self.kinds
            for each in (*kind.queue.waiting, *(d.message for d in kind.busy.values()))
        ]
        owners = {self.sites[body.connection_id].connection.partner_id for body in bodies}
        return partner_id not in owners
