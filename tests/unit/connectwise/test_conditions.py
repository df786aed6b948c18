"""Conditions let through whatever the filters' own predicates accept."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.connectwise.conditions import (
    Conditions,
    changed_since_condition,
    chunk_ids,
    customer_conditions,
    encoded,
    ids_condition,
    invoice_conditions,
)
from bridge.connectwise.mapping import Owner, to_customer, to_invoice
from bridge.connectwise.wire import CompanyRow, InvoiceRow, parse_row
from bridge.domain.filters import CustomerFilter, ImportFilters, InvoiceFilter
from bridge.domain.invoice import InvoiceType
from connectwise_sandbox.query import compile_child_conditions, compile_conditions, shape_of

OWNER = Owner("partner-1", "c" * 32)
NOW = datetime(2026, 3, 2, tzinfo=UTC)
PLENTY = 10_000

small_ids = st.integers(1, 5)
some_ids = st.frozensets(small_ids, max_size=3)
days = st.dates(date(2026, 1, 1), date(2026, 1, 5))
TYPE_NAMES = [
    "Managed",
    "managed",
    "T&M",
    '24x7 "gold"',
    "O'Brien",
    "both \" and '",
    "a\\b",
    "ß",
    " ",
]


@st.composite
def invoice_rows(draw: st.DrawFn) -> dict[str, Any]:
    """Invoices as ConnectWise sends them: properties without a value are absent."""
    row = {
        "id": draw(small_ids),
        "type": draw(st.sampled_from([each.value for each in InvoiceType])),
        "date": f"{draw(days).isoformat()}T00:00:00Z",
        "currency": {"currencyCode": "USD", "numberOfDecimals": 2},
        "total": Decimal(10),
        "balance": draw(st.decimals(-20, 20, places=2)),
        "company": {"id": draw(small_ids)},
    }
    optional = {
        "status": {"id": draw(small_ids), "name": "Open"},
        "locationId": draw(small_ids),
        "departmentId": draw(small_ids),
        "billToCompany": {"id": draw(small_ids)},
        "agreement": {"id": 1, "name": "A", "type": draw(st.sampled_from(TYPE_NAMES))},
    }
    return row | {name: value for name, value in optional.items() if draw(st.booleans())}


invoice_filters = st.builds(
    InvoiceFilter,
    types=st.frozensets(st.sampled_from(InvoiceType), max_size=3),
    billing_status_ids=some_ids,
    location_ids=some_ids,
    department_ids=some_ids,
    agreement_types=st.frozensets(st.sampled_from(TYPE_NAMES), max_size=2),
    date_from=st.none() | days,
    minimum_balance=st.none() | st.decimals(0, 20, places=2),
)


@st.composite
def company_rows(draw: st.DrawFn) -> dict[str, Any]:
    row: dict[str, Any] = {"id": draw(small_ids), "name": "Acme", "deletedFlag": False}
    optional = {
        "status": {"id": draw(small_ids)},
        "territory": {"id": draw(small_ids)},
        "types": [{"id": each} for each in sorted(draw(some_ids))],
    }
    return row | {name: value for name, value in optional.items() if draw(st.booleans())}


customer_filters = st.builds(
    CustomerFilter,
    status_ids=some_ids,
    type_ids=some_ids,
    territory_ids=some_ids,
    company_ids=some_ids,
)


def let_through(conditions: Conditions, row: dict[str, Any], kind: str) -> bool:
    """Evaluate conditions as the sandbox does, which was written without knowing this module.

    It refuses properties that a kind of record lacks.
    """
    shape = shape_of(kind)
    return compile_conditions(conditions.text, shape)(row) and compile_child_conditions(
        conditions.child_text, shape
    )(row)


rooms = st.sampled_from([PLENTY, 120, 60, 40])


@given(invoice_filters, some_ids, invoice_rows(), rooms)
def test_no_invoice_that_is_wanted_is_left_out(
    wanted: InvoiceFilter, company_ids: frozenset[int], row: dict[str, Any], room: int
) -> None:
    filters = ImportFilters(customer=CustomerFilter(company_ids=company_ids), invoice=wanted)
    invoice = to_invoice(OWNER, parse_row(InvoiceRow, row))
    is_wanted = wanted.accepts(invoice) and (
        not company_ids or invoice.customer_source_id in company_ids
    )

    conditions = invoice_conditions(filters, None, room)

    assert let_through(conditions, row, "invoice") or not is_wanted
    if conditions.is_exact:
        assert let_through(conditions, row, "invoice") == is_wanted
    assert len(encoded(conditions.text)) <= room


@given(customer_filters, company_rows(), rooms)
def test_no_customer_that_is_wanted_is_left_out(
    wanted: CustomerFilter, row: dict[str, Any], room: int
) -> None:
    customer = to_customer(OWNER, parse_row(CompanyRow, row), {}, server_time=NOW)

    conditions = customer_conditions(ImportFilters(customer=wanted), None, room)

    assert let_through(conditions, row, "company") or not wanted.accepts(customer)
    if conditions.is_exact:
        assert let_through(conditions, row, "company") == wanted.accepts(customer)
    assert len(encoded(conditions.text)) + len(encoded(conditions.child_text)) <= room


def test_filters_of_everyday_size_are_asked_in_full() -> None:
    filters = ImportFilters(
        customer=CustomerFilter(
            status_ids=frozenset({1}), type_ids=frozenset({1, 2}), territory_ids=frozenset({38})
        ),
        invoice=InvoiceFilter(
            types=frozenset({InvoiceType.STANDARD}),
            billing_status_ids=frozenset({1, 5}),
            agreement_types=frozenset({"O'Brien's"}),
            date_from=date(2026, 1, 31),
        ),
    )

    customers = customer_conditions(filters, None, 1_500)
    invoices = invoice_conditions(ImportFilters(invoice=filters.invoice), None, 1_500)

    assert customers.is_exact
    assert customers.text == "deletedFlag=false and status/id in (1) and territory/id in (38)"
    assert customers.child_text == "types/id=1 or types/id=2"
    assert invoices.is_exact
    assert invoices.text == (
        'date>=[2026-01-31T00:00:00Z] and type in ("Standard") and status/id in (1,5)'
        " and agreement/type in (\"O'Brien's\")"
    )


def test_nothing_set_means_everything_but_the_deleted() -> None:
    assert invoice_conditions(None, None, PLENTY) == Conditions()
    assert customer_conditions(None, None, PLENTY) == Conditions("deletedFlag=false")


def test_balances_and_customers_properties_cannot_be_asked_of_an_invoice() -> None:
    for filters in (
        ImportFilters(invoice=InvoiceFilter(minimum_balance=Decimal(1))),
        ImportFilters(customer=CustomerFilter(territory_ids=frozenset({1}))),
    ):
        assert invoice_conditions(filters, None, PLENTY) == Conditions(is_exact=False)


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 3, 2, 9, 15, 7, 999_999, tzinfo=UTC),
        datetime(2026, 3, 2, 14, 45, 7, tzinfo=timezone(timedelta(hours=5, minutes=30))),
    ],
)
def test_moments_are_whole_seconds_of_utc(moment: datetime) -> None:
    assert changed_since_condition(moment) == "lastUpdated>=[2026-03-02T09:15:07Z]"


def test_what_changed_is_always_asked_even_without_room_for_filters() -> None:
    filters = ImportFilters(invoice=InvoiceFilter(location_ids=frozenset({1})))

    conditions = invoice_conditions(filters, NOW, 60)

    assert conditions == Conditions("lastUpdated>=[2026-03-02T00:00:00Z]", is_exact=False)


# --- chunks ------------------------------------------------------------------------------------


@given(st.sets(st.integers(1, 2**31 - 1), max_size=300), st.integers(60, 1_700))
def test_every_id_is_in_exactly_one_chunk_and_every_chunk_fits(ids: set[int], room: int) -> None:
    chunks = list(chunk_ids(ids, "invoice/id", room))

    assert sorted(each for chunk in chunks for each in chunk) == sorted(ids)
    assert all(len(encoded(ids_condition("invoice/id", chunk))) <= room for chunk in chunks)


def test_two_hundred_everyday_ids_fit_into_one_url() -> None:
    assert len(list(chunk_ids(range(2_310_000, 2_310_200), "invoice/id", 1_630))) == 1


def test_no_room_for_a_single_id_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="room"):
        list(chunk_ids([2_310_000], "invoice/id", 20))
