"""How fast an import is beside the mere download of what it asks for.

    PYTHONPATH=layers/core/python python -m tests.benchmarks.imports 1000 10000

ConnectWise answers after 200 ms. The run worker stores in the embedded DynamoDB; then its very
requests are made once more, three in flight, and their answers thrown away: that is the limit.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from bridge.connections.call_lanes import MORE_LANES
from bridge.connectwise.call_limits import RECORD
from bridge.connectwise.egress import GuardedTransport
from bridge.connectwise.exchange import exchange
from bridge.connectwise.gateway import ConnectWiseGateway
from bridge.domain.connection import Connection, ConnectionState, Credentials
from bridge.domain.run import Run, RunKind, RunState
from bridge.store.records import DynamoRecordStore
from bridge.store.table import Table
from bridge.wiring import use_cases
from infra.local.embedded_aws import EmbeddedAws
from tests.benchmarks.importer import Unlimited
from tests.benchmarks.table import Row, publish
from tests.benchmarks.test_import import sandbox
from tests.builders.operations import a_connection
from tests.contract.conftest import synthesized_tables
from tests.fakes.clock import FakeClock
from tests.fakes.ports import InMemoryPorts
from tests.fakes.vault import InMemoryVault

LATENCY_SECONDS = 0.2
IN_FLIGHT = 1 + MORE_LANES
STORE_LANES = 8
TABLE = "records"


class DistantTransport(httpx.BaseTransport):
    """Answers come after the latency of a distant server, however many calls are in flight."""

    def __init__(self) -> None:
        self._near = GuardedTransport(allow_loopback=True)
        self.requests: list[tuple[str, Mapping[str, str]]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append((str(request.url), dict(request.headers)))
        time.sleep(LATENCY_SECONDS)
        return self._near.handle_request(request)

    def close(self) -> None:
        self._near.close()


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What one import took, and the download of the same."""

    invoices: int
    calls: int
    until_active_seconds: float
    cpu_seconds: float
    download_seconds: float
    stored_seconds: float
    """The time in the calls to the store, of all lanes together."""
    peak_mib: float


class TimedRecords(DynamoRecordStore):
    """The store tells how long its callers waited for it."""

    waited_seconds = 0.0

    def save(self, *args: Any, **named: Any) -> int:
        began = time.monotonic()
        try:
            return super().save(*args, **named)
        finally:
            self.waited_seconds += time.monotonic() - began


def measured(invoices: int) -> Measured:
    """Import from a sandbox of so many invoices, then download the same."""
    with sandbox(invoices) as announced, EmbeddedAws("bench-imports") as aws:
        client = aws.client("dynamodb")
        client.create_table(TableName=TABLE, **synthesized_tables()["Records"])
        clock = FakeClock(datetime.now(UTC), remaining_seconds=10**9)
        records = TimedRecords(Table(aws.client("dynamodb"), TABLE, clock))
        transport = DistantTransport()
        ports, connection = _ports(json.loads(announced), transport, records, clock)
        transport.requests.clear()
        began, cpu = time.monotonic(), time.process_time()
        _work_through(connection, ports)
        took, busy = time.monotonic() - began, time.process_time() - cpu
        asked = list(transport.requests)
        began = time.monotonic()
        _download(transport, asked)
        return Measured(
            invoices=invoices,
            calls=len(asked),
            until_active_seconds=took,
            cpu_seconds=busy,
            download_seconds=time.monotonic() - began,
            stored_seconds=records.waited_seconds / STORE_LANES,
            peak_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        )


def _ports(
    access: Mapping[str, str],
    transport: httpx.BaseTransport,
    records: DynamoRecordStore,
    clock: FakeClock,
) -> tuple[InMemoryPorts, Connection]:
    vault = InMemoryVault()
    gateway = ConnectWiseGateway(
        transport=transport,
        vault=vault,
        limiter=Unlimited(),
        clock=clock,
        on_codebase_changed=lambda *_: None,
        most_in_flight=IN_FLIGHT,
        allow_loopback=True,
    )
    ports: Any = InMemoryPorts(gateway, clock)
    ports.vault, ports.records, ports.store_lanes = vault, records, STORE_LANES
    connection = a_connection(
        company_id=access["company_id"],
        address=gateway.discover(access["company_id"], access["base_url"]),
        state=ConnectionState.IMPORTING,
    )
    ports.connections.save(connection, expected_version=0)
    vault.put_credentials(
        connection.connection_id,
        Credentials(access["company_id"], access["public_key"], access["private_key"]),
    )
    return ports, connection


def _work_through(connection: Connection, ports: InMemoryPorts) -> Run:
    """Work on the import to its end; what follows it is left."""
    started = use_cases.run_starter(ports).start(connection, RunKind.IMPORT)
    worker = use_cases.run_worker(ports)
    while True:
        run = ports.runs.get(started.connection_id, started.run_id).value
        if run is None or run.state in (RunState.FAILED, RunState.CANCELLED):
            raise SystemExit(f"the import did not succeed: {run}")
        if run.state is RunState.SUCCEEDED:
            return run
        for message in ports.run_queue.take_due():
            worker.work(message)


def _download(
    transport: httpx.BaseTransport, asked: Sequence[tuple[str, Mapping[str, str]]]
) -> None:
    def get(request: tuple[str, Mapping[str, str]]) -> None:
        url, headers = request
        exchange(transport, "GET", url, limits=RECORD, headers=headers)

    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        list(pool.map(get, asked))


def rows_of(found: Measured) -> Iterator[Row]:
    ratio = found.download_seconds / found.until_active_seconds
    without_store = found.until_active_seconds - found.stored_seconds
    yield Row(
        name=f"import of {found.invoices:,} until active",
        value=ratio,
        aim=0.75,
        unit="of the download's speed",
        limit="the same requests, three in flight, thrown away",
        note=f"{found.until_active_seconds:.1f} s, CPU {found.cpu_seconds:.1f} s, "
        f"{found.calls} calls, {found.peak_mib:.0f} MiB at most",
    )
    yield Row(
        name=f"import of {found.invoices:,} without its store",
        value=found.download_seconds / without_store,
        aim=0.9,
        unit="of the download's speed",
        limit="the same requests, three in flight, thrown away",
        note=f"{1000 * found.until_active_seconds / found.invoices:.1f} ms an invoice with it",
    )


def main(sizes: Sequence[int]) -> None:
    """Print the rows, and keep them."""
    publish("imports", [row for size in sizes for row in rows_of(measured(size))])


if __name__ == "__main__":
    main([int(each) for each in sys.argv[1:]] or [1_000])
