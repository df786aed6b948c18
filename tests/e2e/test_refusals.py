"""Bad input through the front doors: a clear problem document, and nothing changes."""

import httpx
import pytest

from infra.local.demo.clients import BridgeApi
from infra.local.demo.scene import Scene
from infra.local.patience import PATIENCE_SECONDS
from infra.local.system import LocalSystem

PROBLEM = "application/problem+json"


def test_without_a_token_nothing_is_told(system: LocalSystem) -> None:
    answer = httpx.get(f"{system.api_url}/v1/invoices", timeout=PATIENCE_SECONDS)
    assert answer.status_code == 401


def test_a_service_token_is_not_a_partner(system: LocalSystem) -> None:
    bridge = BridgeApi(system.api_url, system.service_token())
    answer = bridge.answer("GET", "/v1/invoices")
    bridge.close()
    assert answer.status_code == 403


def test_anyone_may_read_the_description(system: LocalSystem) -> None:
    answer = httpx.get(f"{system.api_url}/openapi.json", timeout=PATIENCE_SECONDS)
    assert answer.status_code == 200
    assert answer.json()["openapi"].startswith("3.1")


def test_another_partners_ids_look_like_unknown_ones(scene: Scene, stranger: BridgeApi) -> None:
    invoice = next(scene.bridge.items("/v1/invoices"))
    unknown = f"{scene.connection_id}-1"
    theirs = stranger.answer("GET", f"/v1/invoices/{invoice['id']}")
    nobodys = stranger.answer("GET", f"/v1/invoices/{unknown}")
    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.headers["content-type"] == nobodys.headers["content-type"] == PROBLEM
    for answer in (theirs, nobodys):
        assert answer.json()["type"] == "urn:bridge:problem:not_found"
    assert list(stranger.items("/v1/invoices")) == []
    fetch = stranger.answer("POST", scene.connection_path("/fetches"), body={"kind": "fetch_new"})
    assert fetch.status_code == 404


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"private_key": "wrong"}, 422),
        ({"company_id": "nobody"}, 422),
        ({"site_url": "https://10.0.0.7"}, 422),
        ({"site_url": "https://169.254.169.254/latest"}, 422),
        ({"site_url": "http://intranet.example"}, 422),
        ({"surprise": 1}, 422),
    ],
)
def test_a_connection_that_cannot_work_is_refused_and_not_stored(
    system: LocalSystem, stranger: BridgeApi, change: dict[str, object], status: int
) -> None:
    access = system.sandbox
    body: dict[str, object] = {
        "company_id": access.company_id,
        "public_key": access.public_key,
        "private_key": access.private_key,
        "site_url": access.base_url,
    }
    answer = stranger.answer("POST", "/v1/connections", body=body | change)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    assert access.private_key not in answer.text
    assert stranger.get("/v1/connections")["items"] == []


def test_a_missing_right_is_named_as_the_role_screen_names_it(
    system: LocalSystem, scene: Scene, stranger: BridgeApi
) -> None:
    cell = {"module": "Procurement", "row": "Products", "action": "inquire", "level": "None"}
    scene.person.do("PATCH", "/permissions", **cell)
    access = system.sandbox
    try:
        answer = stranger.answer(
            "POST",
            "/v1/connections",
            body={
                "company_id": access.company_id,
                "public_key": access.public_key,
                "private_key": access.private_key,
                "site_url": access.base_url,
            },
        )
    finally:
        scene.person.do("DELETE", "/permissions")
    assert answer.status_code == 422
    assert "Procurement > Products: Inquire" in answer.text
