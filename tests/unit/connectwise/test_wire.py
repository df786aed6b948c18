"""ConnectWise's rows, as loose as they come."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.connectwise.wire import (
    INVOICE_FINGERPRINT_FIELDS,
    CompanyRow,
    ExpenseRow,
    InvoiceRow,
    PaymentRow,
    ProductRow,
    Row,
    TimeRow,
    complaint,
    fingerprint,
    parse_row,
)
from bridge.domain.errors import MalformedRecordError

INVOICE: dict[str, Any] = {
    "id": 7,
    "type": "Standard",
    "date": "2026-01-31T00:00:00Z",
    "currency": {"currencyCode": "USD", "numberOfDecimals": 2},
    "total": Decimal("94.0"),
    "balance": Decimal("94.0"),
    "company": {"id": 1},
}


def reason(model: type[Row], row: object) -> str:
    with pytest.raises(MalformedRecordError) as raised:
        parse_row(model, row)
    return complaint(raised.value)


def test_null_and_absent_are_the_same() -> None:
    optional = (
        "status",
        "dueDate",
        "payments",
        "agreement",
        "reference",
        "glBatch",
        "billToCompany",
    )

    assert parse_row(InvoiceRow, INVOICE | dict.fromkeys(optional)) == parse_row(
        InvoiceRow, INVOICE
    )


def test_properties_that_nobody_needs_are_ignored() -> None:
    row = INVOICE | {"brandNew": {"deep": [1]}, "topComment": 5, "customFields": "none"}

    assert parse_row(InvoiceRow, row) == parse_row(InvoiceRow, INVOICE)


@pytest.mark.parametrize("value", [5, True, [], {}, None])
def test_a_text_of_another_type_is_left_out(value: object) -> None:
    row = parse_row(InvoiceRow, INVOICE | {"invoiceNumber": value, "reference": value})

    assert (row.invoice_number, row.reference) == ("", "")


def test_half_a_character_is_replaced_and_a_long_text_is_cut() -> None:
    row = parse_row(InvoiceRow, INVOICE | {"reference": "a\ud800b", "customerPO": "x" * 9_999})

    assert row.reference == "a?b"
    assert len(row.customer_po) == 500


@pytest.mark.parametrize("value", ["Open", 5, [], "null"])
def test_a_reference_that_only_informs_may_be_of_another_type(value: object) -> None:
    row = parse_row(InvoiceRow, INVOICE | {"agreement": value, "billingTerms": value})

    assert (row.agreement, row.billing_terms) == (None, None)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": None}, "id cannot be read"),
        ({"id": "7"}, "id cannot be read"),
        ({"id": True}, "id cannot be read"),
        ({"id": 0}, "id cannot be read"),
        ({"id": 2**31}, "id cannot be read"),
        ({"type": "standard"}, "type has an unknown value"),
        ({"type": None}, "type has an unknown value"),
        ({"date": None}, "date cannot be read"),
        ({"date": "31.01.2026"}, "date cannot be read"),
        ({"date": "2026-02-30T00:00:00Z"}, "date cannot be read"),
        ({"date": 1_769_817_600}, "date cannot be read"),
        ({"total": None}, "total cannot be read"),
        ({"total": "secret"}, "total cannot be read"),
        ({"total": True}, "total cannot be read"),
        ({"total": 94.0}, "total cannot be read"),
        ({"total": [94]}, "total cannot be read"),
        ({"total": Decimal("NaN")}, "total is not a number"),
        ({"total": Decimal("-Infinity")}, "total is not a number"),
        ({"total": Decimal("1e400")}, "total cannot be read"),
        ({"total": "1e999999999"}, "total cannot be read"),
        ({"total": "9" * 100}, "total cannot be read"),
        ({"payments": "some"}, "payments cannot be read"),
        ({"currency": {"numberOfDecimals": 2}}, "currency.currencyCode is missing"),
        (
            {"currency": {"currencyCode": "USD", "numberOfDecimals": "2"}},
            "currency.numberOfDecimals",
        ),
        ({"status": {"name": "Open"}}, "status.id is missing"),
        ({"status": "Open"}, "status cannot be read"),
        ({"billToCompany": {"id": "x"}}, "billToCompany.id cannot be read"),
    ],
    ids=repr,
)
def test_what_decides_must_be_right_and_the_reason_names_it(
    change: dict[str, Any], said: str
) -> None:
    assert reason(InvoiceRow, INVOICE | change).startswith(said)


@pytest.mark.parametrize("name", ["id", "type", "date", "currency", "total", "balance"])
def test_what_decides_must_be_there(name: str) -> None:
    row = {key: value for key, value in INVOICE.items() if key != name}

    assert reason(InvoiceRow, row) == f"{name} is missing"


@pytest.mark.parametrize("row", [None, 5, "text", [], [INVOICE]])
def test_what_is_no_object_is_no_record(row: object) -> None:
    assert reason(InvoiceRow, row) == "record cannot be read"


def test_a_number_may_come_as_a_text() -> None:
    assert parse_row(InvoiceRow, INVOICE | {"total": "94.10"}).total == Decimal("94.10")
    assert parse_row(InvoiceRow, INVOICE | {"total": 94}).total == Decimal(94)


def test_a_calendar_day_keeps_its_date_whatever_its_time() -> None:
    row = parse_row(InvoiceRow, INVOICE | {"date": "2026-01-31T23:59:59Z", "dueDate": "2026-02-01"})

    assert (row.date.isoformat(), row.due_date and row.due_date.isoformat()) == (
        "2026-01-31",
        "2026-02-01",
    )


@pytest.mark.parametrize("value", [None, "n/a", True, 1.5, [], Decimal("NaN"), "1e99999", {}])
def test_a_number_that_only_explains_a_line_is_left_out_when_it_is_none(value: object) -> None:
    line = {"id": 1, "invoice": {"id": 7}}

    time = parse_row(TimeRow, line | {"hourlyRate": value, "invoiceHours": value})
    product = parse_row(ProductRow, line | {"quantity": value, "price": value})

    assert (time.hourly_rate, time.invoice_hours) == (None, None)
    assert (product.quantity, product.price) == (None, None)


@pytest.mark.parametrize("model", [ProductRow, TimeRow, ExpenseRow])
def test_a_line_says_how_it_is_billed(model: type[Row]) -> None:
    line: dict[str, Any] = {"id": 1, "invoice": {"id": 7}}

    assert reason(model, line | {"billableOption": "Perhaps"}).startswith(
        "billableOption has an unknown value"
    )
    assert reason(model, {"id": 1}) == "invoice is missing"


def test_a_payment_needs_its_amount() -> None:
    assert reason(PaymentRow, {"id": 1}) == "amount is missing"
    assert parse_row(PaymentRow, {"id": 1, "amount": Decimal(5)}).payment_date is None


def test_a_company_needs_its_name() -> None:
    assert reason(CompanyRow, {"id": 1, "name": ""}) == "name cannot be read"
    assert parse_row(CompanyRow, {"id": 1, "name": "Acme", "types": None}).types is None


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.decimals(),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["id", "name"]), inner)
    ),
    max_leaves=4,
)
names = st.sampled_from([*INVOICE, "status", "agreement", "dueDate", "payments", "reference"])


@given(st.dictionaries(names, values))
def test_any_row_is_read_or_malformed_and_never_quoted(change: dict[str, Any]) -> None:
    said = ""
    try:
        parse_row(InvoiceRow, INVOICE | change)
    except MalformedRecordError as error:
        said = complaint(error)
    assert re.fullmatch(r"[A-Za-z0-9. ]*", said)


# --- marks -------------------------------------------------------------------------------------


def test_marks_differ_when_anything_marked_differs() -> None:
    row = INVOICE | {"_info": {"lastUpdated": "2026-01-31T10:00:00Z"}, "status": {"id": 1}}
    changes: list[dict[str, Any]] = [
        {"_info": {"lastUpdated": "2026-01-31T10:00:01Z"}},
        {"balance": Decimal("93.99")},
        {"total": Decimal(95)},
        {"payments": Decimal(1)},
        {"credits": Decimal(1)},
        {"status": {"id": 2}},
        {"dueDate": "2026-03-01T00:00:00Z"},
    ]
    marks = [fingerprint(row | change, INVOICE_FINGERPRINT_FIELDS) for change in ({}, *changes)]

    assert len(set(marks)) == len(marks)


def test_marks_do_not_depend_on_how_a_number_is_written() -> None:
    texts = ('{"balance": 94.0, "total": 1.50}', '{"balance": 94.00, "total": 1.5}')
    rows = [json.loads(text, parse_float=Decimal) for text in texts]

    assert len({fingerprint(row, INVOICE_FINGERPRINT_FIELDS) for row in rows}) == 1


@given(st.dictionaries(st.sampled_from(["balance", "total", "status", "_info"]), values))
def test_marks_of_any_row_can_be_told(row: dict[str, Any]) -> None:
    marks = fingerprint(row, INVOICE_FINGERPRINT_FIELDS)

    assert marks == fingerprint(row, INVOICE_FINGERPRINT_FIELDS)
