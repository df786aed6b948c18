"""Payment rows determine the payments, credits and balance of an invoice.

balance = total - payments - credits holds at every moment, to the last decimal of the currency.
A credit application counts once at each end: it raises the credits of the invoice it pays and
lowers, by as much, those of the credit memo it comes from.
"""

from __future__ import annotations

from decimal import Decimal

from connectwise_sandbox.kinds import Kind, Record
from connectwise_sandbox.money import ZERO, decimals_of, rounded
from connectwise_sandbox.tenant import Tenant


def payments_of(tenant: Tenant, invoice_id: int) -> list[Record]:
    """Return the payment rows of an invoice, including credit applications, by id."""
    return tenant.store[Kind.PAYMENT].referring("invoice", [invoice_id])


def applications_of(tenant: Tenant, memo_id: int) -> list[Record]:
    """Return the payment rows, on other invoices, that a credit memo pays."""
    return tenant.store[Kind.PAYMENT].referring("credit", [memo_id])


def with_balance(tenant: Tenant, invoice: Record) -> Record:
    """Return an invoice whose payments, credits and balance follow from the payment rows."""
    decimals = decimals_of(invoice.get("currency"))
    rows = payments_of(tenant, invoice["id"])
    payments = sum((row["amount"] for row in rows if "credit" not in row), ZERO)
    received = sum((row["amount"] for row in rows if "credit" in row), ZERO)
    given = sum((row["amount"] for row in applications_of(tenant, invoice["id"])), ZERO)
    total = rounded(invoice["total"], decimals)
    credited = received - given
    return invoice | {
        "total": total,
        "payments": rounded(payments, decimals),
        "credits": rounded(credited, decimals),
        "balance": rounded(total - payments - credited, decimals),
    }


def true_balance(tenant: Tenant, invoice: Record) -> Decimal:
    """Return the balance that follows from the payment rows, even before the invoice shows it."""
    balance: Decimal = with_balance(tenant, invoice)["balance"]
    return balance


def remaining_credit(tenant: Tenant, memo: Record) -> Decimal:
    """Return the amount of a credit memo that is still to be applied, positive or zero."""
    return max(ZERO, -true_balance(tenant, memo))


def refresh_balance(tenant: Tenant, invoice_id: int) -> None:
    """Bring the money fields of an invoice up to date silently; pass one that is deleted."""
    invoice = tenant.store[Kind.INVOICE].get(invoice_id)
    if invoice is not None:
        tenant.put_silently(Kind.INVOICE, with_balance(tenant, invoice))
