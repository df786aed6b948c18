"""Every use case of the sync on stores and queues in memory, for one connection."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from bridge.domain.connection import Connection
from bridge.domain.customer import Customer
from bridge.domain.hint import Hint, HintReason
from bridge.domain.identity import RecordKind
from bridge.domain.invoice import Invoice
from bridge.domain.problem import Problem, ProblemCode
from bridge.domain.run import Run, RunKind
from bridge.domain.work_messages import RunMessage
from bridge.ports import Stored
from bridge.sync.health import ConnectionHealth
from bridge.sync.hint_processing import HintProcessor
from bridge.sync.parking import Parker
from bridge.sync.pdf import PdfKeeper
from bridge.sync.reconciling import Reconciler
from bridge.sync.refreshing import Refresher
from bridge.sync.run_work import RunWorker
from bridge.sync.runs import ManualFetch, RunStarter
from bridge.sync.scheduling import CallbackKeeper, ScheduledRuns, StalledRuns
from bridge.sync.selection import Selector
from tests.builders.operations import CREDENTIALS, a_connection
from tests.builders.records import CONNECTION, PARTNER, a_customer, an_invoice
from tests.fakes.clock import FakeClock
from tests.fakes.connections import InMemoryConnectionStore
from tests.fakes.documents import InMemoryDocuments
from tests.fakes.problems import InMemoryProblemStore
from tests.fakes.queues import InMemoryHintQueue, InMemoryPdfQueue, InMemoryRunQueue
from tests.fakes.records import InMemoryRecordStore
from tests.fakes.runs import InMemoryRunStore
from tests.fakes.vault import InMemoryVault
from tests.unit.sync.psa import FakeGateway, FakePsa

R = TypeVar("R", Customer, Invoice)
MAX_MESSAGES = 500
TWO_PAGES = 1005
"""So many invoices that a run takes two pages for them."""
BASE_URL = "https://bridge.example"


class Bench:
    """The use cases, wired as they are deployed; ``psa`` is their ConnectWise."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.connections = InMemoryConnectionStore()
        self.records = InMemoryRecordStore()
        self.runs = InMemoryRunStore(self.clock)
        self.problems = InMemoryProblemStore(self.clock)
        self.documents = InMemoryDocuments()
        self.vault = InMemoryVault()
        self.hints = InMemoryHintQueue(self.clock)
        self.run_queue = InMemoryRunQueue(self.clock)
        self.pdfs = InMemoryPdfQueue(self.clock)
        self.psa = FakePsa(self.clock)
        self.gateway = FakeGateway(self.psa)
        self.connect(a_connection())
        self._wire()

    def _wire(self) -> None:
        self.health = ConnectionHealth(self.connections, self.problems, self.clock)
        self.refresher = Refresher(self.records, self.problems, self.clock)
        self.starter = RunStarter(self.runs, self.run_queue, self.clock)
        self.manual_fetch = ManualFetch(self.starter, self.clock)
        self.scheduled_runs = ScheduledRuns(self.connections, self.starter)
        self.parker = Parker(self.connections, self.runs, self.problems, self.clock)
        self.hint_processor = HintProcessor(
            connections=self.connections,
            gateway=self.gateway,
            refresher=self.refresher,
            hints=self.hints,
            pdfs=self.pdfs,
            health=self.health,
        )
        self.run_worker = RunWorker(
            connections=self.connections,
            runs=self.runs,
            gateway=self.gateway,
            selector=Selector(self.records),
            refresher=self.refresher,
            hints=self.hints,
            queue=self.run_queue,
            problems=self.problems,
            health=self.health,
            clock=self.clock,
        )
        self.pdf_keeper = PdfKeeper(
            connections=self.connections,
            records=self.records,
            documents=self.documents,
            gateway=self.gateway,
            hints=self.hints,
            problems=self.problems,
            health=self.health,
            clock=self.clock,
        )
        self.reconciler = Reconciler(
            self.scheduled_runs,
            StalledRuns(self.runs, self.run_queue, self.clock),
            CallbackKeeper(
                connections=self.connections,
                gateway=self.gateway,
                vault=self.vault,
                problems=self.problems,
                health=self.health,
                clock=self.clock,
                webhook_base_url=BASE_URL,
            ),
        )

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
        """Process hints for these records; return those to be delivered again."""
        return self.hint_processor.process(
            [Hint(CONNECTION, kind, i, HintReason.CALLBACK) for i in source_ids]
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
        return self.records.get_invoices(PARTNER, CONNECTION, [source_id])[source_id]

    def stored_customer(self, source_id: int) -> Stored[Customer]:
        return self.records.get_customers(PARTNER, CONNECTION, [source_id])[source_id]

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
