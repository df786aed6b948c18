"""An API member needs these rights, in the words of the partner's own security role screen.

Source: the connection guide's security matrices. Each row grants four columns (add, edit, delete,
inquire); only those that the guide asks for are listed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Column(StrEnum):
    ADD = "Add"
    EDIT = "Edit"
    DELETE = "Delete"
    INQUIRE = "Inquire"


class Finding(StrEnum):
    """A finding tells whether the API member has a right."""

    GRANTED = "granted"
    MISSING = "missing"
    UNPROVEN = "unproven"
    """Only a write would show the right, and a check only reads."""


@dataclass(frozen=True, slots=True)
class Right:
    """One cell of a security matrix, e.g. Finance / Invoicing / Inquire."""

    module: str
    row: str
    column: Column

    def __str__(self) -> str:
        return f"{self.module} > {self.row}: {self.column.value}"


@dataclass(frozen=True, slots=True)
class RightFinding:
    right: Right
    finding: Finding


class Bound(StrEnum):
    """A bound is the kind of thing that limits an API member's sight."""

    LEVEL = "level"
    """The security role grants "My" where the guide asks for "All"."""
    LOCATION = "location"
    DEPARTMENT = "department"


_BOUND_TEXTS = {
    Bound.LEVEL: '"{limit}" instead of "All"',
    Bound.LOCATION: "limited to the location {limit}",
    Bound.DEPARTMENT: "limited to the department {limit}",
}


@dataclass(frozen=True, slots=True)
class Restriction:
    """A right that is granted for a part of the records only; the others look missing."""

    right: Right
    bound: Bound
    limit: str
    """The name of the level, location or department, as ConnectWise shows it."""

    def __str__(self) -> str:
        told = _BOUND_TEXTS[self.bound].format(limit=self.limit)
        return f"{self.right} is {told.strip()}"


INVOICING_INQUIRE = Right("Finance", "Invoicing", Column.INQUIRE)

_ALL = (Column.ADD, Column.EDIT, Column.DELETE, Column.INQUIRE)
_CHANGE = (Column.EDIT, Column.DELETE, Column.INQUIRE)
_READ = (Column.INQUIRE,)

_MATRIX: tuple[tuple[str, str, tuple[Column, ...]], ...] = (
    ("Companies", "Company Maintenance", _READ),
    ("Finance", "Accounting Interface", _ALL),
    ("Finance", "Agreement Invoicing", _CHANGE),
    ("Finance", "Agreements (customize)", _READ),
    ("Finance", "Invoicing", _CHANGE),
    ("Procurement", "Product Catalog", _READ),
    ("Procurement", "Products", _READ),
    ("Service Desk", "Service Tickets", _READ),
    ("System", "Member Maintenance", _READ),
    ("System", "Member Maintenance - Finance", _READ),
    ("System", "Report Writer", _READ),
    ("System", "Table Setup (customize)", _READ),
    ("Time & Expense", "Expense Report Entry", _READ),
    ("Time & Expense", "Time Entry", _READ),
)

REQUIRED_RIGHTS: tuple[Right, ...] = tuple(
    Right(module, row, column) for module, row, columns in _MATRIX for column in columns
)


def missing(findings: tuple[RightFinding, ...]) -> tuple[Right, ...]:
    """Return the rights that were proven to be missing."""
    return tuple(item.right for item in findings if item.finding is Finding.MISSING)
