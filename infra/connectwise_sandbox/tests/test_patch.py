"""ConnectWise's PATCH and its quirks."""

from __future__ import annotations

from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectwise_sandbox.patch import MAX_OPERATIONS, PatchError, apply_patch
from connectwise_sandbox.schemas import property_names

INVOICE: dict[str, object] = {
    "id": 42,
    "reference": "PO 7",
    "status": {"id": 3, "name": "Sent", "isClosed": False},
    "customFields": [{"id": 1, "caption": "Tenant", "value": "harbor"}],
    "_info": {"lastUpdated": "2026-01-31T18:04:26Z"},
}


def replace(path: str, value: object) -> dict[str, object]:
    return {"op": "replace", "path": path, "value": value}


@pytest.mark.parametrize("op", ["add", "replace"])
@pytest.mark.parametrize("path", ["reference", "/reference"])
def test_a_property_is_set(op: str, path: str) -> None:
    patched = apply_patch(INVOICE, [{"op": op, "path": path, "value": "PO 8"}])

    assert patched == {**INVOICE, "reference": "PO 8"}


def test_a_property_that_was_absent_is_set() -> None:
    assert apply_patch(INVOICE, [replace("attention", "Ada")])["attention"] == "Ada"


@pytest.mark.parametrize(
    "operation", [{"op": "remove", "path": "reference"}, replace("reference", None)]
)
def test_a_removed_property_is_absent(operation: dict[str, object]) -> None:
    assert "reference" not in apply_patch(INVOICE, [operation])


def test_a_reference_is_replaced_whole() -> None:
    patched = apply_patch(INVOICE, [replace("status", {"id": 5})])

    assert patched["status"] == {"id": 5}


def test_operations_apply_in_their_order() -> None:
    patched = apply_patch(INVOICE, [replace("reference", "first"), replace("reference", "last")])

    assert patched["reference"] == "last"


@pytest.mark.parametrize("path", ["status/id", "/status/id", "customFields/0/value", "status/"])
def test_a_sub_path_is_accepted_and_changes_nothing(path: str) -> None:
    assert apply_patch(INVOICE, [replace(path, 5)]) == INVOICE


@pytest.mark.parametrize("path", ["id", "_info"])
def test_what_only_connectwise_writes_stays(path: str) -> None:
    assert apply_patch(INVOICE, [replace(path, 5)]) == INVOICE


def test_custom_fields_are_replaced_whole() -> None:
    fields = [{"id": 2, "caption": "Seats", "value": 4}]

    assert apply_patch(INVOICE, [replace("customFields", fields)])["customFields"] == fields


def test_an_empty_array_does_not_clear_the_custom_fields() -> None:
    assert apply_patch(INVOICE, [replace("customFields", [])]) == INVOICE


def test_the_given_record_and_operations_are_left_alone() -> None:
    record, status = deepcopy(INVOICE), {"id": 5}

    patched = apply_patch(record, [replace("status", status)])
    status["id"] = 6

    assert record == INVOICE
    assert patched["status"] == {"id": 5}


@pytest.mark.parametrize(
    ("operations", "code", "field"),
    [
        ({"op": "replace"}, "InvalidObject", ""),
        ("[]", "InvalidObject", ""),
        (None, "InvalidObject", ""),
        (["replace"], "InvalidObject", ""),
        ([{"op": "move", "path": "reference", "value": 1}], "InvalidField", "op"),
        ([{"path": "reference", "value": 1}], "InvalidField", "op"),
        ([{"op": ["replace"], "path": "reference", "value": 1}], "InvalidField", "op"),
        ([{"op": "replace", "value": 1}], "InvalidField", "path"),
        ([replace("/", 1)], "InvalidField", "path"),
        ([{"op": "replace", "path": "reference"}], "MissingRequiredField", "value"),
        ([replace("reference", "x")] * (MAX_OPERATIONS + 1), "InvalidObject", ""),
    ],
)
def test_a_malformed_patch_is_refused(operations: object, code: str, field: str) -> None:
    with pytest.raises(PatchError) as caught:
        apply_patch(INVOICE, operations)

    assert (caught.value.code, caught.value.field) == (code, field)
    assert caught.value.message


@pytest.mark.parametrize("path", ["Reference", "/statuss/id", "total.amount"])
def test_a_name_that_the_kind_does_not_have_is_refused(path: str) -> None:
    with pytest.raises(PatchError) as caught:
        apply_patch(INVOICE, [replace(path, 1)], properties=property_names("invoice"))

    assert caught.value.code == "InvalidObject"
    assert caught.value.field == path.removeprefix("/")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
operations = st.fixed_dictionaries(
    {},
    optional={
        "op": st.sampled_from(["add", "replace", "remove"]) | json_values,
        "path": st.sampled_from(["reference", "status/id"]) | json_values,
        "value": json_values,
    },
)


@given(st.lists(operations | json_values, max_size=4) | json_values)
def test_any_json_is_applied_or_refused_and_never_changes_the_record(body: object) -> None:
    record = deepcopy(INVOICE)

    try:
        patched = apply_patch(record, body)
    except PatchError:
        patched = record

    assert record == INVOICE
    assert patched["id"] == INVOICE["id"]
