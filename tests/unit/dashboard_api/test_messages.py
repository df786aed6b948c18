"""Whatever is wrong with an input, people read sentences, and never a library's own words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from dashboard_api.messages import PATTERN_SENTENCES
from tests.unit.dashboard_api.test_tenants import SERVED_ELSEWHERE, UNKNOWN
from tests.unit.dashboard_api.world import Answer, World

DOCUMENT: dict[str, Any] = World().caller(None).get("/openapi.json").json
LIBRARY = re.compile(
    r"Input should|String should|should (match|be|have)|validation|Value error|pattern|"
    r"datetime\.|after validation|type=|Field required|Extra inputs|<[A-Z]|\bparse",
)
SENTENCE = re.compile(r"[A-Z].*\.", re.DOTALL)
BAD_VALUES: tuple[Any, ...] = (
    None,
    True,
    1.5,
    -1,
    10**20,
    "",
    " ",
    "\x00\n",
    "x" * 5000,
    "9999-99-99",
    [],
    ["", None, -1, {}],
    [1] * 2000,
    {},
    {"unknown_field": 1},
)
BAD_TEXTS = ("", " ", "x" * 9000, "-", "1_0", "9999-99-99", "\x00", "10" * 20, "yes")


def operations() -> Iterator[Any]:
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            if path.startswith("/v1/") and operation["operationId"] not in SERVED_ELSEWHERE:
                yield pytest.param(method, path, operation, id=operation["operationId"])


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        return dict(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    return schema


def forms(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the schemas of objects that a body may be, or hold, with the fields of each."""
    schema = resolved(schema)
    if "properties" in schema:
        yield schema
    for part in (*schema.get("anyOf", ()), *schema.get("allOf", ())):
        yield from forms(part)


def bad_bodies(schema: dict[str, Any], depth: int = 0) -> Iterator[Any]:
    """Yield bodies that are wrong in one field each, and in fields of fields."""
    for form in forms(schema):
        yield {}
        yield {"unknown_field": 1}
        for name, field in form["properties"].items():
            yield from ({name: bad} for bad in BAD_VALUES)
            if depth < 3:
                items = resolved(field).get("items")
                inner = [*bad_bodies(field, depth + 1)]
                yield from ({name: each} for each in inner)
                yield from ({name: [each]} for each in bad_bodies(items or {}, depth + 1))


def messages(answer: Answer) -> list[str]:
    if answer.status < 400:
        return []
    found = answer.json
    told = [found["title"] + ".", found["detail"]]
    return [*told, *(each["message"] for each in found.get("errors", ()))]


@pytest.mark.parametrize(("method", "path", "operation"), [*operations()])
def test_people_read_sentences(method: str, path: str, operation: dict[str, Any]) -> None:
    # Given a route with all that it asks for
    world = World()
    is_for_services = "security" in operation
    caller = world.service() if is_for_services else world.partner()
    connection = world.connection()
    ids = {**vars(UNKNOWN), "connection_id": connection.connection_id, "kind": "invoices"}
    if is_for_services:
        ids["payment_id"] = "pay-1"
    place = re.sub(r"\{(\w+)\}", lambda match: str(ids[match[1]]), path)
    answers: list[Answer] = []
    # When it is sent one wrong thing after another
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "query":
            answers += [
                caller.send(method.upper(), place, query={parameter["name"]: bad})
                for bad in BAD_TEXTS
            ]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    seen = set()
    for bad in bad_bodies(body.get("schema", {})):
        text = json.dumps(bad)
        if text not in seen:
            seen.add(text)
            world.clock.advance(seconds=120)
            answers.append(caller.send(method.upper(), place, text=text))
    # Then every word of the refusals is for people
    told = {message for answer in answers for message in messages(answer)}
    assert {each for each in told if not SENTENCE.fullmatch(each)} == set()
    assert {each for each in told if LIBRARY.search(each)} == set()
    assert not [answer for answer in answers if answer.status >= 500]


def test_every_pattern_has_its_sentence() -> None:
    patterns = set(re.findall(r'"pattern": ("(?:[^"\\]|\\.)*")', json.dumps(DOCUMENT)))

    assert {json.loads(each) for each in patterns} <= set(PATTERN_SENTENCES)


@pytest.mark.parametrize("body", ['{"name": "\ufffd"}', '{"company_id": "a\ufffdb"}'])
def test_a_body_whose_bytes_were_replaced_is_refused(body: str) -> None:
    world = World()

    answer = world.partner().send("POST", "/v1/customers", text=body)

    assert (answer.status, answer.problem) == (400, "malformed_json")
