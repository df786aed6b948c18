"""Locks keep closed and batched invoices as they are.

A closed invoice lets only its status and notes change; a GL batch locks its invoices altogether
until it is deleted. The status and body of the refusal are our reading.
"""

from __future__ import annotations

from connectwise_sandbox.errors import ApiError, invalid_field
from connectwise_sandbox.kinds import Kind, Record
from connectwise_sandbox.tenant import Tenant


def is_closed(invoice: Record) -> bool:
    """Return whether the billing status of an invoice counts as closed."""
    return invoice.get("status", {}).get("isClosed") is True


def require_not_batched(tenant: Tenant, invoice: Record) -> None:
    """Raise the error of a locked invoice if it is in a GL batch."""
    if "glBatch" in invoice:
        raise _locked(tenant, "glBatch", f"Invoice {invoice['id']} is in an accounting batch.")


def require_unlocked(tenant: Tenant, invoice: Record) -> None:
    """Raise the error of a locked invoice if it is closed or in a GL batch."""
    require_not_batched(tenant, invoice)
    if is_closed(invoice):
        raise _locked(tenant, "status", f"Invoice {invoice['id']} is closed.")


def _locked(tenant: Tenant, field: str, message: str) -> ApiError:
    status = tenant.switches.locked_invoice_status
    return invalid_field(Kind.INVOICE.value, field, message, status=status)
