"""Customers: mirrored ones are read, platform-only ones are also written."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.domain.customer import Archive, ArchiveReason, NamedRef
from bridge.domain.errors import ConflictError
from tests.unit.dashboard_api.world import Caller, World

FULL = {
    "name": "Bäckerei Süß",
    "email": "office@example.test",
    "phone": "+49 30 1",
    "account_number": "K-1",
    "address": {
        "line_1": "Weg 1",
        "line_2": "",
        "city": "Berlin",
        "state": "",
        "zip": "10115",
        "country": "DE",
    },
}


def test_a_created_customer_is_shown_as_it_was_sent(partner: Caller) -> None:
    created = partner.post("/v1/customers", FULL)

    assert created.status == 201
    body = partner.get(f"/v1/customers/{created.json['id']}").json
    assert body == created.json
    assert {key: body[key] for key in FULL} == FULL
    assert (body["origin"], body["connection_id"], body["archive"]) == ("platform", None, None)


def test_a_customer_shows_every_address_of_its_invoices(world: World, partner: Caller) -> None:
    customer = world.customer(
        world.connection(),
        1,
        email="a@x.example",
        further_emails=("b@x.example",),
        cc_emails=("c@x.example",),
    )

    body = partner.get(f"/v1/customers/{customer.customer_id}").json

    assert (body["email"], body["emails"]) == ("a@x.example", ["a@x.example", "b@x.example"])
    assert body["cc_emails"] == ["c@x.example"]


def test_a_name_is_enough(partner: Caller) -> None:
    body = partner.post("/v1/customers", {"name": "Acme"}).json

    assert (body["email"], body["emails"], body["phone"]) == (None, [], None)


def test_a_patch_changes_what_is_sent_and_null_clears(partner: Caller) -> None:
    customer_id = partner.post("/v1/customers", FULL).json["id"]

    body = partner.patch(f"/v1/customers/{customer_id}", {"name": "New", "email": None}).json

    assert (body["name"], body["email"], body["phone"]) == ("New", None, "+49 30 1")


def test_an_archived_customer_leaves_the_list_and_cannot_be_changed(
    world: World, partner: Caller
) -> None:
    customer_id = partner.post("/v1/customers", FULL).json["id"]

    statuses = [partner.delete(f"/v1/customers/{customer_id}").status for _ in range(2)]

    assert statuses == [204, 204]
    assert partner.get("/v1/customers").json["items"] == []
    [archived] = partner.get("/v1/customers", archived="true").json["items"]
    assert archived["archive"] == {"reason": "by_person", "at": "2026-03-02T09:00:00Z"}
    refused = partner.patch(f"/v1/customers/{customer_id}", {"name": "Again"})
    assert (refused.status, refused.problem) == (409, "archived_record")


def test_a_mirrored_customer_follows_connectwise_alone(world: World, partner: Caller) -> None:
    customer = world.customer(world.connection(), 1, types=(NamedRef(2, "Client"),))
    path = f"/v1/customers/{customer.customer_id}"
    assert partner.get(path).json["types"] == [{"id": 2, "name": "Client"}]

    answers = [partner.patch(path, {"name": "Mine"}), partner.delete(path)]

    assert {(answer.status, answer.problem) for answer in answers} == {(409, "mirrored_record")}
    assert partner.get(path).json["name"] == "Customer 1"


def test_the_list_pages_by_name(partner: Caller) -> None:
    for name in ("Delta", "alpha", "Charlie", "bravo", "echo"):
        partner.post("/v1/customers", {"name": name})

    names: list[str] = []
    query: dict[str, str] = {"limit": "2"}
    for _ in range(3):
        page = partner.get("/v1/customers", **query).json
        names += [item["name"] for item in page["items"]]
        query["cursor"] = page["next_cursor"] or ""
    assert names == ["alpha", "bravo", "Charlie", "Delta", "echo"]
    assert page["next_cursor"] is None


def test_the_list_narrows_by_name_and_connection(world: World, partner: Caller) -> None:
    connection = world.connection()
    world.customer(connection, 1, name="Acme")
    partner.post("/v1/customers", {"name": "ACME Labs"})
    partner.post("/v1/customers", {"name": "Zeta"})

    by_name = partner.get("/v1/customers", name="acme").json["items"]
    by_connection = partner.get("/v1/customers", connection_id=connection.connection_id).json

    assert [item["name"] for item in by_name] == ["Acme", "ACME Labs"]
    assert [item["name"] for item in by_connection["items"]] == ["Acme"]


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "201"},
        {"limit": "ten"},
        {"limit": "1_0"},
        {"limit": "10.0"},
        {"cursor": "nonsense"},
        {"archived": "yes"},
        {"connection_id": "x"},
        {"name": ""},
        {"nmae": "Acme"},
    ],
)
def test_a_query_that_cannot_be_meant_is_refused(partner: Caller, query: dict[str, str]) -> None:
    answer = partner.get("/v1/customers", **query)

    assert (answer.status, answer.problem) == (422, "invalid_input")
    assert [error["field"] for error in answer.json["errors"]] == list(query)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": " padded"},
        {"name": "two\nlines"},
        {"name": "x" * 201},
        {"name": "\ud800"},
        {"name": 7},
        {"name": "Acme", "email": "nobody"},
        {"name": "Acme", "email": "a@b c.de"},
        {"name": "Acme", "phone": "x" * 501},
        {"name": "Acme", "address": {"city": "Berlin", "planet": "Mars"}},
        {"name": "Acme", "origin": "connectwise"},
        {"name": "Acme", "partner_id": "partner-b"},
        {"name": "Acme", "connection_id": "0" * 32},
    ],
)
def test_a_customer_that_breaks_a_limit_is_refused(partner: Caller, body: dict[str, Any]) -> None:
    answer = partner.post("/v1/customers", body)

    assert (answer.status, answer.problem) == (422, "invalid_input")
    assert partner.get("/v1/customers").json["items"] == []


def test_a_change_made_by_two_at_once_keeps_both(
    world: World, partner: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer_id = partner.post("/v1/customers", FULL).json["id"]
    path = f"/v1/customers/{customer_id}"
    save = world.records.save
    raced: list[int] = []

    def race_once(*args: Any, **kwargs: Any) -> int:
        if not raced:
            raced.append(1)
            partner.patch(path, {"phone": "2"})
        return save(*args, **kwargs)

    monkeypatch.setattr(world.records, "save", race_once)
    answer = partner.patch(path, {"name": "New"})

    assert (answer.json["name"], answer.json["phone"]) == ("New", "2")


def test_a_customer_that_keeps_changing_is_a_conflict(
    world: World, partner: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer_id = partner.post("/v1/customers", FULL).json["id"]

    def moved(*_: Any, **__: Any) -> int:
        raise ConflictError("moved")

    monkeypatch.setattr(world.records, "save", moved)
    answers = [
        partner.patch(f"/v1/customers/{customer_id}", {"name": "New"}),
        partner.delete(f"/v1/customers/{customer_id}"),
    ]

    assert {(answer.status, answer.problem) for answer in answers} == {(409, "conflict")}


def test_why_a_mirrored_customer_was_archived_is_shown(world: World, partner: Caller) -> None:
    archive = Archive(ArchiveReason.DELETED_IN_CONNECTWISE, world.clock.now())
    customer = world.customer(world.connection(), 1, archive=archive)

    body = partner.get(f"/v1/customers/{customer.customer_id}").json

    assert body["archive"]["reason"] == "deleted_in_connectwise"
