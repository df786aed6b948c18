"""A whole import in a process of its own, over HTTP, that keeps nothing but versions of invoices.

Run as a program with the sandbox's announcement as its argument; prints what it cost as JSON.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bridge.connectwise.egress import GuardedTransport
from bridge.connectwise.gateway import ConnectWiseGateway
from bridge.connectwise.psa import ConnectWisePsa
from bridge.domain.connection import Connection, ConnectionState, Credentials
from bridge.domain.identity import RecordKind
from bridge.domain.invoice import Invoice
from bridge.domain.mirrored_kinds import MirroredKind, MirroredRecord, R
from bridge.domain.run import Run, RunKind, RunState
from bridge.ports import CallPurpose, Stored
from bridge.wiring import use_cases
from tests.builders.operations import a_connection
from tests.fakes.clock import FakeClock
from tests.fakes.ports import InMemoryPorts
from tests.fakes.records import InMemoryRecordStore
from tests.fakes.vault import InMemoryVault


class Unlimited:
    """A tenant who may be called as often as it goes."""

    def acquire(self, connection_id: str, purpose: CallPurpose = CallPurpose.MIRROR) -> float:
        return 0.0

    def pause(self, connection_id: str, *, seconds: float) -> None:
        raise AssertionError(f"{connection_id} asked us to wait {seconds} s")


class ForgetfulRecordStore(InMemoryRecordStore):
    """Keeps customers whole and of invoices only their versions: what an import stores must not
    be measured, only what it holds while it works."""

    def __init__(self) -> None:
        super().__init__()
        self.versions: dict[int, int] = {}

    def get_mirrored(
        self,
        kind: MirroredKind[R],
        partner_id: str,
        connection_id: str,
        source_ids: Sequence[int],
    ) -> Mapping[int, Stored[R]]:
        if kind.record_kind is RecordKind.INVOICE:
            return {i: Stored(None, self.versions.get(i, 0)) for i in source_ids}
        return super().get_mirrored(kind, partner_id, connection_id, source_ids)

    def save(
        self, record: MirroredRecord, *, expected_version: int, change_fingerprint: str = ""
    ) -> int:
        if isinstance(record, Invoice):
            self.versions[record.source_id or 0] = expected_version + 1
            return expected_version + 1
        return super().save(
            record, expected_version=expected_version, change_fingerprint=change_fingerprint
        )


class CountingGateway(ConnectWiseGateway):
    """Adds up the calls of every client it opens."""

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        self.opened: list[ConnectWisePsa] = []

    def open(self, connection: Connection) -> ConnectWisePsa:
        self.opened.append(super().open(connection))
        return self.opened[-1]

    def calls(self) -> Counter[str]:
        return sum((Counter(psa.calls) for psa in self.opened), Counter())


def run_import(access: Mapping[str, str]) -> dict[str, Any]:
    """Import everything from the sandbox and return counts, calls and the peak memory."""
    # Its time stands still, so that no deadline cuts a page.
    clock = FakeClock(datetime.now(UTC), remaining_seconds=10**9)
    vault = InMemoryVault()
    gateway = CountingGateway(
        transport=GuardedTransport(allow_loopback=True),
        vault=vault,
        limiter=Unlimited(),
        clock=clock,
        on_codebase_changed=lambda *_: None,
        allow_loopback=True,
    )
    ports, records = InMemoryPorts(gateway, clock), ForgetfulRecordStore()
    ports.vault, ports.records = vault, records
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
    began = time.monotonic()
    done = _work_through(connection, RunKind.IMPORT, ports)
    report = _report(done, records, gateway, time.monotonic() - began)
    gateway.opened.clear()
    _work_through(connection, RunKind.CUSTOMERS, ports)
    return report | {"quiet_hour_calls": dict(gateway.calls())}


def _work_through(connection: Connection, kind: RunKind, ports: InMemoryPorts) -> Run | None:
    run = use_cases.run_starter(ports).start(connection, kind)
    worker = use_cases.run_worker(ports)
    while messages := ports.run_queue.take_due():
        for message in messages:
            worker.work(message)
    return ports.runs.get(run.connection_id, run.run_id).value


def _report(
    run: Run | None, records: ForgetfulRecordStore, gateway: CountingGateway, seconds: float
) -> dict[str, Any]:
    if run is None or run.state is not RunState.SUCCEEDED:
        raise SystemExit(f"the import did not succeed: {run}")
    return {
        "invoices": len(records.versions),
        "failed": run.invoices.failed + run.customers.failed,
        "calls": dict(gateway.calls()),
        "seconds": round(seconds, 1),
        "peak_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }


if __name__ == "__main__":
    print(json.dumps(run_import(json.loads(sys.argv[1]))))
