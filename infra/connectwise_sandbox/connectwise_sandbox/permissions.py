"""A security role grants actions by the rows and columns of ConnectWise's security matrix.

The default grants are exactly those that the payment integration asks its partners for. The
mapping of rows to paths is our reading; ConnectWise does not document it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal, NamedTuple

from connectwise_sandbox.errors import security

Level = Literal["None", "All"]


class Action(StrEnum):
    """An action is a column of the matrix, in its order."""

    ADD = "add"
    EDIT = "edit"
    DELETE = "delete"
    INQUIRE = "inquire"


ACTION_OF_METHOD: Mapping[str, Action] = {
    "GET": Action.INQUIRE,
    "POST": Action.ADD,
    "PUT": Action.EDIT,
    "PATCH": Action.EDIT,
    "DELETE": Action.DELETE,
}


class Row(NamedTuple):
    """A row of the matrix names a module and one of its parts."""

    module: str
    name: str


class Rows:
    """These rows govern paths of the sandbox."""

    COMPANY_MAINTENANCE = Row("Companies", "Company Maintenance")
    CONTACTS = Row("Companies", "Contacts")
    ACCOUNTING_INTERFACE = Row("Finance", "Accounting Interface")
    AGREEMENT_INVOICING = Row("Finance", "Agreement Invoicing")
    AGREEMENTS = Row("Finance", "Agreements")
    COMPANY_FINANCE = Row("Finance", "Company Finance")
    INVOICING = Row("Finance", "Invoicing")
    PRODUCT_CATALOG = Row("Procurement", "Product Catalog")
    PRODUCTS = Row("Procurement", "Products")
    SERVICE_TICKETS = Row("Service Desk", "Service Tickets")
    MEMBER_MAINTENANCE = Row("System", "Member Maintenance")
    MEMBER_FINANCE = Row("System", "Member Maintenance - Finance")
    REPORT_WRITER = Row("System", "Report Writer")
    SECURITY_ROLES = Row("System", "Security Roles")
    TABLE_SETUP = Row("System", "Table Setup")
    EXPENSE_REPORT_ENTRY = Row("Time & Expense", "Expense Report Entry")
    TIME_ENTRY = Row("Time & Expense", "Time Entry")


_ALL = frozenset(Action)
_ALL_BUT_ADD = _ALL - {Action.ADD}
_INQUIRE = frozenset({Action.INQUIRE})
_NOTHING: frozenset[Action] = frozenset()

DEFAULT_GRANTS: Mapping[Row, frozenset[Action]] = {
    Rows.COMPANY_MAINTENANCE: _INQUIRE,
    Rows.CONTACTS: _NOTHING,
    Rows.ACCOUNTING_INTERFACE: _ALL,
    Rows.AGREEMENT_INVOICING: _ALL_BUT_ADD,
    Rows.AGREEMENTS: _INQUIRE,
    Rows.COMPANY_FINANCE: _NOTHING,
    Rows.INVOICING: _ALL_BUT_ADD,
    Rows.PRODUCT_CATALOG: _INQUIRE,
    Rows.PRODUCTS: _INQUIRE,
    Rows.SERVICE_TICKETS: _INQUIRE,
    Rows.MEMBER_MAINTENANCE: _INQUIRE,
    Rows.MEMBER_FINANCE: _INQUIRE,
    Rows.REPORT_WRITER: _INQUIRE,
    Rows.SECURITY_ROLES: _NOTHING,
    Rows.TABLE_SETUP: _INQUIRE,
    Rows.EXPENSE_REPORT_ENTRY: _INQUIRE,
    Rows.TIME_ENTRY: _INQUIRE,
}


class SecurityRole:
    """A security role holds the actions that the API member is allowed, row by row."""

    def __init__(self) -> None:
        self._grants = dict(DEFAULT_GRANTS)

    def allows(self, row: Row, action: Action) -> bool:
        """Return whether the role grants an action of a row."""
        return action in self._grants[row]

    def require(self, row: Row, action: Action) -> None:
        """Raise the Security error unless the role grants an action of a row."""
        if not self.allows(row, action):
            raise security()

    def set_cell(self, module: str, name: str, action: Action, level: Level) -> None:
        """Set one cell; raises ValueError for an unknown row.

        Case is ignored, and so is the word `(customize)` that the matrix shows behind some names.
        """
        wanted = (module.casefold(), name.casefold().removesuffix("(customize)").strip())
        for row, granted in self._grants.items():
            if (row.module.casefold(), row.name.casefold()) == wanted:
                self._grants[row] = granted | {action} if level == "All" else granted - {action}
                return
        raise ValueError(f"the security matrix has no row {name} in {module}")

    def grant_everything(self) -> None:
        """Give the role every right."""
        self._grants = dict.fromkeys(self._grants, _ALL)

    def reset(self) -> None:
        """Return to the default grants."""
        self._grants = dict(DEFAULT_GRANTS)

    def matrix(self) -> list[dict[str, str]]:
        """Return every row with the level of each action."""
        return [
            {
                "module": row.module,
                "row": row.name,
                **{action.value: "All" if action in granted else "None" for action in Action},
            }
            for row, granted in self._grants.items()
        ]
