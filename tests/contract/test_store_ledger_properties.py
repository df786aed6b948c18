"""Random steps on both ledgers at once: every answer and every refusal is the same, no partner
meets another one's items, and the stored shape stays what it is."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.domain.errors import BridgeError, ConflictError, InvalidInputError, LeaseTakenError
from bridge.domain.identity import mirrored_id, write_back_id_of
from bridge.domain.platform_payment import Allocation, PlatformPayment, Target
from bridge.domain.write_back import Books, Lease, WriteBack, WriteBackState
from bridge.ports import PlatformPaymentQuery
from bridge.store.attributes import to_item
from bridge.store.items import read_stored
from tests.builders.payments import a_platform_payment, a_write_back, write_backs_for
from tests.builders.records import CONNECTION, PARTNER
from tests.contract.ledger import MINUTE, LedgerTable, lease_of
from tests.fakes.clock import START, FakeClock
from tests.fakes.histories import ReadableLedger
from tests.fakes.ledger import InMemoryLedgerStore

_connections = (f"{number:032x}" for number in itertools.count(1))
_PAYMENTS = ("pay-1", "pay-2")
_INVOICES = (1001, 1002)
_REFUSALS = (LeaseTakenError, ConflictError, InvalidInputError, ValueError)
on_one_table = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

payments = st.sampled_from(_PAYMENTS)
invoices = st.sampled_from(_INVOICES)
versions = st.integers(1, 4)
minutes = st.integers(0, 4)
psa_ids = st.none() | st.sampled_from([7, 8])
saves = st.fixed_dictionaries(
    {"place": st.none() | st.integers(0, 2)},
    optional={
        "extend_until": st.just(START + 9 * MINUTE),
        "own_psa_payment_id": psa_ids,
        "disown_psa_payment_id": psa_ids,
    },
)
steps = st.one_of(
    st.tuples(st.just("record"), payments, st.sets(invoices)),
    st.tuples(st.just("move"), payments, versions, st.dictionaries(invoices, versions)),
    st.tuples(st.just("take"), payments, invoices, minutes, minutes),
    st.tuples(st.just("release"), st.integers(0, 2)),
    st.tuples(st.just("save"), payments, invoices, versions, saves),
)


@dataclass
class Book:
    """One ledger of the two, and the leases that were taken from it."""

    ledger: ReadableLedger
    connection_id: str
    company_key: str = ""
    leases: list[Lease] = field(default_factory=list)

    @property
    def books(self) -> Books:
        return Books(self.connection_id, self.company_key)

    def outcome(self, step: Sequence[Any]) -> object:
        """What a step brings, or the kind of its refusal; tokens differ and are left out."""
        name, *arguments = step
        try:
            found: object = getattr(self, f"_{name}")(*arguments)
        except (BridgeError, ValueError) as error:
            kind = next(kind for kind in _REFUSALS if isinstance(error, kind))
            return kind, getattr(error, "until", None)
        return found

    def payment(self, payment_id: str) -> PlatformPayment:
        ids = [mirrored_id(self.connection_id, invoice) for invoice in _INVOICES]
        allocations = tuple(Allocation(each, 5) for each in ids)
        partner_id = f"partner-{self.connection_id[-8:]}"
        return a_platform_payment(payment_id, partner_id=partner_id, allocations=allocations)

    def write_back(self, payment_id: str, invoice: int) -> WriteBack:
        write_backs = write_backs_for(self.payment(payment_id))
        return write_backs[_INVOICES.index(invoice)]

    def _record(self, payment_id: str, wanted: set[int]) -> None:
        write_backs = [self.write_back(payment_id, invoice) for invoice in sorted(wanted)]
        self.ledger.record(self.payment(payment_id), write_backs)

    def _move(self, payment_id: str, version: int, moved: dict[int, int]) -> None:
        write_backs = [
            (replace(self.write_back(payment_id, invoice), target=Target.ABSENT), expected)
            for invoice, expected in moved.items()
        ]
        self.ledger.move_payment(
            self.payment(payment_id), expected_version=version, write_backs=write_backs
        )

    def _take(self, payment_id: str, invoice: int, start: int, length: int) -> object:
        lease = lease_of(
            self.ledger,
            write_back_id_of(payment_id, invoice),
            invoice=invoice,
            books=self.books,
            now=START + start * MINUTE,
            minutes=length,
        )
        self.leases.append(lease)
        return lease.until

    def _release(self, place: int) -> None:
        if place < len(self.leases):
            self.ledger.release_lease(self.leases[place])

    def _save(self, payment_id: str, invoice: int, version: int, step: dict[str, Any]) -> int:
        place, change = step["place"], {**step}
        del change["place"]
        lease = None if place is None or place >= len(self.leases) else self.leases[place]
        moved = replace(self.write_back(payment_id, invoice), posts=version)
        return self.ledger.save_write_back(moved, expected_version=version, holding=lease, **change)

    def everything(self) -> list[object]:
        """All that can be read."""
        ledger, connection_id = self.ledger, self.connection_id
        partner_id = self.payment("pay-1").partner_id
        reads: list[Callable[[], object]] = [
            lambda: ledger.list_payments(partner_id, PlatformPaymentQuery(), limit=10).items,
            lambda: ledger.owners(self.books, [7, 8]),
            lambda: [w for w in ledger.list_due(START, limit=900) if w.partner_id == partner_id],
            *(lambda i=i: ledger.write_backs_of_invoice(connection_id, i) for i in _INVOICES),
            *(lambda p=p: ledger.get_payment(partner_id, p) for p in _PAYMENTS),
            *(lambda p=p: ledger.write_backs_of_payment(partner_id, p) for p in _PAYMENTS),
            *(lambda p=p: ledger.payment_history(partner_id, p, limit=9) for p in _PAYMENTS),
        ]
        return [read() for read in reads]


@on_one_table
@given(steps=st.lists(steps, max_size=25), is_proven=st.booleans())
def test_both_ledgers_answer_alike(
    ledger_table: LedgerTable, clock: FakeClock, steps: list[Sequence[Any]], is_proven: bool
) -> None:
    connection_id = next(_connections)
    company_key = next(_connections) if is_proven else ""
    books = [
        Book(InMemoryLedgerStore(clock), connection_id, company_key),
        Book(ledger_table.store(clock), connection_id, company_key),
    ]
    for step in steps:
        first, second = (book.outcome(step) for book in books)
        assert first == second, step
    first, second = (book.everything() for book in books)
    assert first == second


# --- the stored shape --------------------------------------------------------------------------


def items_of(ledger_table: LedgerTable) -> list[dict[str, Any]]:
    found = ledger_table.client.scan(TableName=ledger_table.name)["Items"]
    return sorted(map(to_item, found), key=lambda item: (str(item["pk"]), str(item["sk"])))


def test_the_stored_items_are_these(ledger_table: LedgerTable, clock: FakeClock) -> None:
    """The texts are what tables hold: a change that breaks one needs a new schema number."""
    ledger = ledger_table.store(clock)
    payment, write_back = a_platform_payment(), a_write_back()
    ledger.record(payment, [write_back])
    lease = lease_of(ledger, write_back.write_back_id)
    ledger.save_write_back(
        replace(write_back, state=WriteBackState.CONFIRMED, psa_payment_id=9001),
        expected_version=1,
        holding=lease,
        own_psa_payment_id=9001,
    )

    items = items_of(ledger_table)

    invoice = f"CONNECTION#{CONNECTION}#INVOICE#0000001001"
    places = [(item["pk"], item["sk"]) for item in items]
    assert places == [
        (invoice, "EVENT#pay-1#0000000001"),
        (invoice, "EVENT#pay-1#0000000002"),
        (invoice, "LEASE"),
        (invoice, "WRITE_BACK#pay-1"),
        (f"CONNECTION#{CONNECTION}#PSA_PAYMENT", "0000009001"),
        (f"PARTNER#{PARTNER}#PLATFORM_PAYMENT", "pay-1"),
        (f"PARTNER#{PARTNER}#PLATFORM_PAYMENT_EVENT", "pay-1#0000000001"),
    ]
    by_sk = {item["sk"]: item for item in items}
    stored = by_sk["pay-1"]
    assert stored["gsi1pk"] == f"PARTNER#{PARTNER}#PLATFORM_PAYMENT"
    assert stored["gsi1sk"] == "2026-03-02T09:00:00.000000Z#pay-1"
    assert stored["gsi2pk"] == f"PARTNER#{PARTNER}#CUSTOMER#{CONNECTION}-11"
    assert stored["gsi2sk"] == "PLATFORM_PAYMENT#2026-03-02T09:00:00.000000Z#pay-1"
    assert stored["data"] == {
        "payment_id": "pay-1",
        "partner_id": PARTNER,
        "customer_id": f"{CONNECTION}-11",
        "amount_minor": 11000,
        "currency": {"code": "USD", "decimals": 2},
        "method": "card",
        "received_on": "2026-03-01",
        "allocations": [{"invoice_id": f"{CONNECTION}-1001", "amount_minor": 11000}],
        "state": "settled",
        "recorded_at": "2026-03-02T09:00:00.000000Z",
        "fee_minor": 0,
        "reference": "",
        "state_reason": "",
        "is_unapplied_meant": False,
    }
    written = by_sk["WRITE_BACK#pay-1"]
    assert "gsi1pk" not in written, "what has ended is not due"
    assert (written["schema"], written["version"]) == (1, 2)
    assert written["data"] == {
        "write_back_id": "pay-1.1001",
        "partner_id": PARTNER,
        "connection_id": CONNECTION,
        "payment_id": "pay-1",
        "invoice_id": f"{CONNECTION}-1001",
        "invoice_source_id": 1001,
        "amount_minor": 11000,
        "currency": {"code": "USD", "decimals": 2},
        "paid_on": "2026-03-01",
        "target": "posted",
        "state": "confirmed",
        "created_at": "2026-03-02T09:00:00.000000Z",
        "due_at": "2026-03-02T09:00:00.000000Z",
        "psa_payment_id": 9001,
    }, "fields that have their defaults are left out"
    entry = by_sk["EVENT#pay-1#0000000002"]
    assert entry["schema"] == 2
    assert read_stored(WriteBack, entry) == read_stored(WriteBack, written)
    assert by_sk["0000009001"]["write_back_id"] == "pay-1.1001"
    assert by_sk["LEASE"]["until"] == "2026-03-02T09:01:00.000000Z"


def test_what_is_due_stands_in_the_index_by_time(
    ledger_table: LedgerTable, clock: FakeClock
) -> None:
    ledger_table.store(clock).record(a_platform_payment(), [a_write_back()])
    (due,) = [item for item in items_of(ledger_table) if item["sk"] == "WRITE_BACK#pay-1"]
    assert due["gsi1pk"] == "DUE_WRITE_BACK"
    assert due["gsi1sk"] == "2026-03-02T09:00:00.000000Z#pay-1.1001"
