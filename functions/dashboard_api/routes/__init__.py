"""Routes are grouped by resource, one module each."""

from dashboard_api.routes import (
    account,
    connections,
    customers,
    filters,
    invoice_explanation,
    invoices,
    overview,
    platform_payments,
    problems,
    psa_payments,
    record_search,
    runs,
)

_MODULES = (
    account,
    overview,
    connections,
    filters,
    record_search,
    customers,
    invoices,
    invoice_explanation,
    psa_payments,
    platform_payments,
    runs,
    problems,
)
ROUTERS = tuple(module.resource.router for module in _MODULES)
