"""What every request must be like, and who may send it."""

from __future__ import annotations

import base64
import json
import logging
from typing import Any

import pytest

from bridge.domain.errors import (
    BridgeError,
    InfrastructureError,
    SiteUnreachableError,
    ThrottledError,
    UnavailableError,
    UnreachedCause,
)
from bridge.ports import Measure
from dashboard_api.request_limits import MAX_BODY_BYTES, MAX_DEPTH
from tests.unit.dashboard_api.world import REQUEST_ID, Caller, World

SERVICE = {"token_use": "access", "scope": "bridge/payments.write", "sub": "client-1"}
CUSTOMERS = "/v1/customers"


@pytest.mark.parametrize(
    "claims",
    [
        None,
        {},
        SERVICE,
        SERVICE | {"custom:partner_id": "partner-a"},
        {"token_use": "id", "sub": "u"},
        {"token_use": "id", "custom:partner_id": ""},
        {"token_use": "id", "custom:partner_id": "a#b"},
        {"token_use": "id", "custom:partner_id": "x" * 65},
        {"token_use": "id", "custom:partner_id": ["partner-a"]},
    ],
)
@pytest.mark.parametrize("path", [CUSTOMERS, "/v1/me", "/v1/nowhere"])
def test_only_partner_users_are_let_in(
    world: World, claims: dict[str, Any] | None, path: str
) -> None:
    answer = world.caller(claims).get(path)

    assert (answer.status, answer.problem) == (403, "not_allowed")


PAYMENT = f"/v1/connections/{'0' * 32}/payments/pay-1"


@pytest.mark.parametrize(
    "claims",
    [
        None,
        {},
        {"token_use": "id", "custom:partner_id": "partner-a", "sub": "u"},
        {"token_use": "id", "custom:partner_id": "partner-a", "scope": "bridge/payments.write"},
        SERVICE | {"scope": ""},
        SERVICE | {"scope": "bridge/payments.read"},
        SERVICE | {"scope": "bridge/payments.write.not"},
        SERVICE | {"scope": "aws.cognito.signin.user.admin"},
        SERVICE | {"scope": ["bridge/payments.write"]},
        {"token_use": "access", "sub": "client-1"},
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", PAYMENT),
        ("GET", PAYMENT),
        ("POST", f"{PAYMENT}/settle"),
        ("POST", f"{PAYMENT}/nothing"),
        ("GET", PAYMENT.removesuffix("/pay-1")),
    ],
)
def test_only_services_with_the_scope_reach_payments(
    world: World, claims: dict[str, Any] | None, method: str, path: str
) -> None:
    answer = world.caller(claims).send(method, path, {"nonsense": 1})

    assert (answer.status, answer.problem) == (403, "not_allowed")


@pytest.mark.parametrize("scope", ["bridge/payments.write", "a/b bridge/payments.write c/d"])
def test_a_service_may_have_other_scopes_too(world: World, scope: str) -> None:
    answer = world.caller(SERVICE | {"scope": scope}).get(PAYMENT)

    assert (answer.status, answer.problem) == (404, "not_found")


def test_the_kind_of_caller_is_made_sure_of_where_payments_are_written(
    world: World, partner: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if a route were taken for one of partner users."""
    monkeypatch.setattr("dashboard_api.route_access.is_for_services", lambda _path: False)

    answer = partner.get(PAYMENT)

    assert (answer.status, answer.problem) == (403, "not_allowed")


def test_one_caller_is_not_taken_for_the_one_before(world: World) -> None:
    partner, service = world.partner(), world.service()

    statuses = [
        partner.get("/v1/me").status,
        service.get("/v1/me").status,
        service.get(PAYMENT).status,
        partner.get(PAYMENT).status,
        world.caller(None).get("/v1/me").status,
    ]

    assert statuses == [200, 403, 404, 403, 403]


def test_a_service_is_refused_before_its_body_is_looked_at(world: World) -> None:
    answer = world.caller(SERVICE).post("/v1/connections", {"nonsense": 1})

    assert (answer.status, answer.problem) == (403, "not_allowed")


def test_the_signed_in_user_is_who_the_token_says(partner: Caller) -> None:
    assert partner.get("/v1/me").json == {"partner_id": "partner-a", "user_id": "user-partner-a"}


def test_what_connecting_takes_is_known_before_connecting(partner: Caller) -> None:
    body = partner.get("/v1/connection-requirements").json

    assert {"module": "Finance", "row": "Invoicing", "column": "Inquire"} in body["rights"]
    assert body["egress_addresses"] == ["192.0.2.10"]


def test_an_unknown_path_is_said_to_be_one(partner: Caller) -> None:
    answer = partner.get("/v1/nowhere", some="query")

    assert (answer.status, answer.problem) == (404, "no_such_route")


def test_a_wrong_method_names_the_right_ones(partner: Caller) -> None:
    answer = partner.put("/v1/invoices/" + "0" * 32, {})

    assert (answer.status, answer.problem) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == "DELETE, GET, PATCH"


def test_a_problem_document_has_all_members(partner: Caller) -> None:
    answer = partner.get("/v1/invoices/" + "0" * 32)

    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json == {
        "type": "urn:bridge:problem:not_found",
        "title": "Not found",
        "status": 404,
        "detail": "There is no such record.",
        "instance": f"urn:bridge:request:{REQUEST_ID}",
    }


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "nothing",
        '{"name": NaN}',
        '{"name": "a", "name": "b"}',
        '{"name": "a"} {}',
        "[" * 100_000,
        '{"n": ' + "1" * 5000 + "}",
    ],
    ids=["open", "word", "nan", "twice", "tail", "brackets", "huge-number"],
)
def test_a_body_that_is_not_json_is_refused(partner: Caller, text: str) -> None:
    answer = partner.send("POST", CUSTOMERS, text=text)

    assert (answer.status, answer.problem) == (400, "malformed_json")


@pytest.mark.parametrize("text", ["[]", '[{"name": "Acme"}]', '"Acme"', "7", "null"])
def test_a_body_must_be_an_object(partner: Caller, text: str) -> None:
    answer = partner.send("POST", CUSTOMERS, text=text)

    assert (answer.status, answer.problem) == (422, "invalid_input")
    assert partner.get(CUSTOMERS).json["items"] == []


def test_a_missing_body_is_refused(partner: Caller) -> None:
    answer = partner.send("POST", CUSTOMERS)

    assert (answer.status, answer.problem) == (422, "invalid_input")


def test_a_body_nested_too_deeply_is_refused(partner: Caller) -> None:
    text = '{"a":' * MAX_DEPTH + "{}" + "}" * MAX_DEPTH

    answer = partner.send("POST", CUSTOMERS, text=text)

    assert (answer.status, answer.problem) == (400, "too_deep")


@pytest.mark.parametrize("is_base64", [False, True])
def test_a_body_that_is_too_large_is_refused(partner: Caller, *, is_base64: bool) -> None:
    text = json.dumps({"name": "x" * MAX_BODY_BYTES})
    if is_base64:
        text = base64.b64encode(text.encode()).decode()

    answer = partner.send("POST", CUSTOMERS, text=text, isBase64Encoded=is_base64)

    assert (answer.status, answer.problem) == (413, "body_too_large")


def test_size_is_counted_in_bytes(partner: Caller) -> None:
    text = json.dumps({"name": "ü" * (MAX_BODY_BYTES // 2)}, ensure_ascii=False)

    answer = partner.send("POST", CUSTOMERS, text=text)

    assert (answer.status, answer.problem) == (413, "body_too_large")


def test_a_base64_body_is_read(partner: Caller) -> None:
    text = base64.b64encode(b'{"name": "Acme"}').decode()

    assert partner.send("POST", CUSTOMERS, text=text, isBase64Encoded=True).status == 201


@pytest.mark.parametrize("content", [b"\xff\xfe{}", b'{"name": "\xe9"}'])
def test_a_body_that_is_not_utf8_is_refused(partner: Caller, content: bytes) -> None:
    text = base64.b64encode(content).decode()

    answer = partner.send("POST", CUSTOMERS, text=text, isBase64Encoded=True)

    assert (answer.status, answer.problem) == (400, "malformed_json")


@pytest.mark.parametrize(
    "media_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/a"]
)
def test_only_json_is_understood(partner: Caller, media_type: str) -> None:
    answer = partner.send("POST", CUSTOMERS, text="name=Acme", headers={"Content-Type": media_type})

    assert (answer.status, answer.problem) == (415, "unsupported_media_type")


def test_a_charset_beside_the_media_type_is_fine(partner: Caller) -> None:
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}

    assert partner.send("POST", CUSTOMERS, {"name": "Acme"}, headers=headers).status == 201


def test_a_query_that_is_too_long_is_refused(partner: Caller) -> None:
    answer = partner.get(CUSTOMERS, name="x" * 9000)

    assert (answer.status, answer.problem) == (414, "query_too_long")


def test_nothing_is_stored_by_caches(partner: Caller) -> None:
    answers = [partner.get("/v1/me"), partner.get("/v1/nowhere"), partner.post(CUSTOMERS, {})]

    assert {answer.headers["Cache-Control"] for answer in answers} == {"no-store"}


def test_a_failure_nobody_thought_of_tells_nothing(
    world: World,
    partner: Caller,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def explode(*_: object, **__: object) -> None:
        raise RuntimeError("canary-in-a-message")

    monkeypatch.setattr(world.records, "list_customers", explode)
    with caplog.at_level(logging.DEBUG):
        answer = partner.get(CUSTOMERS, name="canary-in-a-query")

    assert (answer.status, answer.problem) == (500, "internal")
    assert "canary" not in answer.text + caplog.text
    assert "RuntimeError" in caplog.text
    assert len(world.metrics.of(Measure.API_FAULT)) == 1


@pytest.mark.parametrize(
    ("failure", "faults"),
    [
        (InfrastructureError("DynamoDB did not answer"), 1),
        (UnavailableError("ConnectWise fails"), 0),
        (SiteUnreachableError(UnreachedCause.NO_ANSWER, "https://na.psa.test"), 0),
        (ThrottledError("too fast"), 0),
    ],
)
def test_somebody_is_woken_for_our_faults_alone(
    world: World,
    partner: Caller,
    monkeypatch: pytest.MonkeyPatch,
    failure: BridgeError,
    faults: int,
) -> None:
    """A partner's own server that fails is his matter, though we answer with a server error."""

    def fail(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr(world.records, "list_customers", fail)
    assert partner.get(CUSTOMERS).status in (429, 503)
    assert len(world.metrics.of(Measure.API_FAULT)) == faults


def test_the_stage_name_is_no_part_of_the_path(world: World) -> None:
    claims = {"token_use": "id", "custom:partner_id": "partner-a", "sub": "u"}
    context = {
        "stage": "local",
        "requestId": REQUEST_ID,
        "http": {"method": "GET", "path": "/local/v1/me"},
        "authorizer": {"jwt": {"claims": claims}},
    }

    answer = world.caller(claims).send(
        "GET", "/local/v1/me", rawPath="/local/v1/me", requestContext=context
    )

    assert answer.status == 200


def test_every_answer_forbids_browsers_to_guess_its_type_and_to_come_without_tls(
    world: World, partner: Caller
) -> None:
    answers = [
        partner.get("/v1/me"),
        partner.get("/v1/nothing"),
        partner.delete(f"/v1/connections/{world.connection().connection_id}"),
        world.caller(None).get("/v1/me"),
        world.caller(None).get("/openapi.json"),
    ]
    assert [answer.status for answer in answers] == [200, 404, 204, 403, 200]
    for answer in answers:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
