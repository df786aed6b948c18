"""Routes, one module a resource."""

from __future__ import annotations

from dashboard_api.routes import (
    account,
    connections,
    customers,
    filters,
    invoices,
    payments,
    problems,
    runs,
)

ROUTERS = tuple(
    module.router
    for module in (account, connections, filters, customers, invoices, payments, runs, problems)
)
