"""Two years are billed here: agreements every month, work and goods between, and credits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from connectwise_sandbox.books.customers import billable_companies, enter_agreements
from connectwise_sandbox.books.entry import DAYS_OF_BILLING, Pen
from connectwise_sandbox.books.lines import LineWriter
from connectwise_sandbox.books.settlement import settle
from connectwise_sandbox.books.setup_tables import BILLING_TERMS, TAX_RATES
from connectwise_sandbox.finance.invoices import Amounts, draft_invoice
from connectwise_sandbox.kinds import Kind, Record, reference_to
from connectwise_sandbox.money import ZERO, decimals_of, rounded

AGREEMENT_SHARE = 0.5
MONTHS = 24
_OTHER_TYPES = {
    "Standard": 70,
    "Miscellaneous": 12,
    "Progress": 6,
    "CreditMemo": 7,
    "DownPayment": 5,
}
_DUE_DAYS = dict(BILLING_TERMS)
_DOWNPAYMENT_RATE = Decimal("0.3")
_SUFFIXED = 0.10
_PADDED = 0.06


@dataclass(frozen=True, slots=True)
class _Plan:
    """A plan describes one invoice to be written."""

    day: date
    type_name: str
    company: Record
    agreement: Record | None = None


def bill_two_years(pen: Pen, count: int) -> None:
    """Write exactly `count` invoices, oldest first, with their lines and payments."""
    companies = billable_companies(pen)
    of_agreements = round(count * AGREEMENT_SHARE)
    agreements = enter_agreements(pen, max(1, round(of_agreements / MONTHS)))
    plans = [
        *_agreement_plans(pen, agreements, of_agreements),
        *_other_plans(pen, companies, count - of_agreements),
    ]
    plans.sort(key=lambda plan: plan.day)
    biller = _Biller(pen)
    for plan in plans:
        biller.bill(plan)
    settle(pen)


def _agreement_plans(pen: Pen, agreements: list[Record], count: int) -> list[_Plan]:
    plans = []
    for number in range(count):
        agreement = agreements[number % len(agreements)]
        month = number // len(agreements) % MONTHS
        day = pen.first_day + timedelta(days=round(month * DAYS_OF_BILLING / MONTHS))
        company = pen.tenant.get(Kind.COMPANY, agreement["company"]["id"])
        plans.append(_Plan(day, "Agreement", company, agreement))
    return plans


def _other_plans(pen: Pen, companies: list[Record], count: int) -> list[_Plan]:
    names, weights = list(_OTHER_TYPES), list(_OTHER_TYPES.values())
    types = pen.random.choices(names, weights, k=count)
    days = pen.days_between(pen.first_day, pen.today, count)
    chosen = pen.random.choices(companies, k=count)
    return [_Plan(*parts) for parts in zip(days, types, chosen, strict=True)]


class _Biller:
    """A biller writes one invoice after the other."""

    def __init__(self, pen: Pen) -> None:
        self._pen = pen
        self._lines = LineWriter(pen)
        self._new = pen.references(Kind.BILLING_STATUS)[0]
        self._locations = pen.references(Kind.LOCATION)
        self._departments = pen.references(Kind.DEPARTMENT)
        self._down_payments: dict[int, Decimal] = {}

    def bill(self, plan: _Plan) -> None:
        """Write an unpaid invoice and its lines."""
        pen, company = self._pen, plan.company
        currency = company["currency"]
        lines = self._lines.draft(plan.type_name, currency, plan.agreement)
        amounts = self._amounts(plan, lines.amounts)
        draft = draft_invoice(
            company,
            type_name=plan.type_name,
            number=_draw_invoice_number(pen),
            issued_on=plan.day,
            due_on=plan.day + timedelta(days=_DUE_DAYS[company["billingTerms"]["name"]]),
            status=self._new,
            currency=currency,
            amounts=amounts,
            location=pen.random.choice(self._locations),
            department=pen.random.choice(self._departments),
        )
        if plan.agreement is not None:
            reference = reference_to(Kind.AGREEMENT, plan.agreement)
            draft["agreement"] = reference | {"type": plan.agreement["type"]["name"]}
            draft["applyToId"] = plan.agreement["id"]
        if pen.chance(0.15):
            draft["customerPO"] = f"PO-{pen.random.randint(1_000, 99_999)}"
        if plan.type_name == "Progress":
            draft["previousProgressApplied"] = rounded(ZERO, decimals_of(currency))
        invoice = pen.write(Kind.INVOICE, draft, plan.day)
        self._lines.write(invoice, lines, plan.day)

    def _amounts(self, plan: _Plan, amounts: Amounts) -> Amounts:
        """Return the amounts with tax, an agreement's fee and earlier down payments."""
        pen, company = self._pen, plan.company
        decimals = decimals_of(company["currency"])
        if plan.type_name == "CreditMemo":
            return Amounts(products=-abs(amounts.products))
        if plan.type_name == "DownPayment":
            earlier = self._down_payments.get(company["id"], ZERO)
            self._down_payments[company["id"]] = earlier + amounts.subtotal
            return amounts
        rate = TAX_RATES[company["taxCode"]["name"]]
        tax = rounded(max(ZERO, amounts.products) * rate, decimals)
        applied = ZERO
        held = self._down_payments.get(company["id"], ZERO)
        if plan.type_name == "Standard" and held > 0:
            applied = rounded(min(held, amounts.subtotal * _DOWNPAYMENT_RATE), decimals)
            self._down_payments[company["id"]] = held - applied
        return Amounts(
            products=amounts.products,
            services=amounts.services,
            expenses=amounts.expenses,
            agreement=amounts.agreement,
            adjustment=_draw_adjustment(pen, decimals),
            downpayment_applied=applied,
            tax=tax,
        )


def _draw_adjustment(pen: Pen, decimals: int) -> Decimal:
    """Return an adjustment that a few invoices bill without a line, mostly zero."""
    if not pen.chance(0.06):
        return ZERO
    return rounded(Decimal(pen.random.randint(-2_000, 5_000)) / 100, decimals)


def _draw_invoice_number(pen: Pen) -> str:
    """Return an invoice number: mostly digits, but a text all the same."""
    digits = pen.tenant.next_invoice_number()
    chosen = pen.random.random()
    if chosen < _SUFFIXED:
        return f"INV-{digits}-A"
    if chosen < _SUFFIXED + _PADDED:
        return digits.zfill(8)
    return digits
