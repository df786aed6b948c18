"""The shape of stored items. These texts are what tables hold: a change that breaks one needs a
new schema number and a way to read the old shape."""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import replace
from typing import Any

import pytest

from bridge.domain.customer import ArchiveReason, Customer, NamedRef
from bridge.domain.errors import MalformedRecordError
from bridge.domain.invoice import Invoice, LineItem, LineKind
from bridge.domain.payment import Payment
from bridge.ports import Stored
from bridge.store.attributes import MAX_ITEM_BYTES, check_storable, from_item, size_bytes, to_item
from bridge.store.codec import encode
from bridge.store.content import unpack
from bridge.store.items import (
    mirrored_item,
    payment_item,
    read_record,
    read_stored,
    tombstone_item,
    unlisted_payments,
    with_unlisted,
)
from bridge.store.keys import Key
from tests.builders.records import CONNECTION, a_customer, a_payment, an_invoice
from tests.fakes.clock import START

ID = f"{CONNECTION}-1001"
GOLDEN_INVOICE: dict[str, Any] = {
    "pk": f"PARTNER#partner-a#CONNECTION#{CONNECTION}#INVOICE",
    "sk": "0000001001",
    "gsi1pk": "PARTNER#partner-a#INVOICE#OPEN",
    "gsi1sk": f"2026-03-03#{ID}",
    "gsi2pk": f"PARTNER#partner-a#CUSTOMER#{CONNECTION}-11",
    "gsi2sk": f"INVOICE#OPEN#2026-03-03#{ID}",
    "schema": 1,
    "version": 3,
    "marks": "m",
    "is_archived": False,
    "state": "open",
    "has_balance": True,
    "data": {
        "invoice_id": ID,
        "partner_id": "partner-a",
        "origin": "connectwise",
        "customer_id": f"{CONNECTION}-11",
        "number": "INV-1001",
        "currency": {"code": "USD", "decimals": 2},
        "total_minor": 11000,
        "balance_minor": 11000,
        "issued_on": "2026-02-01",
        "due_on": "2026-03-03",
        "connection_id": CONNECTION,
        "source_id": 1001,
        "customer_source_id": 11,
        "type": "Standard",
        "subtotal_minor": 10000,
        "tax_minor": 1000,
        "paid_minor": 0,
        "credited_minor": 0,
        "status": {"source_id": 1, "name": "New", "is_closed": False},
        "agreement_type": "",
        "reference": "",
        "purchase_order": "",
        "is_batched": False,
        "payments": [],
    },
}
GOLDEN_DATA: dict[str, Any] = GOLDEN_INVOICE["data"]
GOLDEN_LINES = [
    {
        "kind": "product",
        "description": "Firewall",
        "amount_minor": 10000,
        "quantity": "2.5",
        "unit_price": "40.00",
        "source_id": 71,
    },
    {"kind": "adjustment", "description": "Taxes and adjustments", "amount_minor": 1000},
]


# What this release packed of the invoice on the day when its dictionary was set.
PACKED_ONCE = {
    "data": (
        "q8aaqNASiaGhgYEBZqQnG+CHVEwUhKzSNTTEkW4MDdGTiYExEKGnFcIWGBgYEpmgDIx0wWrhqcjTLwym"
        "n4zUBOXoJpKcrEB2EpW0IK0stIIaPWmBEoEBSvqCJAtURVAx9HQGAA=="
    ),
    "line_items": ("i0ZPmYYGQICeo9wyi1LLE3NyCGQFIz1TVAeaG6LlBhMD7PnBEIulIYkVoBoTWBkmEqrQYwE="),
    "marks": ("ywUA"),
}


def packed(version: int = 3) -> dict[str, Any]:
    return mirrored_item(an_invoice(), version=version, change_fingerprint="m")


def test_an_invoice_is_one_item_with_its_content_packed() -> None:
    item = packed()
    content = ("data", "line_items", "marks")
    beside = {
        name: value for name, value in GOLDEN_INVOICE.items() if name not in (*content, "state")
    }
    assert {name: value for name, value in item.items() if name not in content} == {
        **beside,
        "schema": 2,
    }
    data = {name: value for name, value in GOLDEN_DATA.items() if name != "payments"}
    assert json.loads(unpack(item["data"])) == data
    assert json.loads(unpack(item["line_items"])) == GOLDEN_LINES
    assert unpack(item["marks"]) == b"m"


def test_content_that_was_packed_once_can_be_read_for_ever() -> None:
    """A dictionary or a form that changed would make stored records unreadable."""
    golden: Any = {
        **{name: value for name, value in packed().items() if not isinstance(value, bytes)},
        **{name: base64.b64decode(text) for name, text in PACKED_ONCE.items()},
    }
    assert read_stored(Invoice, golden) == Stored(an_invoice(), 3, "m")


def test_an_invoice_stored_by_an_earlier_release_is_read() -> None:
    lines = gzip.compress(json.dumps(GOLDEN_LINES).encode())
    golden: Any = {**GOLDEN_INVOICE, "line_items": lines, "fingerprint": "0" * 64}
    assert read_stored(Invoice, golden) == Stored(an_invoice(), 3, "m")


def with_payments(count: int) -> Invoice:
    return an_invoice(payments=tuple(a_payment(9001 + number) for number in range(count)))


@pytest.mark.parametrize("count", [1, 21])
def test_payments_lie_apart_as_lines_do(count: int) -> None:
    invoice = with_payments(count)
    item: Any = mirrored_item(invoice, version=3, change_fingerprint="m")
    assert "payments" not in json.loads(unpack(item["data"]))
    first = json.loads(unpack(item["payments"]))[0]
    assert first["payment_id"] == f"{CONNECTION}-9001"
    assert read_stored(Invoice, item) == Stored(invoice, 3, "m")


def test_an_invoice_of_some_lines_and_a_payment_is_below_a_kilobyte() -> None:
    """DynamoDB bills a write by whole kilobytes."""
    lines = (
        LineItem(LineKind.PRODUCT, "Firewall FortiGate 60F with UTP bundle", 10000, source_id=71),
        LineItem(LineKind.TIME, "On-site installation and set-up of the firewall", 55000),
        LineItem(LineKind.ADJUSTMENT, "Taxes and adjustments", 1000),
    )
    invoice = an_invoice(
        line_items=lines,
        payments=(a_payment(),),
        billing_terms=NamedRef(4, "Net 30"),
        agreement=NamedRef(77, "Managed Services Gold"),
        agreement_type="Managed Services",
        reference="January services for Northwind",
        purchase_order="PO-7788",
        location_id=2,
        department_id=10,
    )
    marks = '{"balance":["110","110","50","0"],"payer":[11,null],"status":[1,"New",false]}'
    item = mirrored_item(invoice, version=3, change_fingerprint=marks)
    token = 43
    assert size_bytes(item) + token < 1024


def test_many_payments_that_an_earlier_release_stored_in_the_data_are_read() -> None:
    invoice = with_payments(90)
    data = {**GOLDEN_DATA, "payments": [encode(p) for p in invoice.payments]}
    lines = gzip.compress(json.dumps(GOLDEN_LINES).encode())
    golden: Any = {**GOLDEN_INVOICE, "data": data, "line_items": lines}
    assert read_stored(Invoice, golden) == Stored(invoice, 3, "m")


def test_lines_and_payments_have_a_limit_together_however_well_they_compress() -> None:
    lines = 5_000 * (LineItem(LineKind.TIME, "x" * 300, 1),)
    many = with_payments(4_500)
    for invoice in (many, an_invoice(line_items=lines)):
        check_storable(mirrored_item(invoice, version=1, change_fingerprint=""))
    with pytest.raises(MalformedRecordError):
        mirrored_item(replace(many, line_items=lines), version=1, change_fingerprint="")


def test_an_invoice_names_the_payments_that_are_still_to_be_listed() -> None:
    invoice = with_payments(2)
    gone = replace(a_payment(5), is_deleted=True)
    item = mirrored_item(invoice, version=3, change_fingerprint="m")
    unfinished = with_unlisted(item, (*invoice.payments, gone))
    assert unlisted_payments(unfinished) == (*invoice.payments, gone)
    assert unlisted_payments(item) == ()
    assert read_stored(Invoice, unfinished) == Stored(invoice, 3, "unlisted m")


def test_a_payment_carries_the_version_of_its_invoice() -> None:
    item = payment_item(a_payment(), version=7)
    assert item["version"] == 7
    assert item["sk"] == "0000009001"
    assert read_record(Payment, item) == a_payment()


def test_an_archived_customer_lies_with_the_archived_ones() -> None:
    item = mirrored_item(
        a_customer().archived(ArchiveReason.BY_PERSON, START), version=1, change_fingerprint=""
    )
    assert item["gsi1pk"] == "PARTNER#partner-a#CUSTOMER#ARCHIVED"
    assert item["is_archived"] is True


def test_a_tombstone_is_in_no_list() -> None:
    item = tombstone_item(Key("p", "s"))
    assert set(item) == {"pk", "sk", "schema", "version"}
    assert read_stored(Customer, item) == Stored(None, 1)


@pytest.mark.parametrize("schema", [None, 0, 3])
def test_a_schema_of_another_release_is_not_guessed_at(schema: int | None) -> None:
    item = {**mirrored_item(a_customer(), version=1, change_fingerprint=""), "schema": schema}
    with pytest.raises(MalformedRecordError):
        read_stored(Customer, item)


def test_a_record_without_a_proper_id_is_malformed() -> None:
    with pytest.raises(MalformedRecordError):
        mirrored_item(replace(an_invoice(), invoice_id="17"), version=1, change_fingerprint="")


def test_bytes_of_a_stream_record_come_as_base64() -> None:
    item = mirrored_item(an_invoice(), version=1, change_fingerprint="")
    image: Any = from_item(item)
    image["line_items"] = {"B": base64.b64encode(image["line_items"]["B"]).decode()}
    assert read_record(Invoice, to_item(image)) == an_invoice()


@pytest.mark.parametrize(("extra_bytes", "fits"), [(-1000, True), (0, False), (100_000, False)])
def test_the_size_of_an_item_has_a_limit(extra_bytes: int, fits: bool) -> None:
    item: Any = {"pk": "p", "sk": "s", "content": "ä" * ((MAX_ITEM_BYTES + extra_bytes) // 2)}
    if fits:
        check_storable(item)
    else:
        with pytest.raises(MalformedRecordError):
            check_storable(item)
