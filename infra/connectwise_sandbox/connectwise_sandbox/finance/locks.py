"""Locks keep closed and batched invoices as they are.

A closed invoice lets only its status and notes change; a GL batch locks its invoices altogether
until it is deleted. The status and body of the refusal are our reading. Whether payments there are
taken and given back is a switch for each of the two.
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


def require_payable(tenant: Tenant, invoice: Record) -> None:
    """Raise the error of a locked invoice if the switches keep payments from it."""
    if "glBatch" in invoice:
        if tenant.switches.batched_invoice_payments == "refused":
            require_not_batched(tenant, invoice)
    elif tenant.switches.locked_invoice_payments == "refused":
        require_unlocked(tenant, invoice)


def require_payment_deletable(tenant: Tenant, invoice: Record) -> None:
    """Raise the error of a locked invoice if the switches keep its payments from deletion."""
    switches = tenant.switches
    is_batched = "glBatch" in invoice
    rule = switches.batched_payment_deletions if is_batched else switches.locked_payment_deletions
    if rule == "as_payments":
        require_payable(tenant, invoice)
    elif rule == "refused":
        require_unlocked(tenant, invoice)


def _locked(tenant: Tenant, field: str, message: str) -> ApiError:
    status = tenant.switches.locked_invoice_status
    return invalid_field(Kind.INVOICE.value, field, message, status=status)
