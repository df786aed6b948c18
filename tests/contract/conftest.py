"""The stores of a test, in memory and on the embedded AWS: both must behave the same.

The tables are those of the synthesized data stack, so a store that needs another key or index
than the deployed table has fails here.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from bridge.ports import (
    ArchivingStore,
    CallbackEndpointStore,
    CallSchedules,
    CompanyStore,
    ConnectionStore,
    JobTurns,
    OutstandingStore,
    PartnerPlaces,
    PaymentControlStore,
    ProblemStore,
    ReadMarks,
    RecordStore,
    RunStore,
    SigningKeyStore,
    SilenceStore,
)
from bridge.store.archivings import DynamoArchivingStore
from bridge.store.callback_endpoints import DynamoCallbackEndpoints
from bridge.store.companies import DynamoCompanyStore
from bridge.store.connections import DynamoConnectionStore
from bridge.store.job_turns import DynamoJobTurns
from bridge.store.partner_places import DynamoPartnerPlaces
from bridge.store.payment_control import DynamoPaymentControlStore
from bridge.store.problems import DynamoProblemStore
from bridge.store.rate_limit import DynamoCallSchedules, RateSettings, Schedule
from bridge.store.read_marks import DynamoReadMarks
from bridge.store.receivables import DynamoOutstandingStore
from bridge.store.records import DynamoRecordStore
from bridge.store.runs import DynamoRunStore
from bridge.store.search_backfill import SearchBackfill
from bridge.store.signing_keys import DynamoSigningKeyStore
from bridge.store.silences import DynamoSilenceStore
from bridge.store.table import Table
from infra.local.embedded_aws import EmbeddedAws
from tests.contract.ledger import WRITER, LedgerTable
from tests.fakes.archivings import InMemoryArchivingStore
from tests.fakes.clock import FakeClock
from tests.fakes.companies import InMemoryCompanyStore
from tests.fakes.connections import InMemoryCallbackEndpoints, InMemoryConnectionStore
from tests.fakes.coordination import (
    InMemoryJobTurns,
    InMemoryPartnerPlaces,
    InMemoryRateLimiter,
    InMemoryReadMarks,
    InMemorySigningKeyStore,
    InMemorySilenceStore,
)
from tests.fakes.histories import ReadableLedger
from tests.fakes.ledger import InMemoryLedgerStore
from tests.fakes.outstanding import InMemoryOutstandingStore
from tests.fakes.payment_control import InMemoryPaymentControlStore
from tests.fakes.problems import InMemoryProblemStore
from tests.fakes.records import InMemoryRecordStore
from tests.fakes.runs import InMemoryRunStore

RATE = RateSettings(
    common=Schedule("next_free_ms", calls_per_minute=60, burst=3),
    reserved=Schedule("next_reserved_ms", calls_per_minute=15, burst=2),
    max_wait_seconds=30,
)
_TABLES = ("Records", "Operations", "Coordination", "Callbacks")
_LEDGER = "Ledger"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Stores:
    """All stores of one test, empty, on one clock."""

    clock: FakeClock
    connections: ConnectionStore
    companies: CompanyStore
    archivings: ArchivingStore
    outstanding: OutstandingStore
    callback_endpoints: CallbackEndpointStore
    records: RecordStore
    runs: RunStore
    problems: ProblemStore
    schedules: CallSchedules
    signing_keys: SigningKeyStore
    places: PartnerPlaces
    silences: SilenceStore
    job_turns: JobTurns
    read_marks: ReadMarks
    payment_control: PaymentControlStore


@dataclass(frozen=True)
class Tables:
    """The names of one test's own tables, and a client that reaches them."""

    client: Any
    records: str
    operations: str
    coordination: str
    callbacks: str

    def stores(self, clock: FakeClock, client: Any = None) -> Stores:
        """Return stores on these tables, by another client if one is given."""
        client = client or self.client
        operations = Table(client, self.operations, clock)
        coordination = Table(client, self.coordination, clock)
        callbacks = Table(client, self.callbacks, clock)
        endpoints = DynamoCallbackEndpoints(callbacks)
        return Stores(
            clock=clock,
            connections=DynamoConnectionStore(operations, lambda: endpoints),
            companies=DynamoCompanyStore(operations),
            archivings=DynamoArchivingStore(operations),
            outstanding=DynamoOutstandingStore(operations),
            callback_endpoints=endpoints,
            records=DynamoRecordStore(Table(client, self.records, clock)),
            runs=DynamoRunStore(operations, clock),
            problems=DynamoProblemStore(operations, clock),
            schedules=DynamoCallSchedules(coordination, clock, RATE),
            signing_keys=DynamoSigningKeyStore(callbacks, clock),
            places=DynamoPartnerPlaces(coordination, clock),
            silences=DynamoSilenceStore(coordination),
            job_turns=DynamoJobTurns(coordination),
            read_marks=DynamoReadMarks(coordination, clock),
            payment_control=DynamoPaymentControlStore(operations),
        )


@pytest.fixture(scope="session")
def aws() -> Iterator[EmbeddedAws]:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    with EmbeddedAws(f"contract-{worker}") as embedded:
        yield embedded


@pytest.fixture(scope="session")
def dynamodb(aws: EmbeddedAws) -> Any:
    return aws.client("dynamodb")


@pytest.fixture(scope="session")
def table_definitions() -> dict[str, dict[str, Any]]:
    return synthesized_tables()


def synthesized_tables() -> dict[str, dict[str, Any]]:
    """What the data stack's template says of each table, by the table's name in the stack."""
    import aws_cdk as cdk
    from aws_cdk.assertions import Template

    from infra.config import LOCAL
    from infra.stacks.data import DataStack

    template = Template.from_stack(DataStack(cdk.App(), "data", stage=LOCAL))
    found = template.find_resources("AWS::DynamoDB::Table")
    wanted = ("KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes", "BillingMode")
    return {
        name: {
            field: value["Properties"][field] for field in wanted if field in value["Properties"]
        }
        for name in (*_TABLES, _LEDGER)
        for logical_id, value in found.items()
        if logical_id.startswith(name)
    }


@pytest.fixture
def tables(dynamodb: Any, table_definitions: dict[str, dict[str, Any]]) -> Iterator[Tables]:
    number = next(_numbers)
    names = {name.lower(): f"{name.lower()}-{number}" for name in _TABLES}
    for name in _TABLES:
        dynamodb.create_table(TableName=names[name.lower()], **table_definitions[name])
    yield Tables(dynamodb, **names)
    for table_name in names.values():
        dynamodb.delete_table(TableName=table_name)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def in_memory(clock: FakeClock) -> Stores:
    connections = InMemoryConnectionStore()
    return Stores(
        clock=clock,
        connections=connections,
        companies=InMemoryCompanyStore(),
        archivings=InMemoryArchivingStore(),
        outstanding=InMemoryOutstandingStore(),
        callback_endpoints=InMemoryCallbackEndpoints(connections),
        records=InMemoryRecordStore(),
        runs=InMemoryRunStore(clock),
        problems=InMemoryProblemStore(clock),
        schedules=InMemoryRateLimiter(clock, RATE),
        signing_keys=InMemorySigningKeyStore(clock),
        places=InMemoryPartnerPlaces(clock),
        silences=InMemorySilenceStore(),
        job_turns=InMemoryJobTurns(),
        read_marks=InMemoryReadMarks(),
        payment_control=InMemoryPaymentControlStore(),
    )


@pytest.fixture
def on_dynamodb(tables: Tables, clock: FakeClock) -> Stores:
    SearchBackfill(Table(tables.client, tables.records, clock)).step()
    return tables.stores(clock)


@pytest.fixture(params=["in_memory", "on_dynamodb"])
def stores(request: pytest.FixtureRequest) -> Stores:
    given: Stores = request.getfixturevalue(request.param)
    return given


@pytest.fixture
def ledger_table(
    dynamodb: Any, table_definitions: dict[str, dict[str, Any]]
) -> Iterator[LedgerTable]:
    """One test's own ledger, empty."""
    name = f"ledger-{next(_numbers)}"
    dynamodb.create_table(TableName=name, **table_definitions[_LEDGER])
    yield LedgerTable(dynamodb, name)
    dynamodb.delete_table(TableName=name)


@pytest.fixture(params=["in_memory", "on_dynamodb"])
def ledger(request: pytest.FixtureRequest, clock: FakeClock) -> ReadableLedger:
    if request.param == "in_memory":
        return InMemoryLedgerStore(clock, written_by=WRITER)
    table: LedgerTable = request.getfixturevalue("ledger_table")
    return table.store(clock)
