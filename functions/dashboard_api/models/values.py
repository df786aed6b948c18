"""This module holds the types that all resources share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Generic, Self, TypeVar

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from bridge import ports
from bridge.domain.customer import Archive, ArchiveReason, NamedRef
from bridge.domain.errors import InvalidInputError
from bridge.domain.money import MAX_AMOUNT_MINOR, Currency, to_decimal

MAX_PAGE_SIZE = 200
DEFAULT_PAGE_SIZE = 50
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_WHOLE_NUMBER = re.compile(r"-?\d{1,18}", re.ASCII)
_TRUTHS = {"true": True, "false": False}

# One line of text: no control characters; a name also begins with something visible.
_LINE = r"^[^\x00-\x1f\x7f]*$"
_NAME = r"^[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"

T = TypeVar("T")
V = TypeVar("V", bound="View")


def iso_date(value: object) -> object:
    """Refuse numbers and times, which pydantic would take for dates too."""
    if isinstance(value, date) or (isinstance(value, str) and _ISO_DATE.fullmatch(value)):
        return value
    raise ValueError("must be a date like 2026-08-31")


def whole_number(value: object) -> object:
    """Refuse ``1_0`` and ``10.0``, which pydantic would take for ten in the text of a query."""
    if isinstance(value, int) or (isinstance(value, str) and _WHOLE_NUMBER.fullmatch(value)):
        return value
    raise ValueError("must be a whole number")


def _truth(value: object) -> object:
    """Refuse ``1``, ``yes`` and ``on``, which pydantic would take for true in a query."""
    if isinstance(value, str) and value in _TRUTHS:
        return _TRUTHS[value]
    if isinstance(value, bool):
        return value
    raise ValueError("must be true or false")


CalendarDate = Annotated[date, BeforeValidator(iso_date)]
Line = Annotated[str, StringConstraints(max_length=500, pattern=_LINE)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_NAME)]
CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]

# A path's id of the wrong shape is an unknown one (404), so its shape is no constraint.
RecordId = Annotated[str, Path(description="The record's id.")]
PageSize = Annotated[int, Field(ge=1, le=MAX_PAGE_SIZE)]
Limit = Annotated[
    PageSize,
    BeforeValidator(whole_number),
    Query(description="How many items a page has at most."),
]
Cursor = Annotated[
    str | None,
    Query(max_length=4096, description="Where the last page ended: its `next_cursor`."),
]
ConnectionIdQuery = Annotated[
    str | None, Query(pattern=r"^[0-9a-f]{32}$", description="Only records of this connection.")
]
RecordIdQuery = Annotated[
    str | None,
    Query(pattern=r"^[0-9a-f]{32}(-[1-9][0-9]{0,9})?$", description="Only what belongs to it."),
]
DateQuery = Annotated[
    date | None, BeforeValidator(iso_date), Query(description="A date like 2026-08-31, inclusive.")
]
AmountQuery = Annotated[
    Annotated[int, Field(ge=-MAX_AMOUNT_MINOR, le=MAX_AMOUNT_MINOR)] | None,
    BeforeValidator(whole_number),
    Query(description="Exactly the total, or what is still open, in minor units."),
]
Flag = Annotated[bool, BeforeValidator(_truth)]


class Input(BaseModel):
    """An input comes from a caller. Unknown fields are mistakes; messages may not quote values."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True
    )

    def sent(self, field: str, known: T) -> T:
        """Return the field's value if the caller sent it, else the known one."""
        value: T = getattr(self, field) if field in self.model_fields_set else known
        return value


class View(BaseModel):
    """A view goes to a caller. Fields may be added; callers ignore those that are new to them."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, defer_build=True)


class Page(View, Generic[V]):
    """A page holds some items of a list and leads to the next page."""

    items: list[V]
    next_cursor: str | None

    @classmethod
    def of(cls, page: ports.Page[T], view: Callable[[T], V]) -> Self:
        """Return a page of views for a page of records."""
        return cls(items=[view(item) for item in page.items], next_cursor=page.next_cursor)


class FoundPage(Page[V], Generic[V]):
    """A page of a list that can be narrowed says when its search ended early."""

    is_partial: bool = Field(
        description="The search ended before the page was full, which may even be empty: more may"
        " match. `next_cursor` leads on."
    )

    @classmethod
    def of(cls, page: ports.Page[T], view: Callable[[T], V]) -> Self:
        """Return a page of views for a page of records."""
        return cls(
            items=[view(item) for item in page.items],
            next_cursor=page.next_cursor,
            is_partial=page.is_partial,
        )


class AmountView(View):
    """An amount of money is exact in minor units, and also written as a decimal for people."""

    amount_minor: int = Field(examples=[1050])
    currency: str = Field(examples=["USD"])
    decimals: int = Field(examples=[2])
    display: str = Field(examples=["10.50"], description="The same amount, for people to read.")

    @classmethod
    def of(cls, amount_minor: int, currency: Currency) -> AmountView:
        return cls(
            amount_minor=amount_minor,
            currency=currency.code,
            decimals=currency.decimals,
            display=plain(to_decimal(amount_minor, currency)) or "",
        )


class NamedRefView(View):
    """A reference names something of the partner's ConnectWise by its id there and its name."""

    id: int
    name: str

    @classmethod
    def of(cls, ref: NamedRef | None) -> NamedRefView | None:
        return cls(id=ref.source_id, name=ref.name) if ref else None


class ArchiveView(View):
    """An archive mark tells why and when a record left the open view."""

    reason: ArchiveReason
    at: datetime

    @classmethod
    def of(cls, archive: Archive | None) -> ArchiveView | None:
        return cls(reason=archive.reason, at=archive.at) if archive else None


@contextmanager
def below(field: str) -> Iterator[None]:
    """Name the fields of refused input by their place in the body, below this field."""
    try:
        yield
    except InvalidInputError as error:
        raise InvalidInputError(str(error), field=f"{field}.{error.field}") from error


def refuse_reversed(first: date | None, last: date | None, field: str) -> None:
    """Raise InvalidInputError for a range that ends before it begins."""
    if first is not None and last is not None and first > last:
        raise InvalidInputError("is after the last day of the range", field=field)


def plain(number: Decimal | None) -> str | None:
    """Write a decimal in full, as exponents are for machines."""
    return None if number is None else f"{number:f}"
