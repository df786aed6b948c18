"""The platform's payments are found by invoice, state, day, customer and connection."""

from __future__ import annotations

import pytest

from tests.unit.dashboard_api.payments import path_to, payment_form
from tests.unit.dashboard_api.world import Caller, World

LIST = "/v1/platform-payments"


@pytest.fixture
def some(world: World) -> World:
    """Four payments for two customers of one connection, and one of another connection."""
    connection, other = world.connection(), world.connection(company_id="other")
    first = world.invoice(connection, 1)
    second = world.invoice(connection, 2)
    third = world.invoice(connection, 3, customer_source_id=2)
    elsewhere = world.invoice(other, 1)
    told = {
        "pay-1": payment_form(first, received_on="2026-02-27"),
        "pay-2": payment_form(first, second, received_on="2026-02-28"),
        "pay-3": payment_form(third, received_on="2026-03-01", state="pending"),
        "pay-4": payment_form(second, received_on="2026-03-01"),
    }
    for payment_id, form in told.items():
        assert world.service().put(path_to(connection, payment_id), form).status == 201
        world.clock.advance(minutes=1)
    world.service().put(path_to(other, "pay-5"), payment_form(elsewhere, received_on="2026-02-26"))
    return world


def ids(world: World, **query: str) -> list[str]:
    answer = world.partner().get(LIST, **query)
    assert answer.status == 200, answer.text
    return [item["id"] for item in answer.json["items"]]


def test_payments_are_narrowed_one_way_and_another(some: World) -> None:
    connection, other = some.connections.list_of_partner("partner-a")
    own = {"connection_id": connection.connection_id}
    assert ids(some) == ["pay-5", "pay-4", "pay-3", "pay-2", "pay-1"]
    assert ids(some, **own) == ["pay-4", "pay-3", "pay-2", "pay-1"]
    assert ids(some, connection_id=other.connection_id) == ["pay-5"]
    assert ids(some, invoice_id=f"{connection.connection_id}-1") == ["pay-2", "pay-1"]
    assert ids(some, invoice_id=f"{connection.connection_id}-9") == []
    assert ids(some, invoice_id="f" * 32) == []
    assert ids(some, state="pending") == ["pay-3"]
    assert ids(some, customer_id=f"{connection.connection_id}-2") == ["pay-3"]
    assert ids(some, received_from="2026-03-01") == ["pay-4", "pay-3"]
    assert ids(some, received_to="2026-02-27") == ["pay-5", "pay-1"]
    assert ids(some, received_from="2026-02-27", received_to="2026-02-28") == ["pay-2", "pay-1"]


def test_ways_are_combined(some: World) -> None:
    connection, _ = some.connections.list_of_partner("partner-a")
    second = f"{connection.connection_id}-2"
    assert ids(some, received_from="2026-03-01", state="settled") == ["pay-4"]
    assert ids(some, invoice_id=second, received_to="2026-02-28") == ["pay-2"]
    assert ids(some, customer_id=second, invoice_id=second) == []


def test_a_narrowed_list_has_pages_of_its_own(some: World) -> None:
    partner = some.partner()
    first = partner.get(LIST, state="settled", limit="3").json
    second = partner.get(LIST, state="settled", limit="3", cursor=first["next_cursor"]).json
    other = partner.get(LIST, state="pending", limit="3", cursor=first["next_cursor"])

    listed = [item["id"] for item in first["items"] + second["items"]]
    assert listed == ["pay-5", "pay-4", "pay-2", "pay-1"]
    assert second["next_cursor"] is None
    assert (other.status, other.json["errors"][0]["field"]) == (422, "cursor")


@pytest.mark.parametrize(
    "query",
    [
        {"state": "written"},
        {"received_from": "1 March"},
        {"invoice_id": "INV-1"},
        {"unapplied_only": "1"},
        {"invoice": "x"},
    ],
)
def test_a_restriction_that_cannot_be_read_is_refused(
    partner: Caller, query: dict[str, str]
) -> None:
    assert partner.get(LIST, **query).status == 422
