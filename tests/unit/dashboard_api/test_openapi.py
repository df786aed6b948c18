"""The API's description of itself is valid, complete, and true of what the API answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from bridge.domain.problem import ProblemCode, ProblemReport
from bridge.domain.run import RunKind
from bridge.wiring import use_cases
from dashboard_api import openapi
from dashboard_api.app import DashboardApi
from dashboard_api.resource import JSON
from tests.unit.dashboard_api.payments import STEPS, payment_form, recorded
from tests.unit.dashboard_api.world import Answer, Caller, World

PROBLEM = "application/problem+json"
FORMS = {"401": [JSON], "403": [PROBLEM, JSON], "429": [PROBLEM, JSON]}
"""Where the gateway may answer before we are asked, or always does."""


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """Read without any token: the description holds nothing of a partner."""
    answer = World().caller(None).get("/openapi.json")
    assert answer.status == 200
    parsed: dict[str, Any] = answer.json
    return parsed


def test_it_is_valid(document: dict[str, Any]) -> None:
    validate(document)


def test_every_operation_is_named_tagged_and_says_how_it_fails(document: dict[str, Any]) -> None:
    tags = {tag["name"] for tag in document["tags"]}
    names = []
    for path, operation in _operations(document):
        names.append(operation["operationId"])
        assert set(operation["tags"]) <= tags
        assert operation["summary"]
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                assert list(answer["content"]) == FORMS.get(status, [PROBLEM]), path
        if path.startswith("/v1/"):
            assert {"401", "403", "500"} <= set(operation["responses"])
    assert len(set(names)) == len(names)


def test_every_operation_parameter_and_field_is_described(document: dict[str, Any]) -> None:
    bare = [path for path, operation in _operations(document) if not operation.get("description")]
    bare += [
        f"{path} {parameter['name']}"
        for path, operation in _operations(document)
        for parameter in operation.get("parameters", ())
        if not parameter.get("description")
    ]
    bare += [
        f"{name}.{field}"
        for name, schema in document["components"]["schemas"].items()
        for field, described in schema.get("properties", {}).items()
        if not described.get("description")
    ]

    assert bare == []


def test_headers_that_answers_have_are_declared(document: dict[str, Any]) -> None:
    paths = document["paths"]
    for _, operation in _operations(document):
        for status in {"429", "503"} & set(operation["responses"]):
            assert "Retry-After" in operation["responses"][status]["headers"]
    fetch = paths["/v1/connections/{connection_id}/fetches"]["post"]
    assert "Location" in fetch["responses"]["202"]["headers"]
    pdf = paths["/v1/invoices/{invoice_id}/pdf"]["get"]
    assert "Retry-After" in pdf["responses"]["202"]["headers"]


def test_its_server_is_where_it_is_served(document: dict[str, Any]) -> None:
    assert [server["url"] for server in document["servers"]] == ["./"]


def test_it_includes_the_routes_of_other_functions(document: dict[str, Any]) -> None:
    paths = document["paths"]

    assert paths["/v1/connections/{connection_id}/fetches"]["post"]["responses"]["202"]
    assert paths["/webhooks/connectwise/{connection_id}/{secret}"]["post"]["security"] == []


def test_every_v1_route_wants_a_token(document: dict[str, Any]) -> None:
    assert document["security"] == [{"partnerToken": []}]
    assert set(document["components"]["securitySchemes"]) == {"partnerToken", "serviceToken"}
    for path, operation in _operations(document):
        if path.startswith("/webhooks/"):
            assert operation["security"] == []
        elif path.startswith("/v1/connections/{connection_id}/payments/"):
            assert operation["security"] == [{"serviceToken": ["bridge/payments.write"]}]
        else:
            assert "security" not in operation


def test_amounts_are_described_as_integers(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    amounts = {
        (name, field): described
        for name, schema in schemas.items()
        for field, described in schema.get("properties", {}).items()
        if field.endswith("_minor")
    }

    assert len(amounts) > 4
    assert {described["type"] for described in amounts.values()} == {"integer"}
    assert not [name for name in schemas if '"type": "number"' in json.dumps(schemas[name])]


def test_limits_are_told(document: dict[str, Any]) -> None:
    parameters = {
        parameter["name"]: parameter["schema"]
        for parameter in document["paths"]["/v1/invoices"]["get"]["parameters"]
    }

    assert (parameters["limit"]["minimum"], parameters["limit"]["maximum"]) == (1, 200)
    assert parameters["due_from"]["format"] == "date"
    assert parameters["connection_id"]["pattern"] == "^[0-9a-f]{32}$"
    assert "null" not in str(parameters)


def test_secrets_are_write_only(document: dict[str, Any]) -> None:
    key = document["components"]["schemas"]["ConnectInput"]["properties"]["private_key"]

    assert (key["format"], key["writeOnly"], key["maxLength"]) == ("password", True, 128)


def test_nothing_unknown_is_accepted(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    inputs = [name for name in schemas if name.endswith(("Input", "Patch"))]

    assert len(inputs) > 8
    assert [n for n in inputs if schemas[n].get("additionalProperties") is not False] == []


def test_answers_are_as_described(document: dict[str, Any]) -> None:
    world = World()
    partner = world.partner()
    answers = [*_one_answer_each(world, partner), *_one_payment_answer_each()]
    for method, path, template, answer in answers:
        operation = document["paths"][template][method]
        described = operation["responses"][str(answer.status)]
        if answer.status == 204:
            continue
        media_type = answer.headers["Content-Type"]
        schema = {
            **described["content"][media_type]["schema"],
            "components": document["components"],
        }
        errors = list(Draft202012Validator(schema).iter_errors(answer.json))
        assert not errors, f"{method} {path}: {errors}"


def _one_answer_each(world: World, partner: Caller) -> list[tuple[str, str, str, Answer]]:
    connection = world.connection()
    customer = world.customer(connection, 1)
    invoice = world.invoice(connection, 7, payments=[31])
    run = use_cases.run_starter(world).start(connection, RunKind.SWEEP)
    trouble = ProblemReport(
        "partner-a", connection.connection_id, ProblemCode.RECORD_PARKED, "invoice/7", "d"
    )
    world.problems.report(trouble, world.clock.now())
    base = "/v1/connections/{connection_id}"
    ids = {
        "connection_id": connection.connection_id,
        "customer_id": customer.customer_id,
        "invoice_id": invoice.invoice_id,
        "payment_id": invoice.payments[0].payment_id,
        "run_id": run.run_id,
        "problem_id": trouble.problem_id,
    }
    keys = {"public_key": "p", "private_key": "k"}
    calls: list[tuple[str, str, Any]] = [
        ("get", "/v1/me", None),
        ("get", "/v1/connection-requirements", None),
        ("get", "/v1/connections", None),
        ("post", "/v1/connections", {"company_id": "new", **keys}),
        ("post", "/v1/connections", {"company_id": "new", **keys}),
        ("get", base, None),
        ("patch", base, {"name": "n"}),
        ("patch", base, {"write_back": {"paid_status_id": 4}}),
        ("get", f"{base}/billing-statuses", None),
        ("post", f"{base}/verify", None),
        ("post", f"{base}/rotate-callback-secret", None),
        ("put", f"{base}/filters", {"invoices": {"types": ["Standard"]}}),
        ("post", f"{base}/filters/preview", {"invoices": {"types": ["Agreement"]}}),
        ("post", f"{base}/filters/archive-left", None),
        ("post", f"{base}/filters/undo-archive", {"undo_id": "20260302T090000000000Z"}),
        ("get", "/v1/customers", None),
        ("get", "/v1/customers/{customer_id}", None),
        ("post", "/v1/customers", {"name": "n"}),
        ("post", "/v1/customers", {}),
        ("patch", "/v1/customers/{customer_id}", {"name": "n"}),
        ("get", "/v1/invoices", None),
        ("get", "/v1/invoices/{invoice_id}", None),
        ("get", "/v1/invoices/{invoice_id}/pdf", None),
        ("get", "/v1/invoices/{invoice_id}/payments/{payment_id}", None),
        ("get", "/v1/payments", None),
        ("get", f"{base}/runs", None),
        ("get", f"{base}/runs/{{run_id}}", None),
        ("post", f"{base}/runs/{{run_id}}/cancel", None),
        ("get", "/v1/problems", None),
        ("get", "/v1/problems/{problem_id}", None),
        ("post", "/v1/problems/{problem_id}/actions", {"action": "dismiss"}),
        ("delete", base, None),
    ]
    return [
        (
            method,
            template.format(**ids),
            template,
            partner.send(method.upper(), template.format(**ids), body),
        )
        for method, template, body in calls
    ]


def _one_payment_answer_each() -> list[tuple[str, str, str, Answer]]:
    """Payments of the platform, as its services and as partner users meet them."""
    world = World()
    connection = world.connection()
    invoice = world.invoice(connection, 7)
    recorded(world, connection, invoice, "pay-0")
    base = "/v1/connections/{connection_id}/payments/{payment_id}"
    form = payment_form(invoice, state="pending")
    calls: list[tuple[Caller, str, str, Any]] = [
        *((world.service(), "put", base, body) for body in (form, form, {**form, "method": "x"})),
        (world.service(), "put", base, {}),
        (world.service(), "get", base, None),
        *((world.service(), "post", f"{base}/{step}", {"reason": "r"}) for step in STEPS),
        (world.partner(), "put", base, form),
        (world.partner(), "get", "/v1/platform-payments", None),
        (world.partner(), "get", "/v1/platform-payments/{payment_id}", None),
        (world.service(), "get", "/v1/platform-payments", None),
    ]
    ids = {"connection_id": connection.connection_id, "payment_id": "pay-1"}
    return [
        (
            method,
            template.format(**ids),
            template,
            caller.send(method.upper(), template.format(**ids), body),
        )
        for caller, method, template, body in calls
    ]


def _operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (path, operation) for path, item in document["paths"].items() for operation in item.values()
    ]


# --- how it is served --------------------------------------------------------------------------


def test_it_is_built_once_however_often_it_is_asked_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    builds = 0
    build = openapi.openapi_document

    def counted(app: DashboardApi) -> str:
        nonlocal builds
        builds += 1
        return build(app)

    monkeypatch.setattr(openapi, "openapi_document", counted)
    texts = {world.caller(None).get("/openapi.json").text for _ in range(20)}

    assert (builds, len(texts)) == (1, 1)


def test_it_may_be_kept_for_minutes_and_is_not_sent_again_to_who_has_it(world: World) -> None:
    anybody = world.caller(None)
    answer = anybody.get("/openapi.json")
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    tag = answer.headers["ETag"]

    same = anybody.send("GET", "/openapi.json", headers={"If-None-Match": tag})
    assert (same.status, same.text, same.headers["ETag"]) == (304, "", tag)

    other = anybody.send("GET", "/openapi.json", headers={"If-None-Match": '"of another release"'})
    assert (other.status, other.text) == (200, answer.text)
