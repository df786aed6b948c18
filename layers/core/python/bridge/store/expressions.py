"""The store writes DynamoDB's expressions with plain names, which this module substitutes.

``#name`` stands for an attribute, ``#data.number`` for one inside a map, and ``:name`` for a
value. Every name is substituted, even those that DynamoDB reserves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge.store.attributes import Plain, to_attribute

_NAME = re.compile(r"#([a-z0-9_.]+)")


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition is true or false for an item."""

    expression: str
    values: Mapping[str, Plain] = field(default_factory=dict)
    """The values that the expression names."""


IS_NEW = Condition("attribute_not_exists(#pk)")


def version_is(expected_version: int) -> Condition:
    """Return the condition that the stored version is this one; version 0 is an absent item."""
    if expected_version == 0:
        return IS_NEW
    return Condition("#version = :expected_version", {"expected_version": expected_version})


def all_equal(expected: Mapping[str, Plain]) -> Condition | None:
    """Return the condition that each attribute, by its path, has its value; None for no values."""
    if not expected:
        return None
    named = {path.replace(".", "_"): (path, value) for path, value in expected.items()}
    return Condition(
        " AND ".join(f"#{path} = :{name}" for name, (path, _) in named.items()),
        {name: value for name, (_, value) in named.items()},
    )


def parameters(texts: Mapping[str, str], values: Mapping[str, Plain]) -> dict[str, Any]:
    """Return the parameters of a request that has these expressions, by their parameter's name.

    Empty expressions are left out.
    """
    request: dict[str, Any] = {name: _substituted(text) for name, text in texts.items() if text}
    parts = {
        part for text in texts.values() for path in _NAME.findall(text) for part in path.split(".")
    }
    if parts:
        request["ExpressionAttributeNames"] = {f"#{part}": part for part in sorted(parts)}
    if values:
        request["ExpressionAttributeValues"] = {
            f":{name}": to_attribute(value) for name, value in values.items()
        }
    return request


def _substituted(text: str) -> str:
    return _NAME.sub(lambda match: "#" + match[1].replace(".", ".#"), text)
