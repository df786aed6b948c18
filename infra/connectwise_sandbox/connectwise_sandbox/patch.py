"""ConnectWise's PATCH: a bare array of {op, path, value} applied to one record.

Sources: ConnectWise developer guide for the operations; the clients of amp-labs and
mcp-connectwise-psa for the quirks that are named at the functions.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from copy import deepcopy
from typing import Literal, cast

MAX_OPERATIONS = 100
"""Operations in one PATCH."""

READ_ONLY_PROPERTIES = frozenset({"id", "_info"})

Operation = Literal["add", "replace", "remove"]
_OPERATIONS: frozenset[str] = frozenset({"add", "replace", "remove"})


class PatchError(ValueError):
    """A PATCH that ConnectWise would answer with 400.

    `code` and `message` are for the entry in `errors[]`, `field` is the path that it is about.
    """

    def __init__(self, code: str, field: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.field = field
        self.message = message


def apply_patch(
    record: Mapping[str, object],
    operations: object,
    *,
    properties: Collection[str] | None = None,
) -> dict[str, object]:
    """Return a new record with the operations applied in their order.

    `properties` are the names that the record's kind has; without them every name is accepted.
    Names are case-sensitive, a leading slash is allowed. References and arrays are replaced
    whole. What ConnectWise answers with success without doing it is not done here either: a
    change of a sub-path such as `status/id`, of `id` or `_info` (our reading), and clearing the
    custom fields with an empty array. null and remove both make a property absent.
    Raises PatchError if an operation is malformed or names no property of the record.
    """
    if not isinstance(operations, list):
        raise PatchError("InvalidObject", "", "A patch is an array of operations.")
    if len(operations) > MAX_OPERATIONS:
        raise PatchError("InvalidObject", "", f"A patch has at most {MAX_OPERATIONS} operations.")
    patched = dict(record)
    for each in operations:
        operation, path = _read_operation(each)
        name, slash, _ = path.partition("/")
        if properties is not None and name not in properties:
            raise PatchError("InvalidObject", path, f"{path} is not a property of this object.")
        if not slash and name not in READ_ONLY_PROPERTIES:
            _apply(patched, operation, name, each.get("value"))
    return patched


def _read_operation(operation: object) -> tuple[Operation, str]:
    if not isinstance(operation, Mapping):
        raise PatchError("InvalidObject", "", "An operation is an object with op, path and value.")
    name, path = operation.get("op"), operation.get("path")
    if not isinstance(name, str) or name not in _OPERATIONS:
        raise PatchError("InvalidField", "op", "The op is one of add, replace and remove.")
    if not isinstance(path, str) or not path.removeprefix("/"):
        raise PatchError("InvalidField", "path", "The path is the name of a property.")
    if name != "remove" and "value" not in operation:
        raise PatchError("MissingRequiredField", "value", "The value field is required.")
    return cast(Operation, name), path.removeprefix("/")


def _apply(record: dict[str, object], operation: Operation, name: str, value: object) -> None:
    if operation == "remove" or value is None:
        record.pop(name, None)
    elif not (name == "customFields" and value == []):
        record[name] = deepcopy(value)
