"""Payments record money received and credit memos applied."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import partial

from connectwise_sandbox.clock import wire_date
from connectwise_sandbox.errors import (
    bad_reference,
    invalid_field,
    missing_field,
    unconvertible,
)
from connectwise_sandbox.finance.balances import (
    payments_of,
    refresh_balance,
    remaining_credit,
    true_balance,
)
from connectwise_sandbox.finance.locks import (
    is_closed,
    require_payable,
    require_payment_deletable,
)
from connectwise_sandbox.kinds import Kind, Record, reference_to
from connectwise_sandbox.money import ZERO, as_amount, decimals_of, rounded
from connectwise_sandbox.tenant import Tenant

RESOURCE = Kind.PAYMENT.value
MONEY_RECEIVED = "Payment"
CREDIT_APPLIED = "Credit"


def record_payment(
    tenant: Tenant, invoice_id: int, draft: Record, by: str, *, may_pay_locked: bool = False
) -> Record:
    """Store a payment of an invoice and return it.

    `draft` holds `amount` and may hold `paymentDate`, `type` and `credit`, a reference to the
    credit memo that pays. Raises the errors for a locked invoice, an unusable amount, and a
    second payment or overpayment that the switches refuse.
    """
    invoice = tenant.get(Kind.INVOICE, invoice_id)
    if not may_pay_locked:
        require_payable(tenant, invoice)
    memo = _memo_of(tenant, invoice, draft)
    amount = _usable_amount(tenant, invoice, memo, draft, released=ZERO)
    if memo is None:
        _make_room(tenant, invoice, by)
    payment = tenant.add(
        Kind.PAYMENT,
        draft
        | {
            "type": draft.get("type") or (CREDIT_APPLIED if memo else MONEY_RECEIVED),
            "source": "Default",
            "invoice": reference_to(Kind.INVOICE, invoice),
            "credit": reference_to(Kind.INVOICE, memo) if memo else None,
            "amount": amount,
            "paymentDate": _payment_date(tenant, draft),
            "appliedBy": by,
            "paymentSyncStatus": "Unapplied",
        },
        by,
    )
    _payments_changed(tenant, payment, by)
    return payment


def change_payment(tenant: Tenant, before: Record, after: Record, by: str) -> Record:
    """Store a changed amount or date of a payment and return it; raises as `record_payment`."""
    invoice = tenant.get(Kind.INVOICE, before["invoice"]["id"])
    require_payable(tenant, invoice)
    after = _with_permitted_amount(tenant, before, after)
    memo = _memo_of(tenant, invoice, after)
    amount = _usable_amount(tenant, invoice, memo, after, released=before["amount"])
    changed = after | {"amount": amount, "paymentDate": _payment_date(tenant, after)}
    payment = tenant.change(Kind.PAYMENT, changed, by)
    _payments_changed(tenant, payment, by)
    return payment


def delete_payment(
    tenant: Tenant, payment: Record, by: str, *, may_be_locked: bool = False
) -> None:
    """Remove a payment; raises the error of a locked invoice."""
    invoice = tenant.get(Kind.INVOICE, payment["invoice"]["id"])
    if not may_be_locked:
        require_payment_deletable(tenant, invoice)
    tenant.remove(Kind.PAYMENT, payment["id"], by)
    _payments_changed(tenant, payment, by)


def rewrite_payments(tenant: Tenant, invoice_id: int, by: str) -> list[Record]:
    """Delete every payment of an invoice and add it again, as other accounting syncs do.

    The rows keep amount and date, and get new ids and `by` as the applying member.
    """
    rows = payments_of(tenant, invoice_id)
    for row in rows:
        tenant.remove(Kind.PAYMENT, row["id"], by)
    rewritten = [
        tenant.add(Kind.PAYMENT, row | {"appliedBy": by, "_info": None}, by) for row in rows
    ]
    for row in rewritten:
        _payments_changed(tenant, row, by)
    return rewritten


def _memo_of(tenant: Tenant, invoice: Record, draft: Record) -> Record | None:
    """Return the credit memo that a draft names; raises a 400 for one that cannot pay."""
    reference = draft.get("credit")
    if reference is None:
        return None
    memo = tenant.store[Kind.INVOICE].get(reference.get("id", 0))
    if memo is None:
        raise bad_reference(RESOURCE, "credit/id")
    if memo["type"] != "CreditMemo" or memo["company"]["id"] != invoice["company"]["id"]:
        raise invalid_field(RESOURCE, "credit", "The credit is no credit memo of this company.")
    if not is_closed(memo):
        raise invalid_field(RESOURCE, "credit", "The credit memo must be closed to be applied.")
    return memo


def _usable_amount(
    tenant: Tenant, invoice: Record, memo: Record | None, draft: Record, *, released: Decimal
) -> Decimal:
    """Return the amount of a payment; `released` is the amount that it replaces."""
    if "amount" not in draft:
        raise missing_field(RESOURCE, "amount")
    value = as_amount(draft["amount"])
    if value is None:
        raise unconvertible(draft["amount"], "amount")
    amount = rounded(value, decimals_of(invoice.get("currency")))
    if amount <= 0:
        raise invalid_field(RESOURCE, "amount", "The amount must be greater than zero.")
    if memo is not None and amount > remaining_credit(tenant, memo) + released:
        raise invalid_field(RESOURCE, "amount", "The credit memo has less left than this amount.")
    owed = true_balance(tenant, invoice) + released
    if amount <= owed or tenant.switches.overpayment == "accepted":
        return amount
    if tenant.switches.overpayment == "capped" and owed > 0:
        return owed
    raise invalid_field(RESOURCE, "amount", "The amount is greater than the invoice's balance.")


def _with_permitted_amount(tenant: Tenant, before: Record, after: Record) -> Record:
    """Return a changed payment with the amount that the switch for changes lets it have."""
    rule = tenant.switches.payment_amount_changes
    if rule == "accepted" or after.get("amount") == before["amount"]:
        return after
    if rule == "refused":
        raise invalid_field(RESOURCE, "amount", "The amount of a payment cannot be changed.")
    return after | {"amount": before["amount"]}


def _make_room(tenant: Tenant, invoice: Record, by: str) -> None:
    """Apply the rule for a second payment of money on the same invoice."""
    rule = tenant.switches.second_payment
    earlier = [row for row in payments_of(tenant, invoice["id"]) if "credit" not in row]
    if not earlier or rule == "appended":
        return
    if rule == "refused":
        raise invalid_field(RESOURCE, "invoice", "The invoice has a payment already.")
    for row in earlier:
        tenant.remove(Kind.PAYMENT, row["id"], by)


def _payment_date(tenant: Tenant, draft: Record) -> str:
    text: str | None = draft.get("paymentDate")
    if text is None:
        return wire_date(tenant.today)
    if tenant.switches.payment_date_keeps_time:
        return text
    try:
        return wire_date(date.fromisoformat(text[:10]))
    except ValueError as error:
        message = "The paymentDate is no date."
        raise invalid_field(RESOURCE, "paymentDate", message) from error


def _payments_changed(tenant: Tenant, payment: Record, by: str) -> None:
    """Carry a change of payments over to the invoice and, for a credit, to its memo."""
    invoice_ids = [payment["invoice"]["id"]]
    if "credit" in payment:
        invoice_ids.append(payment["credit"]["id"])
    switches = tenant.switches
    for invoice_id in invoice_ids:
        if switches.balance_delay_seconds > 0:
            tenant.put_off(
                switches.balance_delay_seconds, partial(refresh_balance, tenant, invoice_id)
            )
        else:
            refresh_balance(tenant, invoice_id)
        invoice = tenant.store[Kind.INVOICE].get(invoice_id)
        if invoice is not None:
            tenant.change(
                Kind.INVOICE,
                invoice,
                by,
                touch=switches.payment_touches_last_updated,
                announce=switches.payment_fires_invoice_callback,
            )
