"""What goes into DynamoDB comes out the same."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.customer import Customer
from bridge.domain.errors import MalformedRecordError
from bridge.domain.invoice import Invoice
from bridge.domain.run import Run
from bridge.store.attributes import from_item, to_item
from bridge.store.codec import decode, encode, encode_said, encode_value
from tests.builders import strategies
from tests.builders.operations import a_run
from tests.builders.records import a_customer, an_invoice

RECORDS = st.one_of(
    strategies.connections,
    strategies.customers,
    strategies.invoices,
    strategies.payments,
    strategies.problems,
    strategies.runs,
)


@given(RECORDS)
def test_any_record_survives_the_way_to_the_table_and_back(record: Any) -> None:
    attributes: Any = from_item(encode(record))
    assert decode(type(record), to_item(attributes)) == record


@given(RECORDS)
def test_what_says_no_more_than_the_defaults_is_left_out_and_comes_back(record: Any) -> None:
    stored = encode_said(record)
    attributes: Any = from_item(stored)
    assert decode(type(record), to_item(attributes)) == record
    told = encode(record)
    assert stored.keys() <= told.keys()
    required = {f.name for f in dataclasses.fields(record) if f.default is dataclasses.MISSING}
    made = {f.name for f in dataclasses.fields(record) if f.default_factory is dataclasses.MISSING}
    assert told.keys() & required & made <= stored.keys(), "older readers need them"


@given(RECORDS)
def test_equal_records_are_stored_equally(record: Any) -> None:
    assert encode(record) == encode(dataclasses.replace(record))


def test_a_field_that_is_newer_than_the_item_takes_its_default() -> None:
    stored = encode(a_run())
    del stored["archive_is_approved"]
    assert decode(Run, stored).archive_is_approved is False


def test_a_field_that_this_release_does_not_know_is_passed_over() -> None:
    customer = a_customer()
    assert decode(Customer, {**encode(customer), "loyalty": "gold"}) == customer


def test_a_time_of_another_zone_is_stored_as_utc() -> None:
    east = datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    assert encode_value(east) == "2026-01-01T10:00:00.000000Z"
    stored = decode(Run, encode(a_run(created_at=east)))
    assert stored.created_at == datetime(2026, 1, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize("value", [1.5, {"a": 1}, object()])
def test_a_float_and_anything_unknown_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        encode_value(value)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        encode_value(datetime(2026, 1, 1))  # noqa: DTZ001  # that is the point


def test_quantities_keep_every_digit() -> None:
    lines = tuple(
        dataclasses.replace(line, quantity=Decimal("0.333333333333333333"))
        for line in an_invoice().line_items
    )
    stored = decode(Invoice, encode(an_invoice(line_items=lines)))
    assert [line.quantity for line in stored.line_items] == [Decimal("0.333333333333333333")] * 2


@pytest.mark.parametrize(
    "damage",
    [{"total_minor": "11000"}, {"state": "x", "issued_on": "soon"}, {"origin": "mars"}],
)
def test_an_item_that_does_not_fit_is_malformed(damage: dict[str, Any]) -> None:
    with pytest.raises(MalformedRecordError):
        decode(Invoice, {**encode(an_invoice()), **damage})


def test_an_item_without_a_needed_field_is_malformed() -> None:
    stored = encode(an_invoice())
    del stored["number"]
    with pytest.raises(MalformedRecordError):
        decode(Invoice, stored)
