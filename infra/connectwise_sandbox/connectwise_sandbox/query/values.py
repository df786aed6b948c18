"""Queries read the values of wire records by path and by type."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import StrEnum

from connectwise_sandbox.query.errors import QueryError
from connectwise_sandbox.query.syntax import Path

Record = Mapping[str, object]
"""One entity as ConnectWise sends it: money is Decimal, dates are `2026-01-31T18:04:26Z`,
references are nested mappings, null properties are absent."""

_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


class ValueType(StrEnum):
    """A value type is the word by which error messages call a value's type."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    BOOLEAN = "boolean"
    OBJECT = "object"
    LIST = "list"


AUDIT_TYPES: Mapping[str, ValueType] = {
    "lastUpdated": ValueType.DATE,
    "dateEntered": ValueType.DATE,
    "updatedBy": ValueType.TEXT,
    "enteredBy": ValueType.TEXT,
}
"""Properties that queries name directly although records carry them inside `_info`
(ConnectWise developer guide; seen in the clients of amp-labs and django-connectwise)."""


def is_moment(text: str) -> bool:
    """Return whether a wire text has the shape of a date and time.

    Every text of exactly this shape counts as a date.
    """
    return _MOMENT.fullmatch(text) is not None


def type_of(value: object) -> ValueType:
    """Return the type of a wire value other than null."""
    match value:
        case bool():
            return ValueType.BOOLEAN
        case int() | float() | Decimal():
            return ValueType.NUMBER
        case str():
            return ValueType.DATE if is_moment(value) else ValueType.TEXT
        case Mapping():
            return ValueType.OBJECT
        case _:
            return ValueType.LIST


def compile_path(path: Path) -> Callable[[Record], object]:
    """Return a function that reads `path` from a record, None where a step is absent.

    The function raises QueryError where a step leads into a text, a number or a list.
    """
    first = path[0]
    if path == (first,):
        if first in AUDIT_TYPES:
            return lambda record: _audit_value(record, first)
        return lambda record: record.get(first)
    return lambda record: _walk(record, path)


def _audit_value(record: Record, name: str) -> object:
    value = record.get(name)
    if value is not None:
        return value
    info = record.get("_info")
    return info.get(name) if isinstance(info, Mapping) else None


def _walk(record: Record, path: Path) -> object:
    value: object = record
    for name in path:
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise QueryError(
                f"{'/'.join(path)}: {name} cannot be reached through a {type_of(value)}; "
                "members of lists are searched by childConditions."
            )
        value = value.get(name)
    return value
