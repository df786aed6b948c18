"""All entities share these bases and types of fields.

Names, types, limits and choices are those of ConnectWise's published interface (2025.1). On the
wire a null property is left out, so every optional property may be absent.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, Strict
from pydantic.alias_generators import to_camel

_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


def _moment_from_wire(value: object) -> object:
    """Return a moment in UTC and whole seconds; refuse any other text (mcp-connectwise-psa)."""
    if isinstance(value, str) and not _MOMENT.fullmatch(value):
        raise ValueError("A date is written in UTC and whole seconds: 2026-01-31T18:04:26Z.")
    return value if isinstance(value, str | datetime) else None


def _moment_to_wire(value: datetime) -> str:
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def _number_from_wire(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError("A number is expected.")  # noqa: TRY004 - pydantic collects ValueErrors
    return value


Whole = Annotated[int, Strict(), Field(ge=-(2**31), le=2**31 - 1)]
"""A 32-bit whole number."""

Amount = Annotated[Decimal, BeforeValidator(_number_from_wire), Field(allow_inf_nan=False)]
"""A number with a fraction: money in the major unit of its currency, hours or a quantity."""

Flag = Annotated[bool, Strict()]

Moment = Annotated[
    datetime,
    BeforeValidator(_moment_from_wire),
    PlainSerializer(_moment_to_wire, return_type=str),
]
"""A date and time in UTC; on the wire a text in whole seconds."""

Guid = Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$")]


class Model(BaseModel):
    """A model is an immutable object of the interface with camelCase names on the wire."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        validate_by_alias=True,
        validate_by_name=True,
    )

    def to_record(self) -> dict[str, object]:
        """Return the wire form: nulls left out, amounts as Decimal, dates as text."""
        return self.model_dump(by_alias=True, exclude_none=True)


class Entity(Model):
    """An entity is an object with an id."""

    id: Whole | None = None
    info: dict[str, str] | None = Field(default=None, alias="_info")
    """Texts such as `lastUpdated`, `updatedBy` and links."""


class UserDefinedTexts(Entity):
    """Such an entity has ten free texts whose meaning each ConnectWise customer chooses."""

    user_defined_field1: str | None = Field(default=None, max_length=50)
    user_defined_field2: str | None = Field(default=None, max_length=50)
    user_defined_field3: str | None = Field(default=None, max_length=50)
    user_defined_field4: str | None = Field(default=None, max_length=50)
    user_defined_field5: str | None = Field(default=None, max_length=50)
    user_defined_field6: str | None = Field(default=None, max_length=50)
    user_defined_field7: str | None = Field(default=None, max_length=50)
    user_defined_field8: str | None = Field(default=None, max_length=50)
    user_defined_field9: str | None = Field(default=None, max_length=50)
    user_defined_field10: str | None = Field(default=None, max_length=50)
