"""`conditions`, `childConditions` and `customFieldConditions` on wire records."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connectwise_sandbox.query import (
    QueryError,
    Record,
    compile_child_conditions,
    compile_conditions,
    compile_custom_field_conditions,
)
from connectwise_sandbox.query.parser import parse_conditions

INVOICE: Record = {
    "id": 42,
    "invoiceNumber": "INV-0042",
    "type": "Standard",
    "company": {"id": 7, "identifier": "HarborCo", "name": 'Harbor "North" Ltd'},
    "status": {"id": 3, "name": "Sent", "isClosed": False},
    "agreement": {"type": {"name": "Gold"}},
    "customerPO": "",
    "reading": "2026-01-31-18-04-26Z",
    "path": r"C:\billing",
    "date": "2026-01-31T00:00:00Z",
    "total": Decimal("1250.50"),
    "balance": Decimal("-3.05"),
    "taxableFlag": True,
    "_info": {"lastUpdated": "2026-01-31T18:04:26Z", "updatedBy": "apimember"},
}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "id = 42",
        "id=42",
        "id != 41",
        "id <> 41",
        "id<>41",
        "id < 43 and id <= 42 and id > 41 and id >= 42",
        "total = 1250.5",
        "total > 1250.49",
        "balance = -3.05",
        "balance < 0",
        'invoiceNumber = "INV-0042"',
        "invoiceNumber = 'INV-0042'",
        'invoiceNumber = "inv-0042"',
        'invoiceNumber > "INV-0041"',
        "company/name = 'Harbor \"North\" Ltd'",
        r'company/name = "Harbor \"North\" Ltd"',
        r'path = "C:\\billing"',
        r'path = "C:\billing"',
        "status/isClosed = FALSE",
        "taxableFlag != false",
        "TaxableFlag = null",
        'agreement/type/name = "gold"',
        'company/name contains "NORTH"',
        'company/name not contains "south"',
        'invoiceNumber like "INV*"',
        'invoiceNumber like "%0042"',
        'invoiceNumber like "i*0%2"',
        'invoiceNumber LIKE "inv-0042"',
        'invoiceNumber not like "CM*"',
        "id in (1, 42)",
        'status/name in ("Open", "SENT")',
        "id NOT IN (1, 2)",
        "date in ([2026-01-31T00:00:00Z])",
        "lastUpdated > [2026-01-31T18:04:25Z]",
        "lastUpdated = [2026-01-31T18:04:26Z]",
        "lastUpdated > [0001-01-01T00:00:00Z]",
        "date = [2026-01-31]",
        "date=[2026-01-31]",
        "lastUpdated > [2026-01-31]",
        "lastUpdated = [2026-01-31T18:04:26]",
        "lastUpdated>=[2026-01-31T18:04:26]",
        "lastUpdated = [2026-01-31T19:04:26+01:00]",
        "lastUpdated = [2026-01-31T12:34:26-0530]",
        "lastUpdated > [2026-01-31T18:04:25.999999]",
        "lastUpdated < [2026-01-31T18:04:26.0000010Z]",
        "lastUpdated < [2026-01-31T18:04:26.5Z]",
        "lastUpdated = [2026-01-31T18:04:26.000Z]",
        'reading = "2026-01-31-18-04-26Z"',
        "_info/lastUpdated < [2026-02-01T00:00:00Z]",
        'updatedBy = "apimember"',
        "dueDate = null",
        "customerPO != null",
        'customerPO = ""',
        "customerPO in ('')",
        "company != null",
        "billToCompany/id = null",
        "id = 1 or id = 42 and total > 0",
        "id = 42 or id = 1 and id = 2",
        "(id = 42 OR id = 1) And (total > 0)",
        "((((id = 42))))",
        "id\n=\t42",
    ],
)
def test_a_record_that_meets_the_conditions_is_accepted(text: str) -> None:
    assert compile_conditions(text)(INVOICE)


@pytest.mark.parametrize(
    "text",
    [
        "id = 41",
        "id != 42",
        "total < 1250.5",
        'invoiceNumber = "INV-004"',
        'invoiceNumber like "INV"',
        'invoiceNumber like "INV-*-0042"',
        'invoiceNumber like "INV-0042*2"',
        'company/name contains "%North%"',
        "id not in (42)",
        "customerPO = null",
        "id != null and dueDate != null",
        "(id = 42 or id = 1) and id = 2",
        "lastUpdated > [2026-01-31T18:04:26Z]",
        "lastUpdated >= [2026-01-31T18:04:26.5Z]",
        "lastUpdated > [2026-01-31T18:04:26]",
        "id <> 42",
    ],
)
def test_a_record_that_misses_the_conditions_is_refused(text: str) -> None:
    assert not compile_conditions(text)(INVOICE)


@pytest.mark.parametrize(
    "text",
    [
        "dueDate > [2026-01-31T00:00:00Z]",
        "dueDate != [2026-01-31T00:00:00Z]",
        'reference != "x"',
        'reference not like "x*"',
        'reference not contains "x"',
        "applyToId not in (1)",
        "project/id != 5",
    ],
)
def test_an_absent_property_meets_no_comparison_not_even_a_negated_one(text: str) -> None:
    assert not compile_conditions(text)(INVOICE)


def test_audit_properties_of_the_record_itself_come_before_those_of_its_info() -> None:
    time_entry: Record = {
        "dateEntered": "2026-01-01T00:00:00Z",
        "_info": {"dateEntered": "2020-01-01T00:00:00Z"},
    }

    assert compile_conditions("dateEntered = [2026-01-01T00:00:00Z]")(time_entry)


@pytest.mark.parametrize(
    "text",
    [
        'id = "42"',
        "invoiceNumber = 42",
        'lastUpdated > "2026-01-31T18:04:26Z"',
        "invoiceNumber > [2026-01-31T18:04:26Z]",
        "id = [2026-01-31T18:04:26Z]",
        "taxableFlag = 1",
        'taxableFlag = "true"',
        "id = true",
        "id in ('42')",
        'id contains "4"',
        "company = 7",
        "id/name = 5",
    ],
)
def test_a_value_of_the_wrong_type_is_explained(text: str) -> None:
    accepts = compile_conditions(text)

    with pytest.raises(QueryError):
        accepts(INVOICE)


def test_the_explanation_says_how_values_are_written() -> None:
    with pytest.raises(QueryError) as caught:
        compile_conditions('lastUpdated > "2026-01-31"')(INVOICE)

    assert "lastUpdated is a date and was given a text" in caught.value.message
    assert "square brackets" in caught.value.message
    assert "quotes" in caught.value.message
    assert str(caught.value) == caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        "status/name = Open",
        "lastUpdated > 2026-01-31",
        "lastUpdated > [2026-02-30]",
        "lastUpdated > [2026-02-30T00:00:00Z]",
        "lastUpdated > [0001-01-01T00:00:00+14:00]",
        "lastUpdated > [2026-01-31Z]",
        "lastUpdated > [2026-01-31T18:04]",
        "lastUpdated > [yesterday]",
        "lastUpdated > [2026-01-31T18:04:26Z",
        'invoiceNumber = "open',
        "id = 1,000",
        "id = 1e3",
        "id == 42",
        "id >< 42",
        "id in ()",
        "id in (1",
        "id in (1, 'a')",
        "id in (1, null)",
        "id > null",
        "taxableFlag > true",
        "id contains 4",
        "id like 4",
        "not (id = 42)",
        "not id = 42",
        "id = 42 and",
        "and = 42",
        "(id = 42",
        "id = 42)",
        "id",
        "= 42",
        "/id = 42",
        "company//id = 42",
        "company/ id = 42",
        "id = 42 id = 43",
        "id = 42 && id = 43",
        "__import__('os')",
    ],
)
def test_a_text_outside_the_grammar_is_refused_when_it_is_compiled(text: str) -> None:
    with pytest.raises(QueryError):
        compile_conditions(text)


def test_members_of_lists_are_not_reached_by_conditions() -> None:
    contact: Record = {"communicationItems": [{"value": "a@b.c"}]}

    with pytest.raises(QueryError, match="childConditions"):
        compile_conditions('communicationItems/value = "a@b.c"')(contact)


IS_EMAIL = 'communicationItems/communicationType = "Email"'
CONTACT: Record = {
    "id": 5,
    "communicationItems": [
        {"value": "ada@harbor.example", "communicationType": "Email", "type": {"name": "Work"}},
        {"value": "555-0100", "communicationType": "Phone"},
    ],
}


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        ("", True),
        ('communicationItems/value like "ada@*"', True),
        ('communicationItems/value like "ada*" and ' + IS_EMAIL, True),
        ('communicationItems/value = "555-0100" and ' + IS_EMAIL, False),
        ('communicationItems/type/name = "work"', True),
        ("communicationItems/extension != null", False),
        ("communicationItems/extension = null", True),
        ("types/id = 5", False),
        ("types/id = null", False),
    ],
)
def test_child_conditions_hold_on_one_and_the_same_member(text: str, accepted: bool) -> None:
    assert compile_child_conditions(text)(CONTACT) is accepted


@pytest.mark.parametrize(
    "text",
    [
        'communicationItems/value in ("a")',
        "communicationItems = 5",
        'communicationItems/value = "a" or types/id = 5',
        "communicationItems/value = a",
    ],
)
def test_child_conditions_that_cannot_be_understood_are_refused(text: str) -> None:
    with pytest.raises(QueryError):
        compile_child_conditions(text)


def test_child_conditions_on_something_that_is_no_array_are_refused() -> None:
    with pytest.raises(QueryError):
        compile_child_conditions('status/name = "Sent"')(INVOICE)


TENANT: Record = {
    "customFields": [
        {"id": 1, "caption": "Seats", "value": Decimal(12)},
        {"id": 2, "caption": "Tenant", "value": "harbor.example"},
        {"id": 3, "caption": "Renewal", "value": "2026-05-01T00:00:00Z"},
        {"id": 4, "caption": "Notes"},
        {"id": 5, "caption": "Managed", "value": True},
    ]
}


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        ("", True),
        ('caption = "Tenant" and value != null', True),
        ('caption = "Notes" and value != null', False),
        ('value = "harbor.example" and caption = "tenant"', True),
        ('value = "harbor.example" and caption = "Seats"', False),
        ('caption = "Seats" and value >= 12', True),
        ('caption = "Managed" and value = true', True),
        ('caption = "Renewal" and value > [2026-01-01T00:00:00Z]', True),
        ('caption = "Renewal" and value like "2026-05*"', True),
        ('caption = "Seats" and value != "12"', False),
    ],
)
def test_custom_field_conditions_hold_on_one_and_the_same_field(text: str, accepted: bool) -> None:
    assert compile_custom_field_conditions(text)(TENANT) is accepted


def test_custom_field_conditions_refuse_a_record_without_custom_fields() -> None:
    assert not compile_custom_field_conditions('caption = "Tenant"')(INVOICE)


def test_custom_field_conditions_do_not_know_in() -> None:
    with pytest.raises(QueryError):
        compile_custom_field_conditions('caption in ("Tenant")')


@pytest.mark.parametrize(
    "text",
    [
        "id = " + "4" * 20_000,
        "id in (" + "1," * 1_000 + "1)",
        "(" * 51 + "id = 1" + ")" * 51,
        "(" * 8_000 + "id = 1" + ")" * 8_000,
        "id = 1 and (" * 60 + "id = 1" + ")" * 60,
        "a/" * 10 + "a = 1",
    ],
)
def test_a_text_beyond_a_limit_is_refused_before_it_costs_anything(text: str) -> None:
    with pytest.raises(QueryError):
        compile_conditions(text)


def test_a_text_within_the_limits_is_evaluated_without_deep_recursion() -> None:
    nested = "(id = 1 or id = 42 and " * 50 + "id = 42" + ")" * 50
    long_list = "id in (" + "1," * 998 + "42)"
    many_terms = " or ".join(["id = 1"] * 1_000 + ["id = 42"])

    assert compile_conditions(nested)(INVOICE)
    assert compile_conditions(long_list)(INVOICE)
    assert compile_conditions(many_terms)(INVOICE)


def test_parentheses_within_quotes_do_not_count_as_nesting() -> None:
    text = 'company/name contains "' + "(" * 100 + r"\"" + '"'

    assert not compile_conditions(text)(INVOICE)


def test_the_same_text_is_compiled_once() -> None:
    assert compile_conditions("id = 42") is compile_conditions("id = 42")


@pytest.mark.parametrize("ids", ["42", "7,42,99", "1", "42,0042"])
@pytest.mark.parametrize("path", ["id", "company/id", "absent/id"])
def test_ids_are_read_the_same_without_the_grammar_and_with_it(path: str, ids: str) -> None:
    """The shortest spelling is read by itself; the longer one goes through the grammar."""
    short, long = parse_conditions(f"{path} in ({ids})"), parse_conditions(f"{path}  in  ( {ids} )")

    assert short == long
