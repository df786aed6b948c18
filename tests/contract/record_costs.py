"""Invoices as people write them, many of them in a table, and what storing and listing costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from bridge.domain.customer import NamedRef
from bridge.domain.identity import mirrored_id
from bridge.domain.invoice import Invoice, InvoiceState, LineItem, LineKind
from bridge.ports import Clock, InvoiceQuery, RecordStore
from bridge.store.attributes import Item, from_item
from bridge.store.items import mirrored_item, new_search_keys
from bridge.store.records import DynamoRecordStore
from bridge.store.search_backfill import SearchBackfill
from bridge.store.table import Table
from tests.builders.records import CONNECTION, a_customer, a_payment, an_invoice
from tests.contract.meter import Meter

DAY = date(2026, 3, 1)
CUSTOMERS = 20
_MAX_PUTS = 25
MARKS = (
    '{"balance":["110","110","0","0"],"payer":[11,null],"status":[1,"New",false],'
    '"details":["Standard","INV-1001","2026-03-03T00:00:00Z",4],"changed":["2026-02-01T09:00:00Z"]}'
)


class Costs:
    """A record store on a table of its own, and what it costs."""

    def __init__(self, client: Any, table_name: str, clock: Clock) -> None:
        self.table = Table(client, table_name, clock)
        SearchBackfill(self.table).step()
        self.records: RecordStore = DynamoRecordStore(self.table)
        self.meter = Meter(client)

    def write_units(self, invoice: Invoice, *, expected_version: int = 0) -> float:
        self.meter.reset()
        self.records.save(invoice, expected_version=expected_version, change_fingerprint=MARKS)
        return self.meter.write_units


def a_usual_invoice(source_id: int = 1001, **changes: Any) -> Invoice:
    """An invoice with three lines, as long as people write them."""
    lines = (
        LineItem(LineKind.PRODUCT, "Firewall FortiGate 60F with UTP bundle", 10000, source_id=71),
        LineItem(LineKind.TIME, "On-site installation and set-up of the firewall", 55000),
        LineItem(LineKind.ADJUSTMENT, "Taxes and adjustments", 1000),
    )
    usual = {
        "line_items": lines,
        "billing_terms": NamedRef(4, "Net 30"),
        "agreement": NamedRef(77, "Managed Services Gold"),
        "agreement_type": "Managed Services",
        "reference": "January services for Northwind",
        "location_id": 2,
        "department_id": 10,
    }
    return an_invoice(source_id, **(usual | changes))


def with_a_payment(invoice: Invoice) -> Invoice:
    return replace(invoice, payments=(a_payment(of=invoice),), balance_minor=6000, paid_minor=5000)


def fill(client: Any, table_name: str, records: RecordStore, count: int) -> None:
    """Put so many open invoices of one partner into a table, with their customers."""
    items = [item for number in range(count) for item in items_of(a_listed_invoice(number + 1))]
    for start in range(0, len(items), _MAX_PUTS):
        puts = [
            {"PutRequest": {"Item": from_item(item)}} for item in items[start : start + _MAX_PUTS]
        ]
        client.batch_write_item(RequestItems={table_name: puts})
    for number in range(1, CUSTOMERS + 1):
        customer = a_customer(number, name=f"Customer {number} of many")
        records.save(customer, expected_version=0)


def a_listed_invoice(source_id: int) -> Invoice:
    return an_invoice(
        source_id,
        customer_id=mirrored_id(CONNECTION, source_id % CUSTOMERS + 1),
        due_on=DAY + timedelta(days=source_id % 300),
        total_minor=source_id % 100 + 100,
        balance_minor=source_id % 100 + 100,
    )


def items_of(invoice: Invoice) -> list[Item]:
    item = mirrored_item(invoice, version=1, change_fingerprint="")
    return [item, *new_search_keys(invoice, None)]


PATHS: Mapping[str, InvoiceQuery] = {
    "number": InvoiceQuery(number="inv-4"),
    "whole number": InvoiceQuery(number="INV-4321"),
    "amount": InvoiceQuery(amount_minor=150),
    "customer and state": InvoiceQuery(
        customer_id=mirrored_id(CONNECTION, 7), state=InvoiceState.OPEN
    ),
    "state and due": InvoiceQuery(
        state=InvoiceState.OPEN, due_from=DAY, due_to=DAY + timedelta(days=200)
    ),
    "connection and due": InvoiceQuery(
        connection_id=CONNECTION, state=InvoiceState.OPEN, due_from=DAY
    ),
}
