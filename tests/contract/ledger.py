"""A ledger of a test, and what its tests ask of it again and again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bridge.domain.write_back import Lease, WriteBack
from bridge.ports import LedgerStore, Stored
from bridge.store.table import Table
from tests.builders.records import CONNECTION
from tests.fakes.clock import START, FakeClock
from tests.fakes.histories import ReadableDynamoLedger

MINUTE = timedelta(minutes=1)
WRITER = "test"


@dataclass(frozen=True)
class LedgerTable:
    """One test's own table."""

    client: Any
    name: str

    def store(self, clock: FakeClock, client: Any = None) -> ReadableDynamoLedger:
        table = Table(client or self.client, self.name, clock)
        return ReadableDynamoLedger(table, clock, written_by=WRITER)


def lease_of(
    ledger: LedgerStore,
    holder_id: str,
    *,
    invoice: int = 1001,
    connection_id: str = CONNECTION,
    now: datetime = START,
    minutes: float = 1,
) -> Lease:
    """Take an invoice's lease."""
    return ledger.take_lease(
        connection_id=connection_id,
        invoice_source_id=invoice,
        holder_id=holder_id,
        now=now,
        until=now + minutes * MINUTE,
    )


def stored(ledger: LedgerStore, write_back: WriteBack) -> Stored[WriteBack]:
    """What is stored of a write-back."""
    return ledger.get_write_back(write_back.connection_id, write_back.write_back_id)
