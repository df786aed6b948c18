"""Invoices get their lines here: products, time entries and expenses.

An invoice has about 2.2 products, 2 time entries and 0.3 expenses, so that the lines of 200
invoices fit into one page of each kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from connectwise_sandbox.books.entry import Pen
from connectwise_sandbox.clock import wire_date, wire_time
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
_HOURLY_RATE = Decimal(145)
_NOTES = ("Patched servers", "Onboarded a user", "Réunion", "Replaced switch", "調査")
_EXPENSE_TYPES = ({"id": 1, "name": "Mileage"}, {"id": 2, "name": "Parking"})


@dataclass(frozen=True, slots=True)
class DraftLines:
    """Draft lines are the lines of an invoice still to be written, and their sums."""

    products: list[Record]
    time_entries: list[Record]
    expenses: list[Record]
    amounts: Amounts


class LineWriter:
    """A line writer drafts and writes lines."""

    def __init__(self, pen: Pen) -> None:
        self._pen = pen
        self._catalog = list(pen.tenant.store[Kind.CATALOG_ITEM])
        self._members = pen.references(Kind.MEMBER)[:-1]

    def draft(self, type_name: str, currency: Record, agreement: Record | None) -> DraftLines:
        """Return the lines of a new invoice; an agreement covers its time entries."""
        random = self._pen.random
        rate = _RATES_PER_UNIT.get(decimals_of(currency), Decimal(1))
        decimals = decimals_of(currency)
        products, times, expenses = (
            random.randint(low, high) for low, high in _LINES_BY_TYPE[type_name]
        )
        free = type_name == "Standard" and self._pen.chance(0.02)
        sign = Decimal(-1 if type_name == "CreditMemo" or self._draws_negative(type_name) else 1)
        scale = ZERO if free else rate * sign
        drafted_products = [self._product(scale, decimals) for _ in range(products)]
        covered = agreement is not None or free
        drafted_times = [self._time(rate, decimals, covered=covered) for _ in range(times)]
        drafted_expenses = [
            self._expense(rate, decimals, currency) for _ in range(0 if free else expenses)
        ]
        fee = agreement["billAmount"] * rate if agreement is not None else ZERO
        amounts = Amounts(
            products=_sum(drafted_products, "extPrice"),
            services=_sum(drafted_times, "extendedInvoiceAmount"),
            expenses=_sum(drafted_expenses, "invoiceAmount"),
            agreement=rounded(fee, decimals),
        )
        return DraftLines(drafted_products, drafted_times, drafted_expenses, amounts)

    def write(self, invoice: Record, lines: DraftLines, day: date) -> None:
        """Write drafted lines as those of an invoice."""
        shared = {
            "invoice": reference_to(Kind.INVOICE, invoice),
            "company": invoice["company"],
            "locationId": invoice["locationId"],
            "agreement": invoice.get("agreement"),
        }
        for product in lines.products:
            self._pen.write(Kind.PRODUCT, product | shared, day)
        moment = wire_time(self._pen.moment(day))
        charge = self._charge(invoice, day) if lines.time_entries else {}
        for entry in lines.time_entries:
            self._pen.write(Kind.TIME_ENTRY, entry | shared | charge | {"timeStart": moment}, day)
        for expense in lines.expenses:
            dated = {"date": wire_date(day), "chargeToType": "Company"}
            self._pen.write(Kind.EXPENSE_ENTRY, expense | shared | dated, day)

    def _charge(self, invoice: Record, day: date) -> Record:
        """Return the charge of a time entry: the company itself or a new, closed ticket."""
        if not self._pen.chance(0.3):
            return {"chargeToType": "Company", "chargeToId": invoice["company"]["id"]}
        ticket = {
            "summary": f"{self._pen.random.choice(_NOTES)} ({invoice['invoiceNumber']})",
            "recordType": "ServiceTicket",
            "company": invoice["company"],
            "closedFlag": True,
            "status": {"id": 4, "name": ">Closed"},
            "board": {"id": 1, "name": "Service Desk"},
        }
        written = self._pen.write(Kind.TICKET, ticket, day)
        reference = reference_to(Kind.TICKET, written)
        return {"chargeToType": "ServiceTicket", "chargeToId": written["id"], "ticket": reference}

    def _draws_negative(self, type_name: str) -> bool:
        return type_name == "Miscellaneous" and self._pen.chance(0.05)

    def _product(self, scale: Decimal, decimals: int) -> Record:
        item = self._pen.random.choice(self._catalog)
        quantity = Decimal(self._pen.random.randint(1, 6))
        price = rounded(item["price"] * scale, decimals)
        return {
            "catalogItem": {"id": item["id"], "identifier": item["identifier"]},
            "description": item["description"],
            "quantity": quantity,
            "price": price,
            "cost": rounded(abs(price) / 2, decimals),
            "extPrice": price * quantity,
            "extCost": rounded(abs(price) / 2, decimals) * quantity,
            "discount": rounded(ZERO, decimals),
            "billableOption": "Billable" if scale else "NoCharge",
            "cancelledFlag": False,
            "taxableFlag": True,
            "customerDescription": item["description"],
            "productClass": item["productClass"],
        }

    def _time(self, rate: Decimal, decimals: int, *, covered: bool) -> Record:
        hours = Decimal(self._pen.random.randint(1, 16)) / 4
        hourly_rate = rounded(_HOURLY_RATE * rate, decimals)
        amount = rounded(ZERO if covered else hours * hourly_rate, decimals)
        return {
            "member": self._pen.random.choice(self._members),
            "actualHours": hours,
            "hoursBilled": hours,
            "invoiceHours": hours,
            "hourlyRate": hourly_rate,
            "hourlyCost": "40.00",
            "billableOption": "NoCharge" if covered else "Billable",
            "extendedInvoiceAmount": amount,
            "notes": self._pen.random.choice(_NOTES),
            "status": "Billed",
            "invoiceFlag": True,
        }

    def _expense(self, rate: Decimal, decimals: int, currency: Record) -> Record:
        amount = rounded(Decimal(self._pen.random.randint(500, 9_000)) / 100 * rate, decimals)
        return {
            "type": self._pen.random.choice(_EXPENSE_TYPES),
            "member": self._pen.random.choice(self._members),
            "amount": amount,
            "billAmount": amount,
            "invoiceAmount": amount,
            "billableOption": "Billable",
            "currency": currency,
            "notes": "",
            "status": "Billed",
        }


def _sum(lines: list[Record], name: str) -> Decimal:
    return sum((line[name] for line in lines), ZERO)
