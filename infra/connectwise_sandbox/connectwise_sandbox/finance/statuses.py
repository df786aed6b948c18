"""Billing statuses are names that a provider gives to the steps of an invoice, and changes."""

from __future__ import annotations

from connectwise_sandbox.kinds import PATHS, Kind, Record, reference_to
from connectwise_sandbox.permissions import Rows
from connectwise_sandbox.resources import READ_WRITE, Resource
from connectwise_sandbox.tenant import Tenant


class BillingStatuses(Resource):
    """This resource serves billing statuses; invoices repeat the name and state of theirs."""

    def __init__(self) -> None:
        path = f"/{PATHS[Kind.BILLING_STATUS]}"
        super().__init__(Kind.BILLING_STATUS, path, Rows.TABLE_SETUP, methods=READ_WRITE)

    def change(self, tenant: Tenant, before: Record, after: Record, by: str) -> Record:  # noqa: ARG002
        """Store a changed billing status."""
        return change_status(tenant, after, by)


def change_status(tenant: Tenant, status: Record, by: str) -> Record:
    """Store a changed billing status and show it in its invoices.

    The invoices themselves do not change: `lastUpdated` stays and callbacks stay silent, as a
    reference is made when an invoice is read (our reading).
    """
    changed = tenant.change(Kind.BILLING_STATUS, status, by)
    reference = reference_to(Kind.BILLING_STATUS, changed)
    for invoice in list(tenant.store[Kind.INVOICE]):
        if invoice.get("status", {}).get("id") == changed["id"]:
            tenant.put_silently(Kind.INVOICE, invoice | {"status": reference})
    return changed
