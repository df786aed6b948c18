"""Customers pay in advance: by down payments, and by progress invoices of a project."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from connectwise_sandbox.books.entry import Pen
from connectwise_sandbox.finance.invoices import Amounts
from connectwise_sandbox.kinds import Kind, Record
from connectwise_sandbox.money import ZERO, decimals_of, rounded

_APPLIED_SHARE = Decimal("0.3")
"""The greatest part of an invoice that advances pay."""


class Advances:
    """The advances of the books are the unused rest of down payments and progress invoices."""

    def __init__(self, pen: Pen) -> None:
        self._pen = pen
        self._down_payments: dict[int, list[int]] = {}
        self._progress: dict[int, Decimal] = {}

    def bill(self, invoice: Record) -> None:
        """Keep in mind an invoice that bills in advance."""
        if invoice["type"] == "DownPayment":
            self._down_payments.setdefault(invoice["company"]["id"], []).append(invoice["id"])
        elif invoice["type"] == "Progress":
            project_id = invoice["project"]["id"]
            self._progress[project_id] = self._progress.get(project_id, ZERO) + invoice["total"]

    def apply_downpayment(self, company: Record, amounts: Amounts) -> Amounts:
        """Return the amounts less the oldest down payment of a company, which keeps the rest."""
        waiting = self._down_payments.get(company["id"])
        if not waiting or amounts.subtotal <= 0:
            return amounts
        advance = self._pen.tenant.get(Kind.INVOICE, waiting[0])
        held = advance["remainingDownpayment"]
        share = rounded(amounts.subtotal * _APPLIED_SHARE, decimals_of(company["currency"]))
        applied = min(held, share)
        if applied == held:
            waiting.pop(0)
        self._pen.rewrite(Kind.INVOICE, advance | {"remainingDownpayment": held - applied})
        return replace(amounts, downpayment_applied=applied)

    def apply_progress(self, project: Record, amounts: Amounts, decimals: int) -> Amounts:
        """Return the amounts less the progress invoices of a project until now."""
        share = rounded(max(ZERO, amounts.subtotal) * _APPLIED_SHARE, decimals)
        applied = min(self._progress.get(project["id"], ZERO), share)
        return replace(amounts, progress_applied=applied)
