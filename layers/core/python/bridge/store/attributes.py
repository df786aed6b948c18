"""This module converts plain values to DynamoDB's attribute values and back.

An amount is a whole number of minor units, so a float is refused.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from bridge.domain.errors import MalformedRecordError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import UniversalAttributeValueTypeDef

# The values of an item; the codec has made texts of decimals, dates and enums.
Plain: TypeAlias = "bool | int | str | bytes | list[Plain] | dict[str, Plain] | None"
Item: TypeAlias = dict[str, Plain]

# Types that DynamoDB takes as they are, and its names for them.
_KINDS: Final[dict[type, str]] = {bool: "BOOL", bytes: "B", str: "S"}

MAX_ITEM_BYTES = 400 * 1024
_MAX_NUMBER_BYTES = 21
_NESTING_BYTES = 3


def to_attribute(value: Plain) -> UniversalAttributeValueTypeDef:
    """Return the value in DynamoDB's own form."""
    kind = _KINDS.get(type(value))
    if kind:
        return cast("UniversalAttributeValueTypeDef", {kind: value})
    match value:
        case None:
            return {"NULL": True}
        case int():
            return {"N": str(value)}
        case list():
            return {"L": [to_attribute(entry) for entry in value]}
        case dict():
            return {"M": from_item(value)}
    raise TypeError(f"{type(value).__name__} is not stored")


def from_attribute(attribute: Mapping[str, Any]) -> Plain:
    """Return the plain value; the reverse of :func:`to_attribute`."""
    ((kind, value),) = attribute.items()
    match kind:
        case "S" | "BOOL":
            return value  # type: ignore[no-any-return]  # DynamoDB's own tag tells the type
        case "N":
            return int(value)
        case "B":
            # Lambda hands stream records over as JSON, where bytes are base64.
            return base64.b64decode(value) if isinstance(value, str) else bytes(value)
        case "L":
            return [from_attribute(entry) for entry in value]
        case "M":
            return to_item(value)
        case "NULL":
            return None
        case _:
            raise MalformedRecordError(f"stored attribute of type {kind}")


def from_item(item: Mapping[str, Plain]) -> dict[str, UniversalAttributeValueTypeDef]:
    return {name: to_attribute(value) for name, value in item.items()}


def to_item(attributes: Mapping[str, Mapping[str, Any]]) -> Item:
    return {name: from_attribute(attribute) for name, attribute in attributes.items()}


def check_storable(item: Item) -> None:
    """Raise MalformedRecordError for an item that DynamoDB would refuse."""
    if size_bytes(item) > MAX_ITEM_BYTES:
        raise MalformedRecordError(
            f"it is too large, as the bridge keeps {MAX_ITEM_BYTES // 1024} KB of a record with "
            "its lines compressed; shorten its texts in ConnectWise, or divide it"
        )


def size_bytes(value: Plain) -> int:
    """Return the size of a value as DynamoDB documents it, rounded up where it is vague."""
    match value:
        case None | bool():
            return 1
        case int():
            return _MAX_NUMBER_BYTES
        case str():
            return _text_bytes(value)
        case bytes():
            return len(value)
        case list():
            return _NESTING_BYTES + sum(1 + size_bytes(entry) for entry in value)
        case dict():
            named = (1 + _text_bytes(name) + size_bytes(entry) for name, entry in value.items())
            return _NESTING_BYTES + sum(named)


def _text_bytes(text: str) -> int:
    try:
        return len(text.encode())
    except UnicodeEncodeError as error:
        raise MalformedRecordError("record holds half a character") from error
