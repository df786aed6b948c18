"""Invoices get their lines here: products, time entries and expenses.

An invoice has about 2.2 products, 2 time entries and 0.3 expenses, so that the lines of 200
invoices fit into one page of each kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from connectwise_sandbox.books.entry import Pen
from connectwise_sandbox.books.products import ProductDrafts, cover_half
from connectwise_sandbox.books.subjects import Subjects
from connectwise_sandbox.books.work import WorkDrafts
from connectwise_sandbox.finance.invoices import Amounts
from connectwise_sandbox.kinds import Kind, Record, reference_to
from connectwise_sandbox.money import ZERO, decimals_of, rounded

_LINES_BY_TYPE = {
    # how many products, time entries and expenses an invoice of this type may have
    "Agreement": ((1, 3), (0, 4), (0, 0)),
    "Standard": ((1, 5), (0, 5), (0, 2)),
    "Miscellaneous": ((1, 3), (0, 0), (0, 0)),
    "Progress": ((1, 2), (2, 5), (0, 1)),
    "DownPayment": ((1, 1), (0, 0), (0, 0)),
    "CreditMemo": ((1, 1), (0, 0), (0, 0)),
}
_RATES_PER_UNIT = {0: Decimal(150), 3: Decimal("0.31")}
_HALF_COVERED = 0.15
"""The share of agreement invoices whose products show a price that the agreement covers in part."""


@dataclass(frozen=True, slots=True)
class DraftLines:
    """Draft lines are the lines of an invoice still to be written, and their sums."""

    products: list[Record]
    time_entries: list[Record]
    expenses: list[Record]
    amounts: Amounts


class LineWriter:
    """A line writer drafts and writes lines."""

    def __init__(self, pen: Pen, subjects: Subjects) -> None:
        self._pen = pen
        self._products = ProductDrafts(pen)
        self._work = WorkDrafts(pen, subjects)

    def draft(
        self, type_name: str, currency: Record, agreement: Record | None, *, is_fine: bool
    ) -> DraftLines:
        """Return the lines of a new invoice; an agreement covers its time entries.

        The prices of an invoice that `is_fine` are finer than its currency.
        """
        random, decimals = self._pen.random, decimals_of(currency)
        rate = _RATES_PER_UNIT.get(decimals, Decimal(1))
        counts = [random.randint(low, high) for low, high in _LINES_BY_TYPE[type_name]]
        free = type_name == "Standard" and self._pen.chance(0.02)
        sign = Decimal(-1 if type_name == "CreditMemo" or self._draws_negative(type_name) else 1)
        products = [
            self._products.draw(
                ZERO if free else rate * sign, decimals, number, is_fine=is_fine and not free
            )
            for number in range(1, counts[0] + 1)
        ]
        if agreement is not None and self._pen.chance(_HALF_COVERED):
            products = [cover_half(product, decimals) for product in products]
        is_covered = agreement is not None or free
        times = [
            self._work.draw_time(rate, decimals, is_covered=is_covered) for _ in range(counts[1])
        ]
        expenses = [
            self._work.draw_expense(rate, decimals, currency)
            for _ in range(0 if free else counts[2])
        ]
        fee = agreement["billAmount"] * rate if agreement is not None else ZERO
        amounts = Amounts(
            products=_sum(products, "extPrice") - _sum(products, "agreementAmount"),
            services=_sum(times, "extendedInvoiceAmount"),
            expenses=_sum(expenses, "invoiceAmount"),
            agreement=rounded(fee, decimals),
        )
        return DraftLines(products, times, expenses, amounts)

    def write(self, invoice: Record, company: Record, lines: DraftLines, day: date) -> None:
        """Write drafted lines as those of an invoice."""
        shared = {
            "invoice": reference_to(Kind.INVOICE, invoice),
            "company": invoice["company"],
            "locationId": invoice["locationId"],
            "businessUnitId": invoice["departmentId"],
            "agreement": invoice.get("agreement"),
        }
        location, department = invoice["location"], invoice["department"]
        placed = {"location": location, "businessUnit": department}
        for product in lines.products:
            self._pen.write(Kind.PRODUCT, product | shared | placed, day)
        placed = {"location": location, "department": department}
        self._work.write_time(lines.time_entries, shared | placed, company, day)
        self._work.write_expenses(lines.expenses, shared, company, day)

    def _draws_negative(self, type_name: str) -> bool:
        return type_name == "Miscellaneous" and self._pen.chance(0.05)


def _sum(lines: list[Record], name: str) -> Decimal:
    return sum((line[name] for line in lines), ZERO)
