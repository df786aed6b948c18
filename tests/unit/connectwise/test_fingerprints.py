"""The properties by which both sides are compared, and the words for what differs."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.connectwise.fingerprints import (
    COMPANY_FINGERPRINT_FIELDS,
    INVOICE_FINGERPRINT_FIELDS,
    FingerprintFields,
    fingerprint,
)
from bridge.domain.comparison import Difference, difference_between

INVOICE: dict[str, Any] = {
    "_info": {"lastUpdated": "2026-01-31T10:00:00Z"},
    "type": "Standard",
    "invoiceNumber": "4711",
    "company": {"id": 11},
    "billToCompany": {"id": 12},
    "status": {"id": 1, "name": "Sent", "isClosed": False},
    "billingTerms": {"id": 3},
    "balance": Decimal("94.00"),
    "total": Decimal("94.00"),
}
COMPANY: dict[str, Any] = {
    "_info": {"lastUpdated": "2026-01-31T10:00:00Z"},
    "name": "Northwind",
    "identifier": "northwind",
    "status": {"id": 1, "name": "Active"},
    "territory": {"id": 2},
    "deletedFlag": False,
}
CHANGES: list[tuple[dict[str, Any], Difference]] = [
    ({"balance": Decimal("93.99")}, Difference.BALANCE),
    ({"total": Decimal(95)}, Difference.BALANCE),
    ({"payments": Decimal(1)}, Difference.BALANCE),
    ({"credits": Decimal(1)}, Difference.BALANCE),
    ({"company": {"id": 13}}, Difference.PAYER),
    ({"billToCompany": {"id": 13}}, Difference.PAYER),
    ({"billToCompany": None}, Difference.PAYER),
    ({"status": {"id": 2, "name": "Sent", "isClosed": False}}, Difference.STATUS),
    ({"status": {"id": 1, "name": "Mailed", "isClosed": False}}, Difference.STATUS),
    ({"status": {"id": 1, "name": "Sent", "isClosed": True}}, Difference.STATUS),
    ({"type": "Progress"}, Difference.DETAILS),
    ({"invoiceNumber": "4712"}, Difference.DETAILS),
    ({"dueDate": "2026-03-01T00:00:00Z"}, Difference.DETAILS),
    ({"billingTerms": {"id": 4}}, Difference.DETAILS),
    ({"_info": {"lastUpdated": "2026-01-31T10:00:01Z"}}, Difference.CHANGED),
]
COMPANY_CHANGES: list[tuple[dict[str, Any], Difference]] = [
    ({"deletedFlag": True}, Difference.STATUS),
    ({"status": {"id": 2, "name": "Active"}}, Difference.STATUS),
    ({"status": {"id": 1, "name": "Alive"}}, Difference.STATUS),
    ({"name": "Southwind"}, Difference.DETAILS),
    ({"identifier": "southwind"}, Difference.DETAILS),
    ({"territory": {"id": 3}}, Difference.DETAILS),
    ({"invoiceToEmailAddress": "bills@northwind.example"}, Difference.DETAILS),
    ({"defaultContact": {"id": 5}}, Difference.DETAILS),
    ({"billingContact": {"id": 5}}, Difference.DETAILS),
    ({"_info": {"lastUpdated": "2026-01-31T10:00:01Z"}}, Difference.CHANGED),
]


@pytest.mark.parametrize(
    ("row", "fields", "change", "difference"),
    [
        *((INVOICE, INVOICE_FINGERPRINT_FIELDS, *each) for each in CHANGES),
        *((COMPANY, COMPANY_FINGERPRINT_FIELDS, *each) for each in COMPANY_CHANGES),
    ],
)
def test_each_change_is_seen_and_named(
    row: dict[str, Any],
    fields: FingerprintFields,
    change: dict[str, Any],
    difference: Difference,
) -> None:
    before, after = fingerprint(row, fields), fingerprint(row | change, fields)

    assert before != after
    assert difference_between(before, after) is difference


def test_the_gravest_of_many_differences_names_the_record() -> None:
    every = {name: value for change, _ in CHANGES for name, value in change.items()}
    before = fingerprint(INVOICE, INVOICE_FINGERPRINT_FIELDS)
    after = fingerprint(INVOICE | every, INVOICE_FINGERPRINT_FIELDS)

    assert difference_between(before, after) is Difference.BALANCE


@pytest.mark.parametrize("stored", ["", "[]", "null", '["2026-01-31T10:00:00Z","94"]', "{"])
def test_a_fingerprint_of_another_form_says_only_that_something_changed(stored: str) -> None:
    assert difference_between(stored, fingerprint(INVOICE, INVOICE_FINGERPRINT_FIELDS)) is (
        Difference.CHANGED
    )


def test_marks_do_not_depend_on_how_a_number_is_written() -> None:
    texts = ('{"balance": 94.0, "total": 1.50}', '{"balance": 94.00, "total": 1.5}')
    rows = [json.loads(text, parse_float=Decimal) for text in texts]

    assert len({fingerprint(row, INVOICE_FINGERPRINT_FIELDS) for row in rows}) == 1


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(["balance", "total", "status", "_info"]), VALUES))
def test_marks_of_any_row_can_be_told(row: dict[str, Any]) -> None:
    marks = fingerprint(row, INVOICE_FINGERPRINT_FIELDS)

    assert marks == fingerprint(row, INVOICE_FINGERPRINT_FIELDS)
    assert difference_between(marks, marks) is Difference.CHANGED
