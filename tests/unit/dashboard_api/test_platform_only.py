"""R6: what is made or changed on the platform never reaches ConnectWise."""

from __future__ import annotations

from bridge.domain.mirrored_kinds import INVOICES
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
