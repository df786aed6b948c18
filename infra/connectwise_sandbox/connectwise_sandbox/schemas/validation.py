"""Validation checks a body as ConnectWise does, and complains in its words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from connectwise_sandbox.schemas.models import MODELS

MAX_ERRORS = 50
"""Complaints about one body."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """A field error is one entry of `errors[]` in ConnectWise's error body."""

    code: str
    """MissingRequiredField, MaxLengthField, InvalidField or, for a bad body, InvalidObject."""
    message: str
    resource: str
    """The name of the kind."""
    field: str
    """The property by its wire name, with slashes into references and arrays."""


def validate_new(kind: str, body: object) -> list[FieldError]:
    """Return ConnectWise's complaints about a new record, an empty list for a good one.

    `kind` is a key of MODELS; `body` is decoded JSON, its fractions parsed as Decimal. null counts
    as absent, and so does a blank text in a required field (our reading of the recorded message,
    which is the one of .NET's Required attribute). Raises KeyError for an unknown kind.
    """
    model = MODELS[kind]
    if not isinstance(body, Mapping):
        return [FieldError("InvalidObject", "The body must be one object.", kind, "")]
    required = _required_names(kind)
    filled = {name: value for name, value in body.items() if not _is_empty(name, value, required)}
    try:
        model.model_validate(filled, by_alias=True, by_name=False)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        return [
            _field_error(kind, each["type"], each["loc"], each["msg"], each.get("ctx", {}))
            for each in details[:MAX_ERRORS]
        ]
    return []


@lru_cache
def property_names(kind: str) -> frozenset[str]:
    """Return the wire names of a kind's properties; raise KeyError for an unknown kind."""
    fields = MODELS[kind].model_fields
    return frozenset(field.alias or name for name, field in fields.items())


@lru_cache
def _required_names(kind: str) -> frozenset[str]:
    fields = MODELS[kind].model_fields
    return frozenset(field.alias or name for name, field in fields.items() if field.is_required())


def _is_empty(name: object, value: object, required: frozenset[str]) -> bool:
    blank = isinstance(value, str) and not value.strip()
    return value is None or (blank and name in required)


def _field_error(
    kind: str,
    complaint: str,
    location: tuple[int | str, ...],
    explanation: str,
    context: Mapping[str, Any],
) -> FieldError:
    """Return one of pydantic's complaints in ConnectWise's words."""
    steps = [str(step) for step in location]
    field, name = "/".join(steps), steps[-1]
    match complaint:
        case "missing":
            return FieldError("MissingRequiredField", f"The {name} field is required.", kind, field)
        case "string_too_long":
            limit = context["max_length"]
            message = f"The field {name} must be a string with a maximum length of {limit}."
            return FieldError("MaxLengthField", message, kind, field)
        case "extra_forbidden":
            return FieldError("InvalidField", f"There is no field {name}.", kind, field)
        case _:
            message = f"The value of the field {name} is not valid. {explanation}"
            return FieldError("InvalidField", message, kind, field)
