"""Routes, one module a resource."""

from __future__ import annotations

from dashboard_api.routes import (
    account,
    collected_payments,
    connections,
    customers,
    filters,
    invoices,
    payments,
    platform_payments,
    problems,
    runs,
)

ROUTERS = tuple(
    module.router
    for module in (
        account,
        connections,
        filters,
        customers,
        invoices,
        payments,
        platform_payments,
        collected_payments,
        runs,
        problems,
    )
)
