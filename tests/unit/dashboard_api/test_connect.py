"""Connecting: what is proven before, what is stored after, and every refusal."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest

from bridge.connections.connect import MAX_CONNECTIONS_OF_PARTNER
from bridge.domain.connection import SET_UP_LEASE, ConnectionState
from bridge.domain.errors import (
    BridgeError,
    CredentialsRejectedError,
    SiteUnreachableError,
    ThrottledError,
    UnavailableError,
    UnreachedCause,
    UnsafeAddressError,
    WrongCompanyError,
)
from bridge.domain.permissions import Column, Right
from bridge.domain.run import RunKind
from tests.unit.dashboard_api.world import (
    PRIVATE_KEY,
    PUBLIC_KEY,
    WEBHOOK_BASE_URL,
    Caller,
    SpyPsa,
    World,
)

FORM: dict[str, Any] = {
    "company_id": "acme",
    "public_key": PUBLIC_KEY,
    "private_key": PRIVATE_KEY,
}


def test_a_connected_company_is_importing(world: World, partner: Caller) -> None:
    answer = partner.post("/v1/connections", FORM | {"name": "Acme GmbH"})

    assert answer.status == 201
    body = answer.json
    assert body["state"] == "importing"
    assert body["name"] == "Acme GmbH"
    assert body["latest_run"]["kind"] == "import"
    assert body["callbacks"] == "registered"
    assert body["egress_addresses"] == ["192.0.2.10"]
    assert [message.run_id for message in world.run_queue.sent] == [body["latest_run"]["id"]]


def test_only_the_hash_of_the_callback_secret_is_kept_with_the_connection(
    world: World, partner: Caller
) -> None:
    connection_id = partner.post("/v1/connections", FORM).json["id"]

    credentials = world.vault.get_credentials(connection_id)
    secret = credentials.callback_secret
    stored = world.stored_connection(connection_id)
    assert len(secret) >= 22  # 128 bits in base64
    assert stored.callback_secret is not None
    assert stored.callback_secret.current_sha256 == hashlib.sha256(secret.encode()).hexdigest()
    assert stored.member_identifier == "AlternativeAgent"
    assert world.psa.callback_urls == [
        f"{WEBHOOK_BASE_URL}/webhooks/connectwise/{connection_id}/{secret}?recordId="
    ]
    assert (credentials.public_key, credentials.private_key) == (PUBLIC_KEY, PRIVATE_KEY)


def test_filters_of_the_form_are_saved(world: World, partner: Caller) -> None:
    filters = {"invoices": {"types": ["Agreement"], "minimum_balance": "25.00"}}

    answer = partner.post("/v1/connections", FORM | {"filters": filters})

    saved = answer.json["filters"]["invoices"]
    assert (saved["types"], saved["minimum_balance"]) == (["Agreement"], "25.00")


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (CredentialsRejectedError("401"), 422, "credentials_rejected"),
        (WrongCompanyError("404"), 422, "wrong_company"),
        (UnavailableError("timeout"), 503, "unavailable"),
        (ThrottledError("429", retry_after_seconds=12.2), 503, "connectwise_busy"),
    ],
)
def test_bad_credentials_store_nothing(
    world: World, partner: Caller, failure: BridgeError, status: int, code: str
) -> None:
    world.psa.failures["read_system_info"] = failure

    answer = partner.post("/v1/connections", FORM)

    assert (answer.status, answer.problem) == (status, code)
    _assert_nothing_happened(world, partner)


def test_a_busy_connectwise_says_when_to_try_again(world: World, partner: Caller) -> None:
    world.psa.failures["read_system_info"] = ThrottledError("429", retry_after_seconds=12.2)

    assert partner.post("/v1/connections", FORM).headers["Retry-After"] == "13"


def test_missing_rights_are_named_as_the_role_screen_names_them(
    world: World, partner: Caller
) -> None:
    world.psa.missing_rights = {
        Right("Finance", "Invoicing", Column.INQUIRE),
        Right("System", "Member Maintenance", Column.INQUIRE),
    }

    answer = partner.post("/v1/connections", FORM)

    assert (answer.status, answer.problem) == (422, "permission_missing")
    assert answer.json["missing_rights"] == [
        "Finance > Invoicing: Inquire",
        "System > Member Maintenance: Inquire",
    ]
    _assert_nothing_happened(world, partner)


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (UnsafeAddressError("private_address"), "unsafe_address"),
        (WrongCompanyError("no such company"), "wrong_company"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused(
    world: World, partner: Caller, failure: BridgeError, code: str
) -> None:
    world.spy_gateway.failure = failure

    answer = partner.post("/v1/connections", FORM | {"site_url": "https://10.0.0.1"})

    assert (answer.status, answer.problem) == (422, code)
    assert world.spy_gateway.tried == []
    _assert_nothing_happened(world, partner)


def test_the_same_company_cannot_be_connected_twice(world: World, partner: Caller) -> None:
    first = partner.post("/v1/connections", FORM).json["id"]

    answer = partner.post("/v1/connections", FORM | {"company_id": "ACME"})

    assert (answer.status, answer.problem) == (409, "already_connected")
    assert answer.json["conflicting_id"] == first
    assert len(partner.get("/v1/connections").json["items"]) == 1


def test_the_same_company_at_another_site_cannot_be_connected_either(
    world: World, partner: Caller
) -> None:
    first = partner.post("/v1/connections", FORM).json["id"]

    answer = partner.post("/v1/connections", FORM | {"site_url": "https://psa.acme.test"})

    assert (answer.status, answer.problem) == (409, "company_connected")
    assert answer.json["conflicting_id"] == first
    assert len(partner.get("/v1/connections").json["items"]) == 1


def test_the_same_name_at_another_site_is_another_company(world: World, partner: Caller) -> None:
    partner.post("/v1/connections", FORM)
    world.spy_gateway.others["https://psa.acme.test"] = SpyPsa()
    elsewhere = {"site_url": "https://psa.acme.test", "public_key": "another"}

    assert partner.post("/v1/connections", FORM | elsewhere).status == 201
    assert len(partner.get("/v1/connections").json["items"]) == 2


def test_another_partner_cannot_connect_the_same_company_and_learns_nothing(
    world: World, partner: Caller
) -> None:
    first = partner.post("/v1/connections", FORM).json["id"]

    answer = world.partner("partner-b").post("/v1/connections", FORM)

    assert (answer.status, answer.problem) == (409, "company_connected")
    assert "conflicting_id" not in answer.json
    assert first not in answer.text


def test_a_set_up_that_broke_off_is_taken_over_after_its_lease(
    world: World, partner: Caller
) -> None:
    # Given a connection that was stored and then left alone
    connection_id = partner.post("/v1/connections", FORM).json["id"]
    stored = world.connections.get(connection_id)
    assert stored.value is not None
    world.connections.save(
        stored.value.moved_to(ConnectionState.VERIFYING), expected_version=stored.version
    )

    # When somebody connects at once, and again after the lease
    at_once = partner.post("/v1/connections", FORM)
    world.clock.advance(seconds=SET_UP_LEASE / timedelta(seconds=1) + 1)
    later = partner.post("/v1/connections", FORM)

    assert (at_once.status, at_once.problem) == (409, "connecting")
    assert (later.status, later.json["id"]) == (201, connection_id)


def test_connecting_again_finds_the_records_that_were_kept(world: World, partner: Caller) -> None:
    connection_id = partner.post("/v1/connections", FORM).json["id"]
    world.invoice(world.stored_connection(connection_id), 7)
    partner.delete(f"/v1/connections/{connection_id}")

    answer = partner.post("/v1/connections", FORM)

    assert (answer.status, answer.json["id"]) == (201, connection_id)
    assert partner.get(f"/v1/invoices/{connection_id}-7").status == 200


def test_a_secret_that_cannot_be_kept_leaves_the_way_free(
    world: World, partner: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise UnavailableError("no vault")

    with monkeypatch.context() as broken:
        broken.setattr(world.vault, "put_credentials", fail)
        refused = partner.post("/v1/connections", FORM)

    assert (refused.status, refused.problem) == (503, "unavailable")
    assert partner.post("/v1/connections", FORM).status == 201


def test_callbacks_that_cannot_be_registered_are_a_problem_not_a_refusal(
    world: World, partner: Caller
) -> None:
    world.psa.failures["ensure_callbacks"] = UnavailableError("timeout")

    answer = partner.post("/v1/connections", FORM)

    assert answer.status == 201
    assert answer.json["callbacks"] == "broken"
    problems = partner.get("/v1/problems").json["items"]
    assert [(p["code"], p["actions"]) for p in problems] == [("callbacks_broken", ["verify"])]


def test_an_import_that_cannot_be_queued_can_be_retried(world: World, partner: Caller) -> None:
    world.run_queue.error = UnavailableError("no queue")
    answer = partner.post("/v1/connections", FORM)
    assert answer.status == 201
    assert answer.json["latest_run"] is None
    [problem] = partner.get("/v1/problems").json["items"]
    assert problem["code"] == "run_failed"

    world.run_queue.error = None
    retried = partner.post(f"/v1/problems/{problem['id']}/actions", {"action": "retry"})

    assert retried.json["state"] == "resolved"
    [run] = partner.get(f"/v1/connections/{answer.json['id']}/runs").json["items"]
    assert run["kind"] == RunKind.IMPORT


def test_an_import_lost_in_a_crash_is_started_by_verifying(world: World, partner: Caller) -> None:
    connection = world.connection(state=ConnectionState.IMPORTING)

    partner.post(f"/v1/connections/{connection.connection_id}/verify")

    [run] = partner.get(f"/v1/connections/{connection.connection_id}/runs").json["items"]
    assert run["kind"] == "import"


def test_a_partner_has_a_limited_number_of_connections(world: World, partner: Caller) -> None:
    for number in range(MAX_CONNECTIONS_OF_PARTNER):
        world.connection(company_id=f"company-{number}")

    answer = partner.post("/v1/connections", FORM)

    assert (answer.status, answer.problem) == (409, "too_many_connections")


@pytest.mark.parametrize(
    "changes",
    [
        {"company_id": ""},
        {"company_id": "a+b"},
        {"company_id": "x" * 65},
        {"public_key": ""},
        {"private_key": "k" * 129},
        {"private_key": "two words"},
        {"private_key": None},
        {"site_url": "https://a b"},
        {"filters": {"invoices": {"types": ["Surprise"]}}},
        {"filters": {"invoices": {"minimum_balance": 25}}},
        {"filters": {"invoices": {"minimum_balance": "1e3"}}},
        {"filters": {"invoices": {"date_from": 1700000000}}},
        {"filters": {"customers": {"status_ids": list(range(1, 102))}}},
        {"filters": {"customers": {"status_ids": ["1"]}}},
        {"filters": {"customers": {"status_ids": [0]}}},
        {"partner_id": "partner-b"},
    ],
)
def test_a_form_that_breaks_a_limit_is_refused_before_anything_is_asked(
    world: World, partner: Caller, changes: dict[str, Any]
) -> None:
    answer = partner.post("/v1/connections", FORM | changes)

    assert (answer.status, answer.problem) == (422, "invalid_input")
    assert answer.json["errors"]
    assert world.spy_gateway.calls == []


def _assert_nothing_happened(world: World, partner: Caller) -> None:
    assert partner.get("/v1/connections").json == {"items": []}
    assert world.psa.callback_urls == []
    assert world.run_queue.sent == []
    assert partner.get("/v1/problems", state="all").json["items"] == []


def test_keys_are_proven_before_the_connection_is_claimed(world: World, partner: Caller) -> None:
    partner.post("/v1/connections", FORM)

    assert world.spy_gateway.calls[:2] == ["discover", "try_out"]
    assert world.psa.calls == [
        "read_system_info",
        "check_rights",
        "list_callback_urls",
        "ensure_callbacks",
        "list_callback_urls",
        "read_restrictions",
    ]


def test_connecting_again_with_the_four_fields_keeps_what_the_partner_set(
    world: World, partner: Caller
) -> None:
    # Given a connection with filters, a name and a way of writing payments
    filters = {"invoices": {"date_from": "2026-02-01", "minimum_balance": "25.00"}}
    form = FORM | {"site_url": "https://psa.acme.test"}
    first = partner.post("/v1/connections", form | {"filters": filters, "name": "Berlin"}).json
    path = f"/v1/connections/{first['id']}"
    partner.patch(path, {"write_back": {"reverse_on": []}})
    before = partner.get(path).json

    # When it is disconnected, and connected again with the form's four fields
    partner.delete(path)
    again = partner.post("/v1/connections", form)

    assert (again.status, again.json["id"]) == (201, first["id"])
    kept = ("filters", "name", "write_back")
    assert {key: again.json[key] for key in kept} == {key: before[key] for key in kept}


def test_connecting_again_takes_filters_and_name_that_were_sent(
    world: World, partner: Caller
) -> None:
    filters = {"invoices": {"types": ["Agreement"]}}
    first = partner.post("/v1/connections", FORM | {"filters": filters, "name": "Berlin"}).json
    partner.delete(f"/v1/connections/{first['id']}")

    again = partner.post("/v1/connections", FORM | {"filters": {}, "name": "Bonn"}).json

    assert (again["name"], again["filters"]["invoices"]["types"]) == ("Bonn", [])


def test_a_set_up_that_broke_off_keeps_what_was_set_too(world: World, partner: Caller) -> None:
    filters = {"invoices": {"types": ["Agreement"]}}
    first = partner.post("/v1/connections", FORM | {"filters": filters, "name": "Berlin"}).json
    stored = world.connections.get(first["id"])
    assert stored.value is not None
    world.connections.save(
        stored.value.moved_to(ConnectionState.VERIFYING), expected_version=stored.version
    )
    world.clock.advance(seconds=SET_UP_LEASE / timedelta(seconds=1) + 1)

    again = partner.post("/v1/connections", FORM).json

    assert (again["name"], again["filters"]["invoices"]["types"]) == ("Berlin", ["Agreement"])


@pytest.mark.parametrize(
    ("cause", "told"),
    [
        (UnreachedCause.HOST_UNKNOWN, "typing mistake"),
        (UnreachedCause.PORT_CLOSED, "Open its port 443 in the firewall for 192.0.2.10"),
        (UnreachedCause.NO_ANSWER, "firewall in front of it for 192.0.2.10"),
        (UnreachedCause.CERTIFICATE_INVALID, "certificate"),
        (UnreachedCause.NO_TLS, "https"),
        (UnreachedCause.FAILING, "error of its own"),
        (UnreachedCause.NOT_CONNECTWISE, "not as ConnectWise does"),
        (UnreachedCause.NO_CODEBASE, "codebase"),
    ],
)
def test_a_server_that_is_not_reached_is_told_with_what_to_do(
    world: World, partner: Caller, cause: UnreachedCause, told: str
) -> None:
    address = "https://connect.acme.test"
    world.spy_gateway.failure = SiteUnreachableError(cause, address)

    answer = partner.post("/v1/connections", FORM | {"site_url": address})

    assert (answer.status, answer.problem) == (503, cause.value)
    assert told in answer.json["detail"]
    assert address in answer.json["detail"]
    assert answer.json["address"] == address
    assert answer.json["egress_addresses"] == ["192.0.2.10"]


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("scheme", "https://"),
        ("port", "443"),
        ("address", "private or reserved address"),
        ("ip_literal", "host name"),
        ("something new", "public https address"),
    ],
)
def test_an_address_that_is_refused_says_why(
    world: World, partner: Caller, reason: str, told: str
) -> None:
    world.spy_gateway.failure = UnsafeAddressError(reason)

    answer = partner.post("/v1/connections", FORM | {"site_url": "https://connect.acme.test"})

    assert (answer.status, answer.problem, answer.json["reason"]) == (422, "unsafe_address", reason)
    assert told in answer.json["detail"]
