"""The PDF of one invoice, as ConnectWise would render it from a template."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One row of the table; the amount is in the currency's major unit."""

    description: str
    quantity: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class InvoiceDocument:
    """Everything that is printed. Amounts are in the currency's major unit."""

    provider_name: str
    customer_name: str
    address_lines: tuple[str, ...]
    invoice_number: str
    invoice_date: date
    due_date: date | None
    currency_code: str
    decimals: int
    lines: tuple[InvoiceLine, ...]
    subtotal: Decimal
    tax: Decimal
    total: Decimal
    payments: Decimal
    credits: Decimal
    balance: Decimal


def render_invoice_pdf(document: InvoiceDocument) -> bytes:
    """Return the PDF bytes; the same document always gives the same bytes."""
    raise NotImplementedError(document)
