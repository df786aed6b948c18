"""Records that lie outside the filters are kept, and marked as such in lists."""

from __future__ import annotations

from dataclasses import replace

from bridge.domain.connection import Connection
from bridge.domain.customer import NamedRef
from bridge.domain.filters import CustomerFilter, ImportFilters, InvoiceFilter
from bridge.domain.invoice import InvoiceType
from tests.unit.dashboard_api.world import Caller, World


def filtered(world: World, connection: Connection, filters: ImportFilters) -> None:
    stored = world.connections.get(connection.connection_id)
    changed = replace(connection, filters=filters)
    world.connections.save(changed, expected_version=stored.version)


def marks(partner: Caller, path: str) -> dict[int, bool]:
    return {each["source_id"]: each["outside_filters"] for each in partner.get(path).json["items"]}


def books(world: World) -> Connection:
    """Customers 1 (Active) and 2 (Former) with an invoice each; the second is an agreement's."""
    connection = world.connection()
    world.customer(connection, 1)
    world.customer(connection, 2, status=NamedRef(9, "Former"))
    world.invoice(connection, 11)
    world.invoice(connection, 12, customer_source_id=2, type=InvoiceType.AGREEMENT)
    return connection


def test_without_filters_nothing_is_marked(world: World, partner: Caller) -> None:
    books(world)
    assert marks(partner, "/v1/invoices") == {11: False, 12: False}
    assert marks(partner, "/v1/customers") == {1: False, 2: False}


def test_an_invoice_outside_its_own_filter_is_marked(world: World, partner: Caller) -> None:
    connection = books(world)
    only = InvoiceFilter(types=frozenset({InvoiceType.AGREEMENT}))
    filtered(world, connection, ImportFilters(invoice=only))

    assert marks(partner, "/v1/invoices") == {11: True, 12: False}
    assert marks(partner, "/v1/customers") == {1: False, 2: False}
    invoice = f"/v1/invoices/{connection.connection_id}-11"
    assert partner.get(invoice).json["outside_filters"] is True


def test_an_invoice_whose_customer_lies_outside_is_marked(world: World, partner: Caller) -> None:
    connection = books(world)
    filtered(world, connection, ImportFilters(customer=CustomerFilter(status_ids=frozenset({1}))))

    assert marks(partner, "/v1/customers") == {1: False, 2: True}
    assert marks(partner, "/v1/invoices") == {11: False, 12: True}
    customer = f"/v1/customers/{connection.connection_id}-2"
    assert partner.get(customer).json["outside_filters"] is True


def test_a_record_of_the_platform_is_never_outside(world: World, partner: Caller) -> None:
    connection = books(world)
    filtered(world, connection, ImportFilters(customer=CustomerFilter(status_ids=frozenset({7}))))
    created = partner.post("/v1/customers", {"name": "Walk-in"}).json
    assert created["outside_filters"] is False
    listed = partner.get(f"/v1/customers/{created['id']}").json
    assert listed["outside_filters"] is False
