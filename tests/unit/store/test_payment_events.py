"""Each changed payment of an invoice is told once, however many writes their number takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, cast

import pytest

from bridge.domain.events import DomainEvent, EventType
from bridge.domain.invoice import Invoice
from bridge.store.attributes import Item, from_item
from bridge.store.changes import read_events
from bridge.store.keys import Key
from bridge.store.records import DynamoRecordStore
from bridge.store.table import Table, Write
from tests.builders.records import a_payment, an_invoice
from tests.fakes.clock import START


class StreamedTable:
    """A table without conditions that keeps what its stream hands over."""

    def __init__(self) -> None:
        self._items: dict[Key, Item] = {}
        self.records: list[dict[str, Any]] = []

    def get(self, key: Key) -> Item | None:
        return self._items.get(key)

    def put(self, item: Item, condition: object = None) -> None:
        key = Key(str(item["pk"]), str(item["sk"]))
        body: dict[str, Any] = {
            "Keys": from_item(dict(key.attributes())),
            "ApproximateCreationDateTime": START.timestamp(),
            "NewImage": from_item(item),
        }
        if key in self._items:
            body["OldImage"] = from_item(self._items[key])
        self._items[key] = item
        self.records.append({"dynamodb": body})

    def transact(self, writes: Sequence[Write]) -> None:
        for write in writes:
            assert write.item is not None
            self.put(write.item)

    def new_events(self) -> list[DomainEvent]:
        events = [event for record in self.records for event in read_events(record)]
        self.records.clear()
        return events


def with_payments(count: int, *, first: int = 1) -> Invoice:
    return an_invoice(payments=tuple(a_payment(first + number) for number in range(count)))


@pytest.mark.parametrize("count", [1, 21, 99, 100, 1000])
def test_each_payment_that_comes_and_goes_has_an_event(count: int) -> None:
    table = StreamedTable()
    store = DynamoRecordStore(cast(Table, table))

    store.save(with_payments(count), expected_version=0)
    came = table.new_events()
    store.save(with_payments(count, first=5001), expected_version=1)
    went = table.new_events()

    assert Counter(event.type for event in came) == {
        EventType.INVOICE_CREATED: 1,
        EventType.PAYMENT_RECORDED: count,
    }
    assert Counter(event.type for event in went) == {
        EventType.INVOICE_UPDATED: 1,
        EventType.PAYMENT_RECORDED: count,
        EventType.PAYMENT_DELETED: count,
    }
    told = {event.event_id for event in (*came, *went)}
    assert len(told) == len(came) + len(went)


def test_an_invoice_that_is_written_anew_for_its_lists_has_no_event() -> None:
    table = StreamedTable()
    store = DynamoRecordStore(cast(Table, table))
    invoice = with_payments(150)
    store.save(invoice, expected_version=0)
    table.new_events()

    store.save(invoice, expected_version=1, change_fingerprint="f")

    assert table.new_events() == []
