"""ConnectWise's PATCH applies a bare array of {op, path, value} to one record.

The operations follow the ConnectWise developer guide, the quirks the clients of amp-labs and
mcp-connectwise-psa.
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
    """A patch error says why ConnectWise would answer a PATCH with 400.

    Its `code`, `field` (the path of the operation) and `message` make an entry of `errors[]`.
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

    `properties` are the names that the record's kind has; None accepts every name. Names are
    case-sensitive and may begin with a slash. References and arrays are replaced whole; null and
    remove both make a property absent. As in ConnectWise, three operations succeed and change
    nothing: on a sub-path such as `status/id`, on `id` or `_info` (our reading), and an empty
    array for the custom fields. Raises PatchError for a malformed operation or an unknown name.
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
