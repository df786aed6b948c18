"""Every use case of the mirror on stores and queues in memory, for one connection."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from bridge.connections.health import ConnectionHealth
from bridge.domain.connection import Connection
from bridge.domain.customer import Customer
from bridge.domain.hint import Hint, HintReason
from bridge.domain.identity import RecordKind
from bridge.domain.invoice import Invoice
from bridge.domain.job import Job
from bridge.domain.mirrored_kinds import CUSTOMERS, INVOICES
from bridge.domain.problem import Problem, ProblemCode
from bridge.domain.run import Run, RunKind
from bridge.domain.work_messages import RunMessage
from bridge.entrypoints.reconciler_jobs import ReconcilerJobs
from bridge.mirror.hint_processor import HintProcessor
from bridge.mirror.pdf_keeper import PdfKeeper
from bridge.mirror.refresh import Refresher
from bridge.mirror.run_worker import RunWorker
from bridge.ports import Stored
from bridge.problems.failed_messages import FailedMessages
from bridge.runs.start import ManualFetch, RunStarter
from bridge.wiring import entrypoints, use_cases
from tests.builders.operations import CREDENTIALS, a_connection
from tests.builders.records import CONNECTION, PARTNER, a_customer, an_invoice
from tests.fakes.clock import FakeClock
from tests.fakes.jobs import do_job
from tests.fakes.ports import InMemoryPorts
from tests.unit.mirror.psa import FakeGateway, FakePsa

R = TypeVar("R", Customer, Invoice)
MAX_MESSAGES = 500
A_WHILE = timedelta(seconds=10)
TWO_PAGES = 1005
"""So many invoices that a run takes two pages for them."""


class Bench(InMemoryPorts):
    """The use cases, wired as they are deployed; ``psa`` is their ConnectWise."""

    def __init__(self) -> None:
        clock = FakeClock()
        self.psa = FakePsa(clock)
        self.fake_gateway = FakeGateway(self.psa)
        super().__init__(self.fake_gateway, clock)
        self.connect(a_connection())

    @property
    def health(self) -> ConnectionHealth:
        return use_cases.connection_health(self)

    @property
    def refresher(self) -> Refresher:
        return use_cases.refresher(self)

    @property
    def starter(self) -> RunStarter:
        return use_cases.run_starter(self)

    @property
    def manual_fetch(self) -> ManualFetch:
        return use_cases.manual_fetch(self)

    @property
    def failed_messages(self) -> FailedMessages:
        return use_cases.failed_messages(self)

    @property
    def hint_processor(self) -> HintProcessor:
        return use_cases.hint_processor(self)

    @property
    def run_worker(self) -> RunWorker:
        return use_cases.run_worker(self)

    @property
    def pdf_keeper(self) -> PdfKeeper:
        return use_cases.pdf_keeper(self)

    @property
    def jobs(self) -> ReconcilerJobs:
        return entrypoints.reconciler_jobs(self)

    def do_job(self, job: Job) -> None:
        """Start a job on every connection, and do it."""
        do_job(self, job)

    # --- arranging -------------------------------------------------------------------------------

    def connect(self, connection: Connection) -> None:
        stored = self.connections.get(connection.connection_id)
        self.connections.save(connection, expected_version=stored.version)
        self.vault.put_credentials(connection.connection_id, CREDENTIALS)

    @property
    def connection(self) -> Connection:
        connection = self.connections.get(CONNECTION).value
        assert connection is not None
        return connection

    def change_connection(self, **changes: object) -> None:
        self.connect(replace(self.connection, **changes))  # type: ignore[arg-type]

    # --- acting ----------------------------------------------------------------------------------

    def hint(self, kind: RecordKind, *source_ids: int) -> tuple[Hint, ...]:
        """Process hints that came a while ago for these records, which nobody read meanwhile.

        Return those to be delivered again.
        """
        self.read_marks.kept.clear()
        came_at = self.clock.now() - A_WHILE
        return self.hint_processor.process(
            [
                Hint(CONNECTION, kind, each, HintReason.CALLBACK, came_at=came_at)
                for each in source_ids
            ]
        )

    def run(self, kind: RunKind, **options: object) -> Run:
        """Start a run and work on it to its end."""
        run = self.starter.start(self.connection, kind, **options)  # type: ignore[arg-type]
        return self.finish(run)

    def finish(self, run: Run) -> Run:
        """Work off the run queue, waiting for what is not due yet; return the run as stored."""
        for _ in range(MAX_MESSAGES):
            due_at = self.run_queue.next_due_at()
            if due_at is None:
                return self.stored_run(run)
            self.clock.advance(seconds=max(0, (due_at - self.clock.now()).total_seconds()))
            self.clock.set_remaining(600)
            for message in self.run_queue.take_due(limit=1):
                self.run_worker.work(message)
        raise AssertionError("the run does not end")

    def work_once(self, run: Run) -> Run:
        """Do the run's next page and drop the message that asks for another."""
        stored = self.stored_run(run)
        self.run_worker.work(RunMessage(run.connection_id, run.run_id, stored.page_count))
        return self.stored_run(run)

    def work_off_hints(self) -> None:
        for _ in range(MAX_MESSAGES):
            due_at = self.hints.next_due_at()
            if due_at is None:
                return
            self.clock.advance(seconds=max(0, (due_at - self.clock.now()).total_seconds()))
            self.hint_processor.process(self.hints.take_due())
        raise AssertionError("hints do not end")

    # --- looking ---------------------------------------------------------------------------------

    def stored_run(self, run: Run) -> Run:
        stored = self.runs.get(run.connection_id, run.run_id).value
        assert stored is not None
        return stored

    def stored_invoice(self, source_id: int) -> Stored[Invoice]:
        return self.records.get_mirrored(INVOICES, PARTNER, CONNECTION, [source_id])[source_id]

    def stored_customer(self, source_id: int) -> Stored[Customer]:
        return self.records.get_mirrored(CUSTOMERS, PARTNER, CONNECTION, [source_id])[source_id]

    def invoice(self, source_id: int) -> Invoice:
        value = self.stored_invoice(source_id).value
        assert value is not None
        return value

    def customer(self, source_id: int) -> Customer:
        value = self.stored_customer(source_id).value
        assert value is not None
        return value

    def open_problems(self) -> dict[tuple[ProblemCode, str], Problem]:
        found = self.problems.open_of_connection(PARTNER, CONNECTION).values()
        return {(problem.code, problem.subject): problem for problem in found}


def fill(bench: Bench, invoices: int = 3) -> None:
    """Enter a customer with invoices 1001, 1002 and so on into ConnectWise."""
    bench.psa.put(a_customer(), *(an_invoice(1000 + number) for number in range(1, invoices + 1)))


def message_of(run: Run) -> RunMessage:
    """Return the message that asks for the page at which this run stands."""
    return RunMessage(run.connection_id, run.run_id, run.page_count)
