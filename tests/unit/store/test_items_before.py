"""Items of version 0.1.0 are read by this release, and most of this release's items by that one.

``items_before.json`` was written by the stores of 0.1.0. Equal items are readable by both; the
``fingerprint``, an attribute that no release reads, is left out today. Customers and invoices are
packed today, under a schema that 0.1.0 refuses; their keys are what they were.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from bridge.domain.connection import Connection
from bridge.domain.customer import ArchiveReason, Customer
from bridge.domain.filters import CustomerFilter, ImportFilters, InvoiceFilter
from bridge.domain.identity import RecordKind
from bridge.domain.invoice import Invoice, InvoiceType
from bridge.domain.platform_payment import PlatformPayment
from bridge.domain.problem import Problem
from bridge.domain.run import Counters, Run, RunKind, RunState
from bridge.domain.window import Window
from bridge.domain.write_back import WriteBack
from bridge.store.callback_endpoints import DynamoCallbackEndpoints
from bridge.store.connections import DynamoConnectionStore
from bridge.store.items import read_stored
from bridge.store.ledger import DynamoLedgerStore
from bridge.store.problems import DynamoProblemStore
from bridge.store.records import DynamoRecordStore
from bridge.store.runs import DynamoRunStore
from bridge.store.table import Table, Write
from tests.builders.operations import a_connection, a_problem_report, a_run
from tests.builders.payments import a_platform_payment, write_backs_for
from tests.builders.records import CONNECTION, PARTNER, a_customer, a_paid_invoice
from tests.fakes.clock import START, FakeClock

Item = Mapping[str, Any]
BEFORE: Mapping[str, Sequence[Item]] = json.loads(
    Path(__file__).with_name("items_before.json").read_text(encoding="utf-8")
)
CLOCK = FakeClock()
PAYMENT = a_platform_payment()
RUN = replace(
    a_run("a" * 32),
    kind=RunKind.SWEEP,
    state=RunState.RUNNING,
    step_index=1,
    cursor_id=1003,
    page_count=4,
    attempts=2,
    server_time=START,
    since=START - timedelta(hours=1),
    customers=Counters(seen=5, created=1, updated=2, unchanged=2),
    invoices=Counters(seen=9, failed=1, deferred=2, skipped=1, archived=3),
    expected_customers=50,
    expected_invoices=500,
    vanished_customers=(11, 12),
    vanished_invoices=(1001, 1002),
    archive_is_approved=True,
)
FILTERS = ImportFilters(
    CustomerFilter(frozenset({1, 2}), frozenset({3})),
    InvoiceFilter(types=frozenset({InvoiceType.STANDARD}), minimum_balance=Decimal("1.50")),
)
CONNECTED = a_connection(CONNECTION, filters=FILTERS, name="Acme")
ARCHIVED = a_customer().archived(ArchiveReason.LEFT_FILTER, START)


class CapturedTable:
    """An empty table that keeps the items that stores write, but for search keys: 0.1.0 passes
    them over."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.name = "captured"

    def put(self, item: Item, condition: object = None) -> None:
        if "data" in item or condition is not None:
            self.items.append(item)

    def transact(self, writes: Sequence[Write]) -> None:
        self.items += [write.item for write in writes if write.item is not None and not write.table]

    def get(self, key: object) -> None:
        return None


def endpoints() -> DynamoCallbackEndpoints:
    """What no table of 0.1.0 holds: it goes into another one."""
    return DynamoCallbackEndpoints(cast(Table, CapturedTable()))


WRITES: Mapping[str, Callable[[Table], object]] = {
    "customer": lambda t: DynamoRecordStore(t).save(
        a_customer(), expected_version=0, change_fingerprint="m"
    ),
    "archived_customer": lambda t: DynamoRecordStore(t).save(
        ARCHIVED, expected_version=0, change_fingerprint="m"
    ),
    "paid_invoice": lambda t: DynamoRecordStore(t).save(
        a_paid_invoice(), expected_version=0, change_fingerprint='["2026",110.00]'
    ),
    "tombstone": lambda t: DynamoRecordStore(t).save_tombstone(
        PARTNER, CONNECTION, RecordKind.INVOICE, 1001
    ),
    "connection": lambda t: DynamoConnectionStore(t, endpoints).save(CONNECTED, expected_version=0),
    "run": lambda t: DynamoRunStore(t, CLOCK).start(
        RUN, Window(CONNECTION, RunKind.FETCH_NEW, taken_at=START)
    ),
    "problem": lambda t: DynamoProblemStore(t, CLOCK).report(a_problem_report(), START),
    "platform_payment": lambda t: DynamoLedgerStore(t, CLOCK, written_by="dashboard_api").record(
        PAYMENT, write_backs_for(PAYMENT)
    ),
}


PACKED = {"customer": Customer, "archived_customer": Customer, "paid_invoice": Invoice}
_CONTENT = {"data", "line_items", "marks", "schema", "state"}
FILLED_IN = {
    "deletions": 0,
    "is_called_off": False,
    "lasting_reason": "",
    "posted_as": "",
    "posts": 0,
    "reason": "",
    "waits": 0,
    "wants_follow_up": False,
}
"""Workers of 0.1.0 fill these in where a write-back's item leaves them out."""


@pytest.mark.parametrize("name", PACKED)
def test_packed_items_stand_where_those_of_before_stood_and_say_the_same(name: str) -> None:
    table = CapturedTable()
    WRITES[name](cast(Table, table))
    (new,), (old,) = table.items, BEFORE[name]
    beside = {key: value for key, value in old.items() if key not in {*_CONTENT, "fingerprint"}}
    assert {key: value for key, value in new.items() if key not in _CONTENT} == beside
    assert read_stored(PACKED[name], new) == read_stored(PACKED[name], _stored(old))


@pytest.mark.parametrize("name", sorted(BEFORE.keys() - PACKED))
def test_items_written_today_hold_those_of_before(name: str) -> None:
    """A release may add fields; it keeps every key and value that earlier workers read."""
    table = CapturedTable()
    WRITES[name](cast(Table, table))
    written = [{key: _plain(value) for key, value in item.items()} for item in table.items]
    before = [
        {key: value for key, value in item.items() if key != "fingerprint"} for item in BEFORE[name]
    ]
    assert len(written) == len(before)
    for new, old in zip(written, before, strict=True):
        if "written_by" not in old:
            assert _shared(_filled_in(new), old) == old


def test_entries_for_auditors_stand_where_those_of_before_stood_and_say_the_same() -> None:
    table = CapturedTable()
    WRITES["platform_payment"](cast(Table, table))
    pairs = zip(table.items, BEFORE["platform_payment"], strict=True)
    entries = [(new, old) for new, old in pairs if "written_by" in old]
    assert len(entries) == 2
    for new, old in entries:
        record_type = WriteBack if old["sk"].startswith("EVENT#") else PlatformPayment
        assert read_stored(record_type, new) == read_stored(record_type, _stored(old))
        beside = {"pk", "sk", "recorded_at", "written_by", "version"}
        assert {key: new[key] for key in beside} == {key: old[key] for key in beside}


@pytest.mark.parametrize(
    ("name", "record_type", "value"),
    [
        ("customer", Customer, a_customer()),
        ("archived_customer", Customer, ARCHIVED),
        ("paid_invoice", Invoice, a_paid_invoice()),
        ("connection", Connection, CONNECTED),
        ("run", Run, RUN),
        ("problem", Problem, a_problem_report().as_problem(START)),
        ("platform_payment", PlatformPayment, PAYMENT),
    ],
)
def test_items_of_before_are_read(name: str, record_type: type, value: object) -> None:
    found = [
        read_stored(record_type, _stored(item)).value
        for item in BEFORE[name]
        if "data" in item and item["data"].keys() >= _required(record_type)
    ]
    assert value in found


def _filled_in(item: Any) -> Any:
    """Return an item as a worker of 0.1.0 reads it."""
    is_write_back = str(item["sk"]).startswith("WRITE_BACK#")
    return {**item, "data": FILLED_IN | item["data"]} if is_write_back else item


def _shared(new: Any, old: Any) -> Any:
    """Return the part of a new value that the old one has, too."""
    if isinstance(new, Mapping) and isinstance(old, Mapping):
        return {key: _shared(value, old[key]) for key, value in new.items() if key in old}
    return new


def _required(record_type: type) -> set[str]:
    """Return a field that no other record of the same write has."""
    return {
        Customer: {"customer_id", "name"},
        Invoice: {"invoice_id", "number"},
        Connection: {"connection_id", "address"},
        Run: {"run_id", "kind"},
        Problem: {"problem_id"},
        PlatformPayment: {"payment_id", "allocations"},
    }[record_type]


def _plain(value: object) -> object:
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def _stored(item: Item) -> Any:
    return {
        key: base64.b64decode(value["base64"])
        if isinstance(value, dict) and value.keys() == {"base64"}
        else value
        for key, value in item.items()
    }
