"""Bodies are accepted or refused as ConnectWise does."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import ValidationError

from connectwise_sandbox.schemas import (
    MODELS,
    FieldError,
    property_names,
    validate_new,
)
from connectwise_sandbox.schemas.company import Company
from connectwise_sandbox.schemas.invoice import InvoicePayment

INVOICE = {
    "id": 42,
    "invoiceNumber": "INV-0042",
    "type": "Standard",
    "company": {"id": 7, "identifier": "HarborCo", "_info": {"company_href": "x"}},
    "status": {"id": 3, "name": "Sent", "isClosed": False},
    "customerPO": "PO 7",
    "date": "2026-01-31T00:00:00Z",
    "total": Decimal("1250.50"),
    "payments": 0,
    "taxableFlag": True,
    "customFields": [{"id": 1, "caption": "Tenant", "type": "Text", "value": "harbor"}],
    "_info": {"lastUpdated": "2026-01-31T18:04:26Z"},
}


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("invoice", INVOICE),
        ("invoice", {"type": "CreditMemo", "company": {"id": 7}, "status": None}),
        ("payment", {}),
        ("payment", {"amount": 12, "paymentDate": "2026-01-31T00:00:00Z"}),
        ("contact", {"firstName": "Ada"}),
        ("company", {"identifier": "x" * 30, "name": "Harbor", "types": [{"id": 1}]}),
        ("callbackEntry", {"url": "https://x", "objectId": 1, "type": "invoice", "level": "owner"}),
        ("closedInvoice", {"status": {"id": 4}}),
        ("timeEntry", {"timeStart": "2026-01-31T00:00:00Z", "hourlyCost": "45.00"}),
        ("companyMerge", {"toCompanyId": 5, "name": "From", "sites": "Merge"}),
    ],
)
def test_a_sound_body_is_accepted(kind: str, body: dict[str, object]) -> None:
    assert validate_new(kind, body) == []


@pytest.mark.parametrize("body", [{}, {"firstName": None}, {"firstName": ""}, {"firstName": "  "}])
def test_a_missing_required_field_is_named(body: dict[str, object]) -> None:
    assert validate_new("contact", body) == [
        FieldError(
            code="MissingRequiredField",
            message="The firstName field is required.",
            resource="contact",
            field="firstName",
        )
    ]


def test_a_text_that_is_too_long_is_named_with_its_limit() -> None:
    body = {"summary": "x" * 101, "company": {"id": 1}}

    assert validate_new("ticket", body) == [
        FieldError(
            code="MaxLengthField",
            message="The field summary must be a string with a maximum length of 100.",
            resource="ticket",
            field="summary",
        )
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("type", "Bill"),
        ("company", 7),
        ("company/id", {"id": "7"}),
        ("company/id", {"id": 2**31}),
        ("company/nmae", {"id": 7, "nmae": "x"}),
        ("total", "12.50"),
        ("total", True),
        ("total", Decimal("NaN")),
        ("departmentId", Decimal("1.5")),
        ("taxableFlag", "true"),
        ("reference", 5),
        ("date", "2026-01-31"),
        ("date", "2026-01-31T00:00:00+01:00"),
        ("date", "2026-01-31T00:00:00.5Z"),
        ("date", "2026-02-30T00:00:00Z"),
        ("date", 1769817600),
        ("customFields", {}),
        ("customFields/0/caption", [{"caption": 1}]),
        ("invoice_number", "INV-1"),
        ("customerPo", "PO 7"),
        ("unknownField", 1),
    ],
)
def test_a_value_that_does_not_fit_its_field_is_named(field: str, value: object) -> None:
    body = INVOICE | {field.partition("/")[0]: value}

    (error,) = validate_new("invoice", body)

    assert (error.code, error.resource, error.field) == ("InvalidField", "invoice", field)
    assert field.rpartition("/")[2] in error.message


def test_every_complaint_is_listed() -> None:
    errors = validate_new("company", {"website": "x" * 300, "deletedFlag": 1})

    assert {(error.code, error.field) for error in errors} == {
        ("MissingRequiredField", "identifier"),
        ("MissingRequiredField", "name"),
        ("MaxLengthField", "website"),
        ("InvalidField", "deletedFlag"),
    }


def test_the_complaints_about_one_body_are_limited() -> None:
    assert len(validate_new("payment", {f"x{number}": 1 for number in range(500)})) == 50


@pytest.mark.parametrize("body", [None, [], "text", 5])
def test_a_body_that_is_no_object_is_refused(body: object) -> None:
    (error,) = validate_new("invoice", body)

    assert error.code == "InvalidObject"


def test_an_unknown_kind_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(KeyError):
        validate_new("nothing", {})


def test_property_names_are_those_of_the_wire() -> None:
    names = property_names("payment")

    assert {"id", "paymentDate", "glBatchID", "aRPaymentAccount", "wisePayPayment"} <= names
    assert "_info" in names
    assert "payment_date" not in names


def test_a_model_writes_its_wire_form() -> None:
    payment = InvoicePayment.model_validate(
        {"amount": Decimal("5.10"), "paymentDate": "2026-01-31T00:00:00Z", "glBatchID": "7"}
    )

    assert payment.to_record() == {
        "amount": Decimal("5.10"),
        "paymentDate": "2026-01-31T00:00:00Z",
        "glBatchID": "7",
    }


def test_a_model_is_immutable() -> None:
    company = Company(identifier="HarborCo", name="Harbor")

    with pytest.raises(ValidationError):
        company.name = "Other"  # type: ignore[misc]  # what the test is about


@pytest.mark.parametrize("kind", sorted(MODELS))
def test_every_kind_refuses_an_unknown_field(kind: str) -> None:
    errors = validate_new(kind, {"noSuchField": 1})

    assert [error.field for error in errors if error.code == "InvalidField"] == ["noSuchField"]


@pytest.mark.parametrize("kind", sorted(MODELS))
def test_every_property_has_the_name_that_the_interface_gives_it(kind: str) -> None:
    assert all("_" not in name.removeprefix("_info") for name in property_names(kind))
