"""A route of ConnectWise is governed by a right, which is named here when the route is denied.

The pairs of routes and rows follow the names of the guide's security matrices, because ConnectWise
leaves them undocumented. Payments of an invoice belong to the accounting interface: the guide
grants all four columns there, and three for Invoicing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from bridge.domain.errors import BridgeError, PermissionMissingError
from bridge.domain.permissions import Column, Right

_COLUMNS: Mapping[str, Column] = {
    "GET": Column.INQUIRE,
    "POST": Column.ADD,
    "PUT": Column.EDIT,
    "PATCH": Column.EDIT,
    "DELETE": Column.DELETE,
}
_PAYMENTS = re.compile(r"/finance/invoices/\{id\}/payments(/.*)?")
_ROWS: Mapping[str, tuple[str, str]] = {
    "/company/companies/statuses": ("System", "Table Setup (customize)"),
    "/company/companies/types": ("System", "Table Setup (customize)"),
    "/company/companies": ("Companies", "Company Maintenance"),
    "/company/contacts": ("Companies", "Contacts"),
    "/expense/entries": ("Time & Expense", "Expense Report Entry"),
    "/finance/accounting": ("Finance", "Accounting Interface"),
    "/finance/agreements/types": ("System", "Table Setup (customize)"),
    "/finance/agreements": ("Finance", "Agreements (customize)"),
    "/finance/billingStatuses": ("System", "Table Setup (customize)"),
    "/finance/closedInvoices": ("Finance", "Invoicing"),
    "/finance/info/invoice": ("Finance", "Invoicing"),
    "/finance/invoices": ("Finance", "Invoicing"),
    "/procurement/catalog": ("Procurement", "Product Catalog"),
    "/procurement/products": ("Procurement", "Products"),
    "/service/tickets": ("Service Desk", "Service Tickets"),
    "/system/callbacks": ("System", "Table Setup (customize)"),
    "/system/departments": ("System", "Table Setup (customize)"),
    "/system/locations": ("System", "Table Setup (customize)"),
    "/system/members": ("System", "Member Maintenance"),
    "/system/reports": ("System", "Report Writer"),
    "/time/entries": ("Time & Expense", "Time Entry"),
}


def right_of(method: str, route: str) -> Right | None:
    """Return the right that governs a call, None where the matrices lack a row for it."""
    column = _COLUMNS.get(method)
    if column is None:
        return None
    if _PAYMENTS.fullmatch(route):
        return Right("Finance", "Accounting Interface", column)
    known = [prefix for prefix in _ROWS if route == prefix or route.startswith(f"{prefix}/")]
    if not known:
        return None
    module, row = _ROWS[max(known, key=len)]
    if route.startswith("/system/callbacks"):
        # Reading Table Setup is enough to register callbacks: the guide grants no more of it.
        column = Column.INQUIRE
    return Right(module, row, column)


def named(error: BridgeError, method: str, route: str) -> BridgeError:
    """Return a denial with the right that the call lacks; any other error stays as it is."""
    right = right_of(method, route)
    if right is None or not isinstance(error, PermissionMissingError) or error.rights:
        return error
    return PermissionMissingError(str(error), rights=(str(right),))
