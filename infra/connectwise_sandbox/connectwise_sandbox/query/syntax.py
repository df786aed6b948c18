"""The meaning of a conditions text: a tree of comparisons joined by and / or."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

Path = tuple[str, ...]
"""A property and, behind slashes, properties of what it refers to: `("status", "name")`."""

Literal = str | Decimal | bool | datetime | None
"""A value written in a conditions text; a datetime is aware, in UTC and whole seconds."""


class Operator(StrEnum):
    """Every operator, spelled in lower case with single spaces."""

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
    """One property against one value: `status/name = "Open"`."""

    path: Path
    operator: Operator
    literal: Literal


@dataclass(frozen=True, slots=True)
class Membership:
    """One property against a list of values: `id in (1, 2)`; `operator` is IN or NOT_IN."""

    path: Path
    operator: Operator
    literals: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class And:
    """All operands hold."""

    operands: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one operand holds."""

    operands: tuple[Condition, ...]


Condition = Comparison | Membership | And | Or
