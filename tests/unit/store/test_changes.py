"""Stream records, as Lambda hands them over, become domain events."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest

from bridge.domain.customer import ArchiveReason
from bridge.domain.errors import MalformedRecordError
from bridge.domain.events import EventType
from bridge.domain.identity import RecordKind
from bridge.store.attributes import Item, from_item
from bridge.store.changes import read_events
from bridge.store.items import mirrored_item, payment_item, tombstone_item
from bridge.store.keys import mirrored_key, syncing_key
from tests.builders.records import CONNECTION, PARTNER, a_customer, a_payment, an_invoice
from tests.fakes.clock import START


def stream_record(before: Item | None, after: Item | None) -> dict[str, Any]:
    """What Lambda gives: images with base64 bytes, and the time as a number."""
    some = after or before or {}
    body: dict[str, Any] = {
        "Keys": from_item({"pk": some["pk"], "sk": some["sk"]}),
        "ApproximateCreationDateTime": START.timestamp(),
    }
    for name, item in (("OldImage", before), ("NewImage", after)):
        if item is not None:
            body[name] = _as_json(from_item(item))
    return {"dynamodb": body}


def _as_json(image: Any) -> Any:
    return {
        name: {"B": base64.b64encode(value["B"]).decode()} if "B" in value else value
        for name, value in image.items()
    }


def types(record: dict[str, Any]) -> list[EventType]:
    return [event.type for event in read_events(record)]


def test_a_new_invoice_with_lines_is_created_and_a_settled_one_paid() -> None:
    invoice = an_invoice()
    new = mirrored_item(invoice, version=1, change_fingerprint="")
    paid = mirrored_item(replace(invoice, balance_minor=0), version=2, change_fingerprint="")
    assert types(stream_record(None, new)) == [EventType.INVOICE_CREATED]
    assert types(stream_record(new, paid)) == [EventType.INVOICE_UPDATED, EventType.INVOICE_PAID]


def test_a_delivery_that_comes_again_gives_the_same_ids() -> None:
    record = stream_record(None, mirrored_item(a_customer(), version=1, change_fingerprint=""))
    assert read_events(record) == read_events(record)


def test_a_record_that_was_not_there_at_first_is_created_after_its_tombstone() -> None:
    customer = a_customer()
    tombstone = tombstone_item(mirrored_key(PARTNER, CONNECTION, RecordKind.CUSTOMER, 11))
    created = mirrored_item(customer, version=2, change_fingerprint="")
    assert types(stream_record(None, tombstone)) == []
    assert types(stream_record(tombstone, created)) == [EventType.CUSTOMER_CREATED]


def test_a_write_that_changed_marks_only_tells_nobody() -> None:
    customer = a_customer()
    before = mirrored_item(customer, version=1, change_fingerprint="a")
    after = mirrored_item(customer, version=2, change_fingerprint="b")
    assert types(stream_record(before, after)) == []


def test_archiving_and_deleting_have_events_of_their_own() -> None:
    customer, payment = a_customer(), a_payment()
    gone = customer.archived(ArchiveReason.DELETED_IN_CONNECTWISE, START)
    archived = stream_record(
        mirrored_item(customer, version=1, change_fingerprint=""),
        mirrored_item(gone, version=2, change_fingerprint=""),
    )
    deleted = stream_record(
        payment_item(payment, version=1),
        payment_item(replace(payment, is_deleted=True), version=2),
    )
    assert types(archived) == [EventType.CUSTOMER_ARCHIVED]
    assert types(deleted) == [EventType.PAYMENT_DELETED]


def test_what_is_no_record_and_what_expired_give_nothing() -> None:
    listing: Item = dict(syncing_key(CONNECTION).attributes())
    assert types(stream_record(None, listing)) == []
    assert (
        types(stream_record(mirrored_item(a_customer(), version=1, change_fingerprint=""), None))
        == []
    )


def test_an_image_of_a_later_release_is_an_error() -> None:
    item = {**mirrored_item(a_customer(), version=1, change_fingerprint=""), "schema": 99}
    with pytest.raises(MalformedRecordError):
        read_events(stream_record(None, item))
