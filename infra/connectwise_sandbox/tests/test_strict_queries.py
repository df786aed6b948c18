"""Lists and counts are as strict about names, types and dates in queries as ConnectWise is."""

from __future__ import annotations

from typing import Any

import pytest

from connectwise_sandbox.in_process_client import INVOICES, PsaClient
from connectwise_sandbox.kinds import Kind
from connectwise_sandbox.query import QueryError, compile_conditions, shape_of
from connectwise_sandbox.schemas.models import MODELS

BOOKS = PsaClient(seed=2, customers=8, invoices=60)
"""Only read from in this module."""

COMPANIES, CONTACTS = "/company/companies", "/company/contacts"
LISTS_AND_COUNTS = pytest.mark.parametrize("path", [INVOICES, f"{INVOICES}/count"])


def refused(path: str, **parameters: Any) -> str:
    """Return the message of a 400 in ConnectWise's shape."""
    answer = BOOKS.send("GET", path, **parameters)
    assert answer.status == 400, answer.body
    assert set(answer.json()) == {"code", "message"}
    message: str = answer.json()["message"]
    return message


@LISTS_AND_COUNTS
@pytest.mark.parametrize(
    ("conditions", "unknown"),
    [
        ("nonsense = 1", "nonsense"),
        ("lastUpdate > [2026-01-01]", "lastUpdate"),
        ("id > 0 and nonsense = null", "nonsense"),
        ("id = 0 or (nonsense in (1, 2))", "nonsense"),
        ("company/nonsense = 1", "nonsense"),
        ("_info/nonsense = 1", "nonsense"),
        ("company/territory/name = 'x'", "territory"),
    ],
)
def test_an_unknown_property_in_conditions_is_refused_by_name(
    path: str, conditions: str, unknown: str
) -> None:
    assert f"has no property {unknown}" in refused(path, conditions=conditions)


@LISTS_AND_COUNTS
@pytest.mark.parametrize("order", ["nonsense", "id, nonsense desc", "company/nonsense asc"])
def test_an_unknown_property_in_an_order_is_refused_by_name(path: str, order: str) -> None:
    assert "has no property nonsense" in refused(path, orderBy=order)


@pytest.mark.parametrize("path", [CONTACTS, f"{CONTACTS}/count"])
@pytest.mark.parametrize(
    "conditions", ["communicationItems/nonsense = 1", "nonsense/value = 1", "company/id = 1"]
)
def test_an_unknown_property_in_child_conditions_is_refused(path: str, conditions: str) -> None:
    refused(path, childConditions=conditions)


def test_an_unknown_property_is_refused_by_an_empty_list_too() -> None:
    empty = PsaClient(invoices=0)

    assert empty.get(INVOICES) == []
    assert empty.send("GET", INVOICES, conditions="nonsense = 1").status == 400


@pytest.mark.parametrize(
    "path",
    [
        "/finance/accounting/unpostedinvoices",
        "/finance/accounting/unpostedpayments",
        "/system/info/members",
        f"{INVOICES}/{{invoice}}/payments",
        f"{COMPANIES}/{{company}}/sites",
        f"{CONTACTS}/{{contact}}/communications",
    ],
)
def test_every_sort_of_list_refuses_unknown_properties(path: str) -> None:
    kinds = {"invoice": Kind.INVOICE, "company": Kind.COMPANY, "contact": Kind.CONTACT}
    first = {name: next(iter(BOOKS.tenant.store[kind]))["id"] for name, kind in kinds.items()}

    assert BOOKS.send("GET", path.format(**first), conditions="id > 0").status == 200
    refused(path.format(**first), conditions="nonsense = 1")


@pytest.mark.parametrize(
    ("as_on_the_wire", "otherwise"),
    [
        ("lastUpdated >= [2026-01-01]", "LastUpdated >= [2026-01-01]"),
        ("dueDate >= [2026-01-01]", "DUEDATE >= [2026-01-01]"),
        ("company/id > 0", "Company/Id > 0"),
        ("status/isClosed = true", "STATUS/ISCLOSED = true"),
        ("_info/updatedBy = 'jdoe'", "_Info/UpdatedBy = 'jdoe'"),
        ("customerPO != null", "CustomerPo != null"),
        ("id > 0", "ID > 0"),
    ],
)
def test_conditions_name_properties_in_any_case(as_on_the_wire: str, otherwise: str) -> None:
    expected = BOOKS.get(INVOICES, conditions=as_on_the_wire, pageSize=60)

    assert expected
    assert BOOKS.get(INVOICES, conditions=otherwise, pageSize=60) == expected
    assert BOOKS.get(f"{INVOICES}/count", conditions=otherwise) == {"count": len(expected)}


def test_child_conditions_name_properties_in_any_case() -> None:
    as_on_the_wire = 'communicationItems/communicationType = "Email"'
    expected = BOOKS.get(CONTACTS, childConditions=as_on_the_wire)

    assert expected
    otherwise = 'CommunicationItems/CommunicationTYPE = "Email" and communicationitems/id > 0'
    assert BOOKS.get(CONTACTS, childConditions=otherwise) == expected


@pytest.mark.parametrize("order", ["DueDate asc", "LASTUPDATED desc", "Company/Name"])
def test_orders_name_properties_in_any_case(order: str) -> None:
    name, _, direction = order.partition(" ")
    spelled = {
        "DueDate": "dueDate",
        "LASTUPDATED": "lastUpdated",
        "Company/Name": "company/name",
    }[name]

    rows = BOOKS.get(INVOICES, orderBy=order, pageSize=60)

    assert rows == BOOKS.get(INVOICES, orderBy=f"{spelled} {direction}".strip(), pageSize=60)
    assert rows != BOOKS.get(INVOICES, pageSize=60)


@pytest.mark.parametrize(
    "spelling",
    [
        "[{day}T00:00:00Z]",
        "[{day}]",
        "[{day}T00:00:00]",
        "[{day}T00:00:00.000000]",
        "[{day}T00:00:00.0000000Z]",
        "[{day}T01:00:00+01:00]",
    ],
)
def test_dates_in_brackets_have_the_spellings_that_clients_send(spelling: str) -> None:
    dates = sorted(row["date"] for row in BOOKS.get(INVOICES, pageSize=60))
    middle = dates[30]

    rows = BOOKS.get(
        INVOICES, conditions=f"date >= {spelling.format(day=middle[:10])}", pageSize=60
    )

    assert sorted(row["date"] for row in rows) == [each for each in dates if each >= middle]


def test_a_reference_that_is_compared_with_a_text_stands_for_its_name() -> None:
    expected = BOOKS.get(COMPANIES, conditions='status/name = "Active"', pageSize=60)

    assert expected
    assert BOOKS.get(COMPANIES, conditions='status="Active"', pageSize=60) == expected
    assert BOOKS.get(COMPANIES, conditions='Status in ("active")', pageSize=60) == expected


def test_two_signs_say_unequal() -> None:
    first = BOOKS.get(INVOICES)[0]["id"]

    rows = BOOKS.get(INVOICES, conditions=f"id <> {first}", pageSize=60)

    assert rows == BOOKS.get(INVOICES, conditions=f"id != {first}", pageSize=60)
    assert len(rows) == 59


@pytest.mark.parametrize(
    "conditions",
    [
        'id = "42"',
        "taxableFlag = 1",
        "company = 7",
        'ticket = "x"',
        "dueDate = 5",
        "type = 5",
        "invoiceNumber in (1, 2)",
    ],
)
def test_a_literal_of_another_type_is_refused_even_where_no_record_is_looked_at(
    conditions: str,
) -> None:
    refused(INVOICES, conditions=f"id = 0 and {conditions}")
    with pytest.raises(QueryError):
        compile_conditions(conditions, shape_of("invoice"))


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_property_of_every_model_can_be_asked_for(name: str) -> None:
    shape = shape_of(name)

    for each in shape.properties.values():
        assert compile_conditions(f"{each.name} = null", shape)({})
        assert compile_conditions(f"{each.name.upper()} = null", shape)({})
