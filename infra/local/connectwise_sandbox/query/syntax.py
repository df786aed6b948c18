"""The meaning of a conditions text: a tree of comparisons joined by and / or."""

from __future__ import annotations

from dataclasses import dataclass, field
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
    depth: int = field(default=0, init=False, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Membership:
    """One property against a list of values: `id in (1, 2)`; `operator` is IN or NOT_IN."""

    path: Path
    operator: Operator
    literals: tuple[Literal, ...]
    depth: int = field(default=0, init=False, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class And:
    """All operands hold. `depth` counts the connectives on the longest way to a leaf."""

    operands: tuple[Condition, ...]
    depth: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "depth", 1 + max(each.depth for each in self.operands))


@dataclass(frozen=True, slots=True)
class Or:
    """At least one operand holds. `depth` as in `And`."""

    operands: tuple[Condition, ...]
    depth: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "depth", 1 + max(each.depth for each in self.operands))


Condition = Comparison | Membership | And | Or
