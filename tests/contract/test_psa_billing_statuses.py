"""The tenant's own billing statuses, as a partner chooses one of them."""

from __future__ import annotations

import pytest

from bridge.connectwise.psa import ConnectWisePsa
from bridge.domain.errors import PermissionMissingError
from bridge.domain.invoice import BillingStatus
from connectwise_sandbox.kinds import Kind
from connectwise_sandbox.permissions import Action
from connectwise_sandbox.tenant import Corruption
from tests.unit.connectwise.sandbox import World, sandboxed_world


@pytest.fixture
def world() -> World:
    return sandboxed_world(customers=1, invoices=1)


@pytest.fixture
def psa(world: World) -> ConnectWisePsa:
    return world.psa()


def test_all_statuses_come_in_one_call(world: World, psa: ConnectWisePsa) -> None:
    rows = list(world.engine.tenant.store[Kind.BILLING_STATUS])

    statuses = psa.list_billing_statuses()

    assert statuses == tuple(
        BillingStatus(row["id"], row["name"], is_closed=row["closedFlag"]) for row in rows
    )
    assert {status.is_closed for status in statuses} == {True, False}
    assert sum(psa.calls.values()) == 1


def test_a_status_out_of_use_cannot_be_chosen(world: World, psa: ConnectWisePsa) -> None:
    row = next(iter(world.engine.tenant.store[Kind.BILLING_STATUS]))
    row["inactiveFlag"] = True

    assert row["id"] not in {status.source_id for status in psa.list_billing_statuses()}


def test_an_odd_name_costs_a_status_its_name_only(world: World, psa: ConnectWisePsa) -> None:
    rows = list(world.engine.tenant.store[Kind.BILLING_STATUS])
    rows[0]["name"] = []

    statuses = psa.list_billing_statuses()

    assert [status.source_id for status in statuses] == [row["id"] for row in rows]
    assert statuses[0].name == f"Status {rows[0]['id']}"


def test_a_row_without_a_usable_id_takes_no_other_with_it(
    world: World, psa: ConnectWisePsa
) -> None:
    rows = list(world.engine.tenant.store[Kind.BILLING_STATUS])
    world.engine.tenant.corruptions[Kind.BILLING_STATUS, rows[0]["id"]] = Corruption(
        None, {"id": "first"}
    )

    assert [status.source_id for status in psa.list_billing_statuses()] == [
        row["id"] for row in rows[1:]
    ]


def test_without_the_right_it_is_said_so(world: World, psa: ConnectWisePsa) -> None:
    world.engine.tenant.role.set_cell("System", "Table Setup", Action.INQUIRE, "None")

    with pytest.raises(PermissionMissingError):
        psa.list_billing_statuses()
