"""`orderBy` and `fields` on wire records."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connectwise_sandbox.query import (
    QueryError,
    Record,
    compile_order_by,
    select_fields,
)

RECORDS: list[Record] = [
    {"id": 1, "name": "beta", "total": Decimal(10), "status": {"id": 2}},
    {"id": 2, "name": "Alpha", "total": Decimal("9.5"), "status": {"id": 1}},
    {"id": 3, "name": "alpha", "status": {"id": 2}},
    {"id": 4, "total": Decimal(10), "_info": {"lastUpdated": "2026-01-31T18:04:26Z"}},
]


def ids(text: str) -> list[object]:
    return [record["id"] for record in compile_order_by(text)(RECORDS)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [1, 2, 3, 4]),
        ("id desc", [4, 3, 2, 1]),
        ("id", [1, 2, 3, 4]),
        ("id ASC", [1, 2, 3, 4]),
        ("name", [4, 2, 3, 1]),
        ("name desc", [1, 2, 3, 4]),
        ("total asc", [3, 2, 1, 4]),
        ("total desc, id desc", [4, 1, 2, 3]),
        ("status/id, name desc", [4, 2, 1, 3]),
        ("lastUpdated desc", [4, 1, 2, 3]),
        ("unknownField", [1, 2, 3, 4]),
    ],
)
def test_records_are_sorted_stably_with_absent_values_lowest(
    text: str, expected: list[int]
) -> None:
    assert ids(text) == expected


def test_sorting_leaves_the_given_records_alone() -> None:
    given = list(RECORDS)

    compile_order_by("id desc")(given)

    assert given == RECORDS


@pytest.mark.parametrize(
    "text", ["id up", "id asc desc", "id,,name", ",", "id;name", "a b c", ",".join(["id"] * 11)]
)
def test_an_order_that_cannot_be_understood_is_refused(text: str) -> None:
    with pytest.raises(QueryError):
        compile_order_by(text)


def test_references_have_no_order() -> None:
    with pytest.raises(QueryError):
        ids("status")


CONTACT: Record = {
    "id": 5,
    "firstName": "Ada",
    "company": {"id": 7, "name": "Harbor", "_info": {"company_href": "x"}},
    "communicationItems": [{"id": 1, "value": "a@b.c"}, {"id": 2}],
    "_info": {"lastUpdated": "2026-01-31T18:04:26Z", "updatedBy": "Ada"},
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id", {"id": 5}),
        ("id, firstName", {"id": 5, "firstName": "Ada"}),
        ("company/id", {"company": {"id": 7}}),
        ("company/id,company/name", {"company": {"id": 7, "name": "Harbor"}}),
        ("company/id,company", {"company": CONTACT["company"]}),
        ("company,company/id", {"company": CONTACT["company"]}),
        ("company/_info/company_href", {"company": {"_info": {"company_href": "x"}}}),
        ("_info/lastUpdated", {"_info": {"lastUpdated": "2026-01-31T18:04:26Z"}}),
        ("communicationItems/value", {"communicationItems": [{"value": "a@b.c"}, {}]}),
        ("id,unknown,site/id", {"id": 5}),
        ("  ", CONTACT),
    ],
)
def test_only_the_asked_properties_are_kept(text: str, expected: dict[str, object]) -> None:
    assert select_fields(text)(CONTACT) == expected


@pytest.mark.parametrize(
    "text", ["id,,name", "id name", "status/", "a" * 20_000, ",".join(["id"] * 251)]
)
def test_fields_that_cannot_be_understood_are_refused(text: str) -> None:
    with pytest.raises(QueryError):
        select_fields(text)
