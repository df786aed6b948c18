"""ConnectWise's rows, as loose as they come."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.connectwise.wire import (
    CompanyRow,
    ExpenseRow,
    InvoiceRow,
    PaymentRow,
    ProductRow,
    Row,
    TimeRow,
    parse_row,
)
from bridge.domain.errors import MalformedRecordError
from bridge.domain.money import Currency

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
    return str(raised.value)


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


@pytest.mark.parametrize("value", [True, [], {}, None, 10**20, Decimal("1.5")])
def test_a_text_of_another_type_is_left_out(value: object) -> None:
    row = parse_row(InvoiceRow, INVOICE | {"invoiceNumber": value, "reference": value})

    assert (row.invoice_number, row.reference) == ("", "")


def test_a_whole_number_in_place_of_a_text_is_its_digits() -> None:
    row = parse_row(InvoiceRow, INVOICE | {"invoiceNumber": 1042, "customerPO": 0})

    assert (row.invoice_number, row.customer_po) == ("1042", "0")


def test_half_a_character_is_replaced_and_a_long_text_is_cut() -> None:
    row = parse_row(InvoiceRow, INVOICE | {"reference": "a\ud800b", "customerPO": "x" * 9_999})

    assert row.reference == "a?b"
    assert len(row.customer_po) == 500


@pytest.mark.parametrize(
    "value", ["Open", 5, [], "null", {"name": "Open"}, {"id": "7"}, {"id": 0}, {"id": True}]
)
def test_a_reference_that_only_informs_may_be_of_another_type(value: object) -> None:
    fields = ("agreement", "billingTerms", "status", "glBatch")
    row = parse_row(InvoiceRow, INVOICE | dict.fromkeys(fields, value))

    assert (row.agreement, row.billing_terms, row.status, row.gl_batch) == (None,) * 4


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
        ({"dueDate": "soon"}, "dueDate cannot be read"),
        ({"currency": 7}, "currency cannot be read"),
        ({"currency": {"currencyCode": 7}}, "currency cannot be read"),
        ({"currency": {"currencyCode": "USD", "numberOfDecimals": "2"}}, "currency cannot be read"),
        ({"billToCompany": {"id": "x"}}, "billToCompany cannot be read"),
        ({"billToCompany": "Acme"}, "billToCompany cannot be read"),
    ],
    ids=repr,
)
def test_what_decides_must_be_right_and_the_reason_names_it(
    change: dict[str, Any], said: str
) -> None:
    assert reason(InvoiceRow, INVOICE | change).startswith(said)


@pytest.mark.parametrize("name", ["id", "type", "date", "total", "balance"])
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
def test_a_line_names_its_invoice(model: type[Row]) -> None:
    assert reason(model, {"id": 1}) == "invoice is missing"


def test_an_older_server_calls_a_currency_by_its_iso_code() -> None:
    row = parse_row(InvoiceRow, INVOICE | {"currency": {"isoCode": "JPY"}})

    assert row.currency is not None
    assert row.currency.as_currency() == Currency("JPY", 0)


@pytest.mark.parametrize("nothing", [None, {}, {"_info": {}}, {"currencyCode": ""}])
def test_a_currency_without_a_code_is_an_absent_one(nothing: object) -> None:
    assert parse_row(InvoiceRow, INVOICE | {"currency": nothing}).currency is None


def test_a_payment_needs_its_amount() -> None:
    assert reason(PaymentRow, {"id": 1}) == "amount is missing"
    assert parse_row(PaymentRow, {"id": 1, "amount": 5, "paymentDate": "x"}).payment_date is None
    assert parse_row(PaymentRow, {"id": 1, "amount": Decimal(5)}).payment_date is None


def test_a_company_needs_nothing_but_its_id() -> None:
    odd = dict.fromkeys(("name", "status", "types", "territory", "currency", "billingContact"), 7.5)

    row = parse_row(CompanyRow, {"id": 1, **odd})

    assert (row.name, row.status, row.types, row.currency_code) == ("", None, (), "")
    assert reason(CompanyRow, {"name": "Acme"}) == "id is missing"


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("a@x.example; b@x.example", ("a@x.example", "b@x.example")),
        ("a@x.example,b@x.example , a@X.example", ("a@x.example", "b@x.example")),
        ("Jo Doe <jo@x.example>", ("jo@x.example",)),
        ("mailto:a@x.example.", ("a@x.example",)),
        ("n/a", ()),
        ("a@", ()),
        ("a@b@c", ()),
        (["a@x.example"], ()),
        (f"{'x' * 300}@x.example", ()),
        (
            ";".join(f"a{n}@x.example" for n in range(99)),
            tuple(f"a{n}@x.example" for n in range(20)),
        ),
    ],
)
def test_people_list_addresses_as_they_please(text: object, addresses: tuple[str, ...]) -> None:
    row = parse_row(CompanyRow, {"id": 1, "invoiceToEmailAddress": text})

    assert row.invoice_to_email_address == addresses


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
        said = str(error)
    assert re.fullmatch(r"[A-Za-z0-9. ]*", said)
