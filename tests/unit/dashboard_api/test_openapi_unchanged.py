"""The refactored API promises exactly what it promised before, in other words.

``openapi_before.json`` is the whole document of the code before the refactoring. Texts for people
and the names of schemas and operations are put aside; everything that a client relies on must be
equal: paths, methods, parameters, bodies, answers, fields, limits and tokens.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.dashboard_api.world import World

BEFORE = json.loads(Path(__file__).with_name("openapi_before.json").read_text(encoding="utf-8"))

# Values below these keys are texts for people or names; keys of ``NAMED`` are names of their own.
TEXTS = {"description", "summary", "title", "operationId"}
NAMED = {"properties", "paths", "responses", "content", "headers", "securitySchemes"}
UNORDERED = {"required", "enum", "anyOf", "parameters", "tags"}


def promises(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document with its references resolved, and without texts and schemas' names."""
    components = {k: v for k, v in document["components"].items() if k != "schemas"}
    reduced = _reduced({**document, "components": components}, document)
    assert isinstance(reduced, dict)
    return reduced


def _reduced(node: Any, document: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_reduced(item, document) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        beside = {key: value for key, value in node.items() if key != "$ref"}
        return _reduced({**_named(node["$ref"], document), **beside}, document)
    return {key: _value(key, node[key], document) for key in node.keys() - TEXTS}


def _value(key: str, value: Any, document: dict[str, Any]) -> Any:
    if key in NAMED and isinstance(value, dict):
        return {name: _reduced(inner, document) for name, inner in value.items()}
    reduced = _reduced(value, document)
    if key in UNORDERED and isinstance(reduced, list):
        return sorted(reduced, key=lambda item: json.dumps(item, sort_keys=True))
    return reduced


def _named(reference: str, document: dict[str, Any]) -> dict[str, Any]:
    node: Any = document
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    assert isinstance(node, dict)
    return node


def differences(old: Any, new: Any, place: str = "") -> list[str]:
    """Return the places where two documents differ, so that a failure can be read."""
    if isinstance(old, dict) and isinstance(new, dict):
        lacking = [f"{place}/{key}: only one has it" for key in old.keys() ^ new.keys()]
        shared = old.keys() & new.keys()
        return lacking + [d for k in shared for d in differences(old[k], new[k], f"{place}/{k}")]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = enumerate(zip(old, new, strict=True))
        return [d for i, (a, b) in pairs for d in differences(a, b, f"{place}/{i}")]
    return [] if old == new else [f"{place}: {old!r} became {new!r}"]


def test_the_api_promises_what_it_did_before() -> None:
    today = World().caller(None).get("/openapi.json").json

    assert differences(promises(BEFORE), promises(today)) == []


def _schema(document: dict[str, Any], name: str) -> dict[str, Any]:
    schema = document["components"]["schemas"][name]
    assert isinstance(schema, dict)
    return schema


def _operation(document: dict[str, Any], method: str, path: str) -> dict[str, Any]:
    operation = document["paths"][path][method]
    assert isinstance(operation, dict)
    return operation


@pytest.mark.parametrize(
    "change",
    [
        lambda d: _schema(d, "CustomerInput")["properties"]["name"].update(maxLength=201),
        lambda d: _schema(d, "CustomerInput").update(additionalProperties=True),
        lambda d: _schema(d, "CustomerInput")["required"].append("email"),
        lambda d: _schema(d, "ProblemView")["properties"].pop("title"),
        lambda d: _schema(d, "LineItemView")["properties"].pop("description"),
        lambda d: _schema(d, "Origin")["enum"].append("elsewhere"),
        lambda d: _operation(d, "get", "/v1/invoices")["parameters"].pop(),
        lambda d: _operation(d, "get", "/v1/me")["responses"].pop("403"),
        lambda d: _operation(d, "post", "/v1/customers")["requestBody"].pop("required"),
        lambda d: _operation(d, "get", "/v1/me").update(security=[]),
        lambda d: d["paths"]["/v1/invoices"].pop("post"),
        lambda d: d.update(security=[]),
    ],
)
def test_it_would_notice_a_change(change: Callable[[dict[str, Any]], object]) -> None:
    changed = copy.deepcopy(BEFORE)
    change(changed)

    assert differences(promises(BEFORE), promises(changed))


def test_other_words_are_no_change() -> None:
    reworded = json.loads(json.dumps(BEFORE).replace("CustomerInput", "NewCustomer"))
    _schema(reworded, "NewCustomer")["description"] = "Another text."
    _operation(reworded, "get", "/v1/me").update(operationId="whoAmI", summary="Me")

    assert differences(promises(BEFORE), promises(reworded)) == []
