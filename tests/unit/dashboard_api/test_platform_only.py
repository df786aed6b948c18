"""R6: what is made or changed on the platform never reaches ConnectWise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bridge.domain.invoice import Invoice
from bridge.domain.mirrored_kinds import INVOICES
from bridge.ports import Page
from tests.unit.dashboard_api.world import Caller, World

LINES = [{"description": "Setup", "amount_minor": 1000}]


def test_platform_only_records_make_no_call_to_connectwise(world: World, partner: Caller) -> None:
    # Given a connection whose ConnectWise counts every call, and a mirrored customer
    connection = world.connection()
    mirrored = world.customer(connection, 1)

    # When customers and invoices are made, changed in every field, listed and archived
    customer_id = partner.post("/v1/customers", {"name": "Acme"}).json["id"]
    partner.patch(f"/v1/customers/{customer_id}", {"name": "New", "email": "a@example.test"})
    for owner_id in (customer_id, mirrored.customer_id):
        form = {
            "customer_id": owner_id,
            "number": "P-1",
            "currency": "USD",
            "issued_on": "2026-03-01",
            "line_items": LINES,
        }
        created = partner.post("/v1/invoices", form)
        assert created.status == 201
        path = f"/v1/invoices/{created.json['id']}"
        changed = partner.patch(
            path,
            {
                "number": "P-2",
                "issued_on": "2026-03-02",
                "due_on": "2026-04-01",
                "reference": "r",
                "purchase_order": "po",
                "line_items": [{"description": "More", "amount_minor": 2000}],
            },
        )
        assert changed.json["balance"]["amount_minor"] == 2000
        assert partner.get(path).status == 200
        assert partner.get(f"{path}/pdf").status == 404
        assert partner.delete(path).status == 204
    assert partner.delete(f"/v1/customers/{customer_id}").status == 204

    # Then ConnectWise was not opened once, and no worker was asked to do it
    assert world.spy_gateway.calls == []
    assert world.psa.calls == []
    assert world.hints.sent == []
    assert world.run_queue.sent == []
    assert world.pdf_queue.sent == []


def test_changing_mirrored_records_is_refused_without_asking_connectwise(
    world: World, partner: Caller
) -> None:
    connection = world.connection()
    customer, invoice = world.customer(connection, 1), world.invoice(connection, 7)

    answers = [
        partner.patch(f"/v1/customers/{customer.customer_id}", {"name": "Mine"}),
        partner.delete(f"/v1/customers/{customer.customer_id}"),
        partner.patch(f"/v1/invoices/{invoice.invoice_id}", {"line_items": LINES}),
        partner.patch(f"/v1/invoices/{invoice.invoice_id}", {"due_on": "2027-01-01"}),
        partner.delete(f"/v1/invoices/{invoice.invoice_id}"),
    ]

    assert {(answer.status, answer.problem) for answer in answers} == {(409, "mirrored_record")}
    assert world.spy_gateway.calls == []
    stored = world.records.get(INVOICES, "partner-a", invoice.invoice_id)
    assert (stored.value, stored.version) == (invoice, 1)


def test_platform_only_records_carry_nothing_of_connectwise(partner: Caller) -> None:
    body = partner.post("/v1/customers", {"name": "Acme"}).json

    assert (body["origin"], body["connection_id"], body["source_id"]) == ("platform", None, None)


# --- what makes no sense ---------------------------------------------------------------------


def _customer_id(partner: Caller) -> str:
    return str(partner.post("/v1/customers", {"name": "Local Ltd"}).json["id"])


def _form(customer_id: str, **changes: Any) -> dict[str, Any]:
    return {
        "customer_id": customer_id,
        "number": "P-1",
        "currency": "USD",
        "issued_on": "2026-03-01",
        "line_items": [{"description": "Hours", "amount_minor": 1000}],
    } | changes


def test_an_invoice_due_before_it_was_issued_is_refused(partner: Caller) -> None:
    form = _form(_customer_id(partner))

    refused = partner.post("/v1/invoices", form | {"due_on": "2026-02-28"})

    assert (refused.status, refused.json["errors"][0]["field"]) == (422, "due_on")
    made = partner.post("/v1/invoices", form | {"due_on": "2026-03-01"})
    assert made.status == 201
    changed = partner.patch(f"/v1/invoices/{made.json['id']}", {"issued_on": "2026-03-02"})
    assert (changed.status, changed.json["errors"][0]["field"]) == (422, "due_on")


def test_a_number_is_given_once_among_a_partners_invoices_of_the_platform(
    world: World, partner: Caller
) -> None:
    connection = world.connection()
    world.invoice(connection, 7, number="P-1")
    form = _form(_customer_id(partner))
    first = partner.post("/v1/invoices", form)
    assert first.status == 201

    again = partner.post("/v1/invoices", form)

    assert (again.status, again.json["errors"][0]["field"]) == (422, "number")
    other = world.partner("partner-b")
    assert other.post("/v1/invoices", _form(_customer_id(other))).status == 201
    second = partner.post("/v1/invoices", form | {"number": "P-2"})
    renamed = partner.patch(f"/v1/invoices/{second.json['id']}", {"number": "P-1"})
    assert (renamed.status, renamed.json["errors"][0]["field"]) == (422, "number")


def test_a_number_is_free_again_once_its_invoice_is_archived_or_renamed(partner: Caller) -> None:
    form = _form(_customer_id(partner))
    for free in ("archived", "renamed", "renamed again"):
        made = partner.post("/v1/invoices", form)
        assert made.status == 201, free
        path = f"/v1/invoices/{made.json['id']}"
        if free == "archived":
            partner.delete(path)
        else:
            partner.patch(path, {"number": f"was P-1, {free}"})
    assert partner.post("/v1/invoices", form).status == 201


def test_of_two_invoices_with_one_number_at_once_one_is_made(
    world: World, partner: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = _form(_customer_id(partner))
    partner.post("/v1/invoices", form)
    looks: Iterator[Page[Invoice]] = iter([Page((), None)] * 3)
    look = world.records.list_invoices
    monkeypatch.setattr(
        world.records, "list_invoices", lambda *a, **k: next(looks, None) or look(*a, **k)
    )

    late = partner.post("/v1/invoices", form)

    assert (late.status, late.json["errors"][0]["field"]) == (422, "number")


def test_a_customer_with_open_invoices_is_not_archived(partner: Caller) -> None:
    customer_id = _customer_id(partner)
    for number in ("P-1", "P-2"):
        partner.post("/v1/invoices", _form(customer_id, number=number))

    refused = partner.delete(f"/v1/customers/{customer_id}")

    assert (refused.status, refused.problem) == (409, "open_invoices")
    assert "P-1, P-2" in refused.json["detail"]
    assert partner.get(f"/v1/customers/{customer_id}").json["archive"] is None
    for invoice in partner.get("/v1/invoices", customer_id=customer_id).json["items"]:
        partner.delete(f"/v1/invoices/{invoice['id']}")
    assert partner.delete(f"/v1/customers/{customer_id}").status == 204


@pytest.mark.parametrize(
    ("path", "first", "last"),
    [
        ("/v1/invoices", "due_from", "due_to"),
        ("/v1/payments", "paid_from", "paid_to"),
        ("/v1/platform-payments", "received_from", "received_to"),
    ],
)
def test_a_range_that_ends_before_it_begins_is_refused(
    partner: Caller, path: str, first: str, last: str
) -> None:
    refused = partner.get(path, **{first: "2026-03-02", last: "2026-03-01"})

    assert (refused.status, refused.json["errors"][0]["field"]) == (422, first)
    assert partner.get(path, **{first: "2026-03-01", last: "2026-03-01"}).status == 200
