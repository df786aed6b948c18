"""A connection's mirror on DynamoDB beside a sandboxed ConnectWise, and what its work costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import httpx

from bridge.connectwise.gateway import ConnectWiseGateway
from bridge.connectwise.held_turns import HeldTurns
from bridge.domain.connection import ConnectionState
from bridge.domain.hint import Hint, HintReason
from bridge.domain.identity import RecordKind
from bridge.domain.job import CADENCES, Job
from bridge.domain.run import RunKind
from bridge.store.attributes import from_item
from bridge.store.keys import MAX_SOURCE_ID, mirrored_pk, mirrored_sk
from bridge.store.rate_limit import DynamoCallSchedules
from bridge.store.search_backfill import SearchBackfill
from bridge.store.table import Range, Table
from bridge.wiring import use_cases
from connectwise_sandbox.httpx_transport import EngineTransport
from connectwise_sandbox.kinds import Kind
from tests.contract.conftest import Tables
from tests.contract.meter import Meter
from tests.fakes.clock import FakeClock
from tests.fakes.jobs import do_job
from tests.fakes.ports import InMemoryPorts
from tests.unit.connectwise.sandbox import World, sandboxed_world

CALL_SECONDS = 0.2
"""So long ConnectWise takes for each call."""
NEW_DUE_DATE = date(2026, 12, 24)
QUIET_JOBS = (
    Job.INVOICE_DELTA,
    Job.CUSTOMERS,
    Job.PAYMENTS,
    Job.CALLBACKS,
    Job.HEAL_WRITE_BACKS,
)
_READ_UNIT_BYTES = 4096
_MAX_MESSAGES = 500


@dataclass
class Spent:
    """What a piece of work cost."""

    calls: int = 0
    write_units: float = 0.0
    read_units: float = 0.0
    writes_by: dict[str, float] = field(default_factory=dict)
    """Write units by table."""


class MirrorWay(InMemoryPorts):
    """The mirror's use cases with their stores on DynamoDB, and calls that take their time."""

    def __init__(self, client: Any, tables: Tables, *, customers: int, invoices: int) -> None:
        self.world = sandboxed_world(customers=customers, invoices=invoices)
        super().__init__(self.world.gateway(), self.world.clock)
        clock: FakeClock = self.clock
        stores = tables.stores(clock, client)
        schedules = DynamoCallSchedules(Table(client, tables.coordination, clock), clock)
        self.vault = self.world.vault
        self.gateway = ConnectWiseGateway(
            transport=_Slow(self.world),
            vault=self.vault,
            limiter=HeldTurns(schedules, clock),
            clock=clock,
            on_codebase_changed=lambda *_: None,
        )
        self._names = tables
        self._records_table = Table(client, tables.records, clock)
        SearchBackfill(self._records_table).step()
        self.connections = stores.connections
        self.records = stores.records  # type: ignore[assignment]
        self.runs = stores.runs  # type: ignore[assignment]
        self.problems = stores.problems  # type: ignore[assignment]
        self.partner_places = stores.places  # type: ignore[assignment]
        self.silences = stores.silences  # type: ignore[assignment]
        self.read_marks = stores.read_marks  # type: ignore[assignment]
        self.job_turns = stores.job_turns  # type: ignore[assignment]
        connection = replace(self.world.connection, state=ConnectionState.IMPORTING)
        self.connections.save(connection, expected_version=0)
        self.connection_id = connection.connection_id
        self.partner_id = connection.partner_id
        self.meter = Meter(client)

    @contextmanager
    def spent(self) -> Iterator[Spent]:
        """Yield what the work within costs, once it is done."""
        calls_before, spent = self._calls(), Spent()
        self.meter.reset()
        yield spent
        spent.calls = self._calls() - calls_before
        spent.write_units = self.meter.write_units
        spent.read_units = self.meter.read_units
        for _, table, units in self.meter.units_by:
            name = table.split("-")[0]
            spent.writes_by[name] = spent.writes_by.get(name, 0.0) + units

    def run_import(self) -> None:
        connection = self.connections.get(self.connection_id).value
        assert connection is not None
        use_cases.run_starter(self).start(connection, RunKind.IMPORT)
        self.work_off()

    def do(self, job: Job) -> None:
        """Do a job, and all that follows."""
        self.clock.set_remaining(600)
        do_job(self, job)
        self.work_off()

    def quiet_hour(self) -> Mapping[Job, Spent]:
        """Let an hour pass with the jobs of it; return what those of each kind cost together."""
        costs = {}
        for job in QUIET_JOBS:
            period = min(CADENCES[job].period, timedelta(hours=1))
            with self.spent() as costs[job]:
                for _ in range(timedelta(hours=1) // period):
                    self.world_waits(period.total_seconds())
                    self.do(job)
        return costs

    def work_off(self) -> None:
        """Work off the queues of runs and hints."""
        for _ in range(_MAX_MESSAGES):
            waiting = [self.run_queue.next_due_at(), self.hints.next_due_at()]
            due_at = min(filter(None, waiting), default=None)
            if due_at is None:
                return
            self.world_waits(max(0.0, (due_at - self.clock.now()).total_seconds()))
            self.clock.set_remaining(600)
            for message in self.run_queue.take_due(limit=1):
                use_cases.run_worker(self).work(message)
            hints = self.hints.take_due()
            if hints:
                use_cases.hint_processor(self).process(hints)
        raise AssertionError("the work does not end")

    def world_waits(self, seconds: float) -> None:
        """Let time pass on both sides."""
        wait(self.world, seconds)

    def change_invoices(self, count: int) -> int:
        """Let a person change the due dates of some invoices; return their number."""
        rows = list(self.world.engine.tenant.store[Kind.INVOICE])[:count]
        for row in rows:
            self.world.engine.people.change_due_date(row["id"], NEW_DUE_DATE)
        return len(rows)

    def call_back(self) -> None:
        """Let a person change the last invoice's due date, and ConnectWise call back for it."""
        row = list(self.world.engine.tenant.store[Kind.INVOICE])[-1]
        self.world.engine.people.change_due_date(row["id"], NEW_DUE_DATE)
        hint = Hint(self.connection_id, RecordKind.INVOICE, row["id"], HintReason.CALLBACK)
        self.hints.send([hint])
        self.work_off()

    def stored_bytes(self, kind: RecordKind) -> list[int]:
        """Return the sizes of the connection's stored records."""
        wanted = Range(
            mirrored_pk(self.partner_id, self.connection_id, kind),
            mirrored_sk(0),
            mirrored_sk(MAX_SOURCE_ID),
        )
        items = self._records_table.walk(wanted, max_pages=100)
        return [_item_bytes(from_item(item)) for item in items]

    def comparison_read_units(self) -> float:
        """Return the read units of listing the stored invoices, as DynamoDB bills them: by the
        stored size, read as of now. The embedded one bills what it hands out."""
        return sum(self.stored_bytes(RecordKind.INVOICE)) / _READ_UNIT_BYTES

    def _calls(self) -> int:
        return self.world.engine.calls.total


def wait(world: World, seconds: float) -> None:
    world.clock.advance(seconds=seconds)
    world.engine_clock.advance(seconds)


class _Slow(httpx.BaseTransport):
    """Each call takes CALL_SECONDS of the world's clock."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._inner = EngineTransport(world.engine, wait=world.clock.sleep)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        wait(self._world, CALL_SECONDS)
        return self._inner.handle_request(request)


def _item_bytes(item: Mapping[str, Any]) -> int:
    """Return an item's size as DynamoDB counts it: the bytes of its names and its values."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "B":
            return len(content)
        case "N":
            return len(content) // 2 + 2
        case "M":
            return 3 + sum(1 + _item_bytes({name: each}) for name, each in content.items())
        case "L":
            return 3 + sum(1 + _value_bytes(each) for each in content)
    return 1
