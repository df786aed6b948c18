"""How a partner wants payments to appear in ConnectWise."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.domain.connection import Connection, ConnectionState
from bridge.domain.errors import (
    CredentialsRejectedError,
    PermissionMissingError,
    UnavailableError,
)
from bridge.domain.platform_payment import WriteBackPolicy, WriteBackWhen
from tests.unit.dashboard_api.world import STATUSES, Caller, World

PAID = STATUSES[1]


@pytest.fixture
def path(connection: Connection) -> str:
    return f"/v1/connections/{connection.connection_id}"


def policy_of(world: World, connection: Connection) -> WriteBackPolicy:
    return world.stored_connection(connection.connection_id).write_back


def test_a_connection_shows_its_policy(partner: Caller, path: str) -> None:
    shown = partner.get(path).json["write_back"]

    assert shown == {
        "when": "settled",
        "paid_status_id": None,
        "reverse_on": ["charged_back", "refunded", "returned", "voided"],
    }
    assert partner.get("/v1/connections").json["items"][0]["write_back"] == shown


def test_the_tenants_own_statuses_are_there_to_choose_from(
    world: World, partner: Caller, path: str
) -> None:
    answer = partner.get(f"{path}/billing-statuses")

    assert answer.json["items"] == [
        {"id": 3, "name": "Sent", "is_closed": False},
        {"id": 4, "name": "Paid in Full", "is_closed": True},
    ]
    assert world.psa.calls == ["list_billing_statuses"]


def test_the_policy_is_changed(
    world: World, partner: Caller, connection: Connection, path: str
) -> None:
    wanted = {"when": "initiated", "paid_status_id": PAID.source_id, "reverse_on": ["returned"]}

    answer = partner.patch(path, {"write_back": wanted})

    assert (answer.status, answer.json["write_back"]) == (200, wanted)
    assert policy_of(world, connection).when is WriteBackWhen.INITIATED
    assert partner.get(path).json["write_back"] == wanted


def test_what_is_left_out_stays(world: World, partner: Caller, path: str) -> None:
    partner.patch(path, {"write_back": {"paid_status_id": 4, "reverse_on": []}})
    world.psa.calls.clear()

    changed = partner.patch(path, {"write_back": {"when": "initiated"}}).json["write_back"]
    same = partner.patch(path, {"write_back": {}}).json["write_back"]

    assert changed == same == {"when": "initiated", "paid_status_id": 4, "reverse_on": []}
    assert world.psa.calls == []


def test_null_leaves_statuses_alone_again(partner: Caller, path: str) -> None:
    partner.patch(path, {"write_back": {"paid_status_id": 4}})

    answer = partner.patch(path, {"write_back": {"paid_status_id": None}})

    assert answer.json["write_back"]["paid_status_id"] is None


def test_a_status_that_the_tenant_does_not_have_is_refused(
    world: World, partner: Caller, connection: Connection, path: str
) -> None:
    answer = partner.patch(
        path, {"name": "New", "write_back": {"when": "initiated", "paid_status_id": 99}}
    )

    assert (answer.status, answer.problem) == (422, "invalid_input")
    assert answer.json["errors"][0]["field"] == "write_back.paid_status_id"
    assert policy_of(world, connection) == WriteBackPolicy()
    assert world.stored_connection(connection.connection_id).name == "acme"


@pytest.mark.parametrize(
    "patch",
    [
        {"when": "never"},
        {"paid_status_id": "4"},
        {"paid_status_id": 4.0},
        {"paid_status_id": True},
        {"paid_status_id": 0},
        {"reverse_on": ["settled"]},
        {"reverse_on": ["failed"]},
        {"reverse_on": "returned"},
        {"reverse_on": ["returned"] * 5},
        {"owner": "me"},
        7,
    ],
)
def test_nonsense_is_refused(
    world: World, partner: Caller, connection: Connection, path: str, patch: Any
) -> None:
    answer = partner.patch(path, {"write_back": patch})

    assert (answer.status, answer.problem) == (422, "invalid_input")
    assert policy_of(world, connection) == WriteBackPolicy()


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (UnavailableError("x"), 503),
        (CredentialsRejectedError("x"), 422),
        (PermissionMissingError("x"), 422),
    ],
)
def test_a_status_is_not_taken_unseen(
    world: World,
    partner: Caller,
    connection: Connection,
    path: str,
    *,
    failure: Any,
    status: int,
) -> None:
    world.psa.failures["list_billing_statuses"] = failure

    answers = [
        partner.patch(path, {"write_back": {"paid_status_id": 4}}),
        partner.get(f"{path}/billing-statuses"),
    ]

    assert [answer.status for answer in answers] == [status, status]
    assert policy_of(world, connection) == WriteBackPolicy()


def test_a_disconnected_connection_can_change_all_but_its_status(
    world: World, partner: Caller
) -> None:
    connection = world.connection(state=ConnectionState.DISCONNECTED)
    path = f"/v1/connections/{connection.connection_id}"

    changed = partner.patch(path, {"write_back": {"when": "initiated"}})
    refused = [
        partner.patch(path, {"write_back": {"paid_status_id": 4}}),
        partner.get(f"{path}/billing-statuses"),
    ]

    assert changed.json["write_back"]["when"] == "initiated"
    assert {(answer.status, answer.problem) for answer in refused} == {(409, "disconnected")}
    assert world.spy_gateway.calls == []
