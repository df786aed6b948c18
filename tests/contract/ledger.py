"""A ledger of a test, and what its tests ask of it again and again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bridge.domain.errors import BridgeError
from bridge.domain.identity import mirrored_id
from bridge.domain.platform_payment import Allocation, PlatformPayment, PlatformPaymentState
from bridge.domain.write_back import Books, Lease, Timings, WriteBack
from bridge.domain.write_back.changes import confirm, state_post
from bridge.ports import LedgerStore, Stored
from bridge.store.table import Table
from tests.builders.payments import a_platform_payment, write_backs_for
from tests.builders.records import CONNECTION
from tests.fakes.clock import START, FakeClock
from tests.fakes.histories import ReadableDynamoLedger

MINUTE = timedelta(minutes=1)
BOOKS = Books(CONNECTION)
"""The books of a connection whose company was never proven."""
WRITER = "test"
WORKERS = 20
PSA_PAYMENT = 9001


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
    books: Books = BOOKS,
    now: datetime = START,
    minutes: float = 1,
) -> Lease:
    """Take an invoice's lease."""
    return ledger.take_lease(
        books=books,
        invoice_source_id=invoice,
        holder_id=holder_id,
        now=now,
        until=now + minutes * MINUTE,
    )


def stored(ledger: LedgerStore, write_back: WriteBack) -> Stored[WriteBack]:
    """What is stored of a write-back."""
    return ledger.get_write_back(write_back.connection_id, write_back.write_back_id)


def recorded(ledger: LedgerStore, payment_id: str = "pay-a", *, invoice: int = 1001) -> WriteBack:
    """Record a payment and return its write-back, at version 1."""
    allocation = Allocation(mirrored_id(CONNECTION, invoice), 11000)
    payment = a_platform_payment(payment_id, allocations=(allocation,))
    (write_back,) = write_backs_for(payment)
    ledger.record(payment, [write_back])
    return write_back


def over_invoices(count: int, payment_id: str = "pay-1") -> PlatformPayment:
    """A payment that gives one unit to each of so many invoices."""
    ids = [mirrored_id(CONNECTION, 1001 + place) for place in range(count)]
    return a_platform_payment(payment_id, allocations=tuple(Allocation(each, 1) for each in ids))


def returned(payment: PlatformPayment) -> PlatformPayment:
    return payment.moved_to(PlatformPaymentState.RETURNED, reason="R01", now=START + MINUTE)


def posting(write_back: WriteBack) -> WriteBack:
    return state_post(write_back, START, Timings(), balance_minor=11000)


def own(
    ledger: LedgerStore, write_back: WriteBack, version: int = 1, *, lease: Lease | None = None
) -> int:
    """Own the payment under the invoice's lease, which is given up again if it was taken here."""
    holding = lease or lease_of(
        ledger, write_back.write_back_id, invoice=write_back.invoice_source_id
    )
    try:
        return ledger.save_write_back(
            confirm(write_back, PSA_PAYMENT, START),
            expected_version=version,
            holding=holding,
            own_psa_payment_id=PSA_PAYMENT,
        )
    finally:
        if lease is None:
            ledger.release_lease(holding)


def at_once(calls: Sequence[Callable[[], object]]) -> list[object]:
    """Make all calls from threads of their own, and return what each brought or raised."""

    def outcome(call: Callable[[], object]) -> object:
        try:
            return call()
        except BridgeError as error:
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(outcome, calls))
