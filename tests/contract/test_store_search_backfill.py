"""Records of 0.1.0 are found before the backfill and after it, and it may be interrupted."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bridge.domain.errors import ConflictError
from bridge.domain.invoice import Invoice
from bridge.domain.mirrored_kinds import CUSTOMERS, INVOICES
from bridge.ports import CustomerQuery, InvoiceQuery, Stored
from bridge.store import search_backfill
from bridge.store.codec import encode
from bridge.store.items import mirrored_item, repacked
from bridge.store.records import DynamoRecordStore
from bridge.store.search_backfill import SearchBackfill
from bridge.store.table import Table
from tests.builders.records import PARTNER, a_customer, a_paid_invoice, a_payment, an_invoice
from tests.contract.conftest import Tables
from tests.fakes.clock import FakeClock

BEFORE: Mapping[str, Any] = json.loads(
    (Path(__file__).parents[1] / "unit" / "store" / "items_before.json").read_text(encoding="utf-8")
)


@pytest.fixture
def table(tables: Tables, clock: FakeClock) -> Table:
    """A table as 0.1.0 left it: a customer, a paid invoice, and an invoice with a payment."""
    table = Table(tables.client, tables.records, clock)
    for name in ("customer", "paid_invoice"):
        table.put(_stored(BEFORE[name][0]))
    table.put(as_before(WITH_PAYMENT))
    return table


WITH_PAYMENT = an_invoice(1002, number="INV-1002", payments=(a_payment(),))


def as_before(invoice: Invoice) -> dict[str, Any]:
    """Return an invoice's item in the form of 0.1.0, without its lines."""
    item = mirrored_item(invoice, version=1, change_fingerprint="")
    kept = {name: value for name, value in item.items() if not isinstance(value, bytes)}
    data = encode(replace(invoice, line_items=()))
    return {**kept, "schema": 1, "data": data, "marks": "n", "state": invoice.state.value}


def found(table: Table) -> tuple[set[str], set[str]]:
    records = DynamoRecordStore(table)
    invoices = [InvoiceQuery(number="inv-1001"), InvoiceQuery(amount_minor=11000)]
    return (
        {
            f"{query.number} {invoice.number}"
            for query in invoices
            for invoice in records.list_invoices(PARTNER, query, limit=10).items
        },
        {
            customer.name
            for customer in records.list_customers(
                PARTNER, CustomerQuery(name="dent"), limit=10
            ).items
        },
    )


def test_searches_find_the_same_before_and_after(table: Table) -> None:
    before = found(table)
    assert before == (
        {"inv-1001 INV-1001", "None INV-1001", "None INV-1002"},
        {"Northwind Dental"},
    )

    step = SearchBackfill(table).step()

    assert (step.rewritten, step.cursor) == (3, None)
    assert found(table) == before


def test_a_rewritten_record_says_what_it_said_and_keeps_its_version(table: Table) -> None:
    records = DynamoRecordStore(table)
    SearchBackfill(table).step()

    assert records.get(INVOICES, PARTNER, a_paid_invoice().invoice_id) == Stored(
        a_paid_invoice(), 1, '["2026",110.00]'
    )
    assert records.get(CUSTOMERS, PARTNER, a_customer().customer_id) == Stored(a_customer(), 1, "m")
    assert records.get(INVOICES, PARTNER, WITH_PAYMENT.invoice_id) == Stored(
        replace(WITH_PAYMENT, line_items=()), 1, "n"
    )


def test_a_backfill_that_was_interrupted_is_begun_anew(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_backfill, "STEP_ITEMS", 1)
    backfill = SearchBackfill(table)
    first = backfill.step()
    assert first.cursor is not None

    step, rewritten = backfill.step(), first.rewritten
    while step.cursor is not None:
        rewritten += step.rewritten
        step = backfill.step(step.cursor)

    assert rewritten + step.rewritten == 3
    assert found(table)[1] == {"Northwind Dental"}


def test_a_record_that_is_written_meanwhile_keeps_what_was_written(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = replace(a_paid_invoice(), reference="newer")

    def overtaken(record: Any, item: Any) -> Any:
        if isinstance(record, Invoice) and record.number == "INV-1001":
            DynamoRecordStore(table).save(newer, expected_version=1)
        return repacked(record, item)

    monkeypatch.setattr(search_backfill, "repacked", overtaken)
    assert SearchBackfill(table).step().rewritten == 2

    stored = DynamoRecordStore(table).get(INVOICES, PARTNER, newer.invoice_id)
    assert stored == Stored(newer, 2)


def test_an_old_record_gains_its_search_keys_when_it_is_written(table: Table) -> None:
    changed = replace(a_customer(), phone="5550101")
    DynamoRecordStore(table).save(changed, expected_version=1)
    SearchBackfill(table).step()

    records = DynamoRecordStore(table)
    page = records.list_customers(PARTNER, CustomerQuery(name="dental"), limit=10)
    assert page.items == (changed,)


def test_an_invoice_whose_payments_are_still_to_be_listed_says_so_afterwards(
    table: Table,
) -> None:
    # Given an invoice of 0.1.0's form whose worker died between its writes
    invoice = an_invoice(1003, number="INV-1003")
    zipped = BEFORE["paid_invoice"][0]["line_items"]["base64"]
    item = {**as_before(invoice), "marks": "unlisted f", "line_items": base64.b64decode(zipped)}
    table.put({**item, "unlisted_payments": _zipped([encode(a_payment(of=invoice))])})

    SearchBackfill(table).step()

    records = DynamoRecordStore(table)
    assert records.get(INVOICES, PARTNER, invoice.invoice_id) == Stored(invoice, 1, "unlisted f")
    with pytest.raises(ConflictError):
        records.save(invoice, expected_version=0)
    records.save(invoice, expected_version=1, change_fingerprint="f")
    assert records.get(INVOICES, PARTNER, invoice.invoice_id).change_fingerprint == "f"


def _zipped(content: Any) -> bytes:
    return gzip.compress(json.dumps(content).encode())


def _stored(item: Mapping[str, Any]) -> Any:
    return {
        key: base64.b64decode(value["base64"])
        if isinstance(value, dict) and value.keys() == {"base64"}
        else value
        for key, value in item.items()
    }
