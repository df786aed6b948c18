"""The shape of stored items. These texts are what tables hold: a change that breaks one needs a
new schema number and a way to read the old shape."""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import replace
from typing import Any

import pytest

from bridge.domain.customer import ArchiveReason, Customer
from bridge.domain.errors import MalformedRecordError
from bridge.domain.invoice import Invoice, LineItem, LineKind
from bridge.domain.payment import Payment
from bridge.ports import Stored
from bridge.store.attributes import MAX_ITEM_BYTES, check_storable, from_item, to_item
from bridge.store.codec import encode
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
GOLDEN_INVOICE = {
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


def test_an_invoice_is_one_item_with_its_lines_apart() -> None:
    item = mirrored_item(an_invoice(), version=3, change_fingerprint="m")
    lines = item.pop("line_items")
    assert isinstance(lines, bytes)
    assert json.loads(gzip.decompress(lines)) == GOLDEN_LINES
    assert item == GOLDEN_INVOICE


def test_an_invoice_stored_by_an_earlier_release_is_read() -> None:
    lines = gzip.compress(json.dumps(GOLDEN_LINES).encode())
    golden: Any = {**GOLDEN_INVOICE, "line_items": lines, "fingerprint": "0" * 64}
    assert read_stored(Invoice, golden) == Stored(an_invoice(), 3, "m")


def with_payments(count: int) -> Invoice:
    return an_invoice(payments=tuple(a_payment(9001 + number) for number in range(count)))


def test_few_payments_stand_in_the_data_where_earlier_releases_read_them() -> None:
    item: Any = mirrored_item(with_payments(20), version=3, change_fingerprint="m")
    assert len(item["data"]["payments"]) == 20
    assert "payments" not in item


def test_many_payments_lie_apart_as_lines_do() -> None:
    invoice = with_payments(21)
    item: Any = mirrored_item(invoice, version=3, change_fingerprint="m")
    assert "payments" not in item["data"]
    first = json.loads(gzip.decompress(item["payments"]))[0]
    assert first["payment_id"] == f"{CONNECTION}-9001"
    assert read_stored(Invoice, item) == Stored(invoice, 3, "m")


def test_many_payments_that_an_earlier_release_stored_in_the_data_are_read() -> None:
    invoice = with_payments(90)
    data = {**GOLDEN_INVOICE["data"], "payments": [encode(p) for p in invoice.payments]}  # type: ignore[dict-item]
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


@pytest.mark.parametrize("schema", [None, 0, 2])
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
