"""A conditions text means a tree of comparisons joined by and / or."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

Path = tuple[str, ...]
"""A property and, behind slashes, properties of the referred record: `("status", "name")`."""

Literal = str | Decimal | bool | datetime | None
"""A value written in a conditions text; a datetime is aware and in UTC."""


class Operator(StrEnum):
    """An operator is spelled in lower case with single spaces."""

    EQUAL = "="
    NOT_EQUAL = "!="
    LESS = "<"
    LESS_OR_EQUAL = "<="
    GREATER = ">"
    GREATER_OR_EQUAL = ">="
    CONTAINS = "contains"
    NOT_CONTAINS = "not contains"
    LIKE = "like"
    NOT_LIKE = "not like"
    IN = "in"
    NOT_IN = "not in"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison sets one property against one value: `status/name = "Open"`."""

    path: Path
    operator: Operator
    literal: Literal


@dataclass(frozen=True, slots=True)
class Membership:
    """A membership looks for one property in a list of values: `id in (1, 2)`."""

    path: Path
    operator: Operator
    """IN or NOT_IN."""
    literals: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class And:
    """A conjunction holds if all its operands hold."""

    operands: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """A disjunction holds if at least one of its operands holds."""

    operands: tuple[Condition, ...]


Condition = Comparison | Membership | And | Or
