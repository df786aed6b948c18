"""The API keeps what it promised before: it may promise more, and in other words.

``openapi_before.json`` is the whole document of an earlier release. Texts for people and the names
of schemas and operations are put aside; everything that a client relies on must still be there:
paths, methods, parameters, bodies, answers, fields, limits and tokens. What may be added: paths,
methods, optional parameters and fields of a body, fields and statuses of an answer, values of an
enumeration, tags, and room within the limits of a body.
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
GROWING = {"required", "enum", "tags"}
LIMITS = {"maxItems", "maxLength", "maximum"}


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


def losses(old: Any, new: Any, place: tuple[str, ...] = ()) -> list[str]:
    """Return the places where a document lacks a promise, so that a failure can be read."""
    if isinstance(old, dict) and isinstance(new, dict):
        gone = [_named_place(place, key, "is gone") for key in old.keys() - new.keys()]
        added = set() if _may_gain_keys(place) else new.keys() - old.keys() - {"headers"}
        found = [*gone, *(_named_place(place, key, "is asked for now") for key in added)]
        for key in old.keys() & new.keys():
            found += losses(old[key], new[key], (*place, key))
        return found
    if isinstance(old, list) and isinstance(new, list):
        return _losses_of_list(old, new, place)
    if place[-1] in LIMITS and "requestBody" in place and new > old:
        return []
    return [] if old == new else [_named_place(place, "", f"{old!r} became {new!r}")]


def _losses_of_list(old: list[Any], new: list[Any], place: tuple[str, ...]) -> list[str]:
    if place[-1] == "parameters":
        return _losses_of_parameters(old, new, place)
    is_asked = place[-1] == "required" and "requestBody" in place
    if place[-1] in GROWING and not is_asked:
        return [_named_place(place, "", f"{each!r} is gone") for each in old if each not in new]
    if len(old) != len(new):
        return [_named_place(place, "", f"{old!r} became {new!r}")]
    pairs = enumerate(zip(old, new, strict=True))
    return [found for i, (a, b) in pairs for found in losses(a, b, (*place, str(i)))]


def _losses_of_parameters(
    old: list[dict[str, Any]], new: list[dict[str, Any]], place: tuple[str, ...]
) -> list[str]:
    before, today = (
        {(each["name"], each["in"]): each for each in each_list} for each_list in (old, new)
    )
    found = [
        _named_place(place, name, "is asked for now")
        for (name, where), each in today.items()
        if (name, where) not in before and each.get("required")
    ]
    for (name, where), each in before.items():
        found += losses(each, today.get((name, where), {}), (*place, name))
    return found


def _may_gain_keys(place: tuple[str, ...]) -> bool:
    """Tell whether a place holds names that may be added to, such as fields, paths and methods."""
    is_path = len(place) > 1 and place[-2] == "paths"
    return is_path or (bool(place) and place[-1] in NAMED)


def _named_place(place: tuple[str, ...], key: str, what: str) -> str:
    return f"{'/'.join((*place, key))}: {what}"


def test_the_api_promises_what_it_did_before() -> None:
    today = World().caller(None).get("/openapi.json").json

    assert losses(promises(BEFORE), promises(today)) == []


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
        lambda d: _schema(d, "CustomerInput")["properties"]["name"].update(maxLength=199),
        lambda d: _schema(d, "CustomerInput").update(additionalProperties=True),
        lambda d: _schema(d, "CustomerInput")["required"].append("email"),
        lambda d: _schema(d, "ProblemView")["properties"].pop("title"),
        lambda d: _schema(d, "LineItemView")["properties"].pop("description"),
        lambda d: _schema(d, "LineItemView")["properties"]["quantity"]["anyOf"].pop(),
        lambda d: _schema(d, "LineItemView")["required"].remove("description"),
        lambda d: _schema(d, "Origin")["enum"].remove("platform"),
        lambda d: _operation(d, "get", "/v1/invoices")["parameters"].pop(),
        lambda d: _operation(d, "get", "/v1/invoices")["parameters"].append(
            {"name": "new", "in": "query", "required": True, "schema": {"type": "string"}}
        ),
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

    assert losses(promises(BEFORE), promises(changed))


@pytest.mark.parametrize(
    "change",
    [
        lambda d: _schema(d, "CustomerInput")["properties"]["name"].update(maxLength=201),
        lambda d: _schema(d, "CustomerInput")["properties"].update(note={"type": "string"}),
        lambda d: _schema(d, "ProblemView")["properties"].update(note={"type": "string"}),
        lambda d: _schema(d, "ProblemView")["required"].append("note"),
        lambda d: _schema(d, "Origin")["enum"].append("elsewhere"),
        lambda d: _operation(d, "get", "/v1/invoices")["parameters"].append(
            {"name": "new", "in": "query", "schema": {"type": "string"}}
        ),
        lambda d: d["paths"]["/v1/invoices"].update(put={"responses": {}}),
        lambda d: d["paths"].update({"/v1/new": {}}),
        lambda d: d["tags"].append({"name": "new"}),
    ],
)
def test_an_addition_takes_nothing_away(change: Callable[[dict[str, Any]], object]) -> None:
    changed = copy.deepcopy(BEFORE)
    change(changed)

    assert losses(promises(BEFORE), promises(changed)) == []


def test_other_words_are_no_change() -> None:
    reworded = json.loads(json.dumps(BEFORE).replace("CustomerInput", "NewCustomer"))
    _schema(reworded, "NewCustomer")["description"] = "Another text."
    _operation(reworded, "get", "/v1/me").update(operationId="whoAmI", summary="Me")

    assert losses(promises(BEFORE), promises(reworded)) == []
