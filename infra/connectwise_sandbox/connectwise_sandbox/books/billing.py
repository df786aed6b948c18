"""Two years are billed here: agreements every month, work and goods between, and credits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from connectwise_sandbox.books.advances import Advances
from connectwise_sandbox.books.agreements import enter_agreements
from connectwise_sandbox.books.custom_fields import CustomFields
from connectwise_sandbox.books.customers import billable_companies
from connectwise_sandbox.books.entry import DAYS_OF_BILLING, Pen
from connectwise_sandbox.books.lines import LineWriter
from connectwise_sandbox.books.settlement import settle
from connectwise_sandbox.books.setup_tables import BILLING_TERMS, TAX_RATES
from connectwise_sandbox.books.subjects import Subjects
from connectwise_sandbox.finance.invoices import Amounts, draft_invoice
from connectwise_sandbox.kinds import Kind, Record, reference_to
from connectwise_sandbox.money import ZERO, decimals_of, rounded

AGREEMENT_SHARE = 0.5
MONTHS = 24
_OTHER_TYPES = {
    "Standard": 67,
    "Miscellaneous": 12,
    "Progress": 9,
    "CreditMemo": 7,
    "DownPayment": 5,
}
_PROGRESS_PER_COMPANY = 4
_DUE_DAYS = dict(BILLING_TERMS)
_SUFFIXED = 0.10
_PADDED = 0.06
_WITH_CUSTOM_FIELDS = 0.3
_WITHOUT_BILL_TO = 0.03
_WITHOUT_DUE_DATE = 0.03
_WITH_EMPTY_IDS = 0.02
_FINE = 0.06
"""The share of invoices, in currencies of two decimals, whose parts are finer than cents."""
_FINE_DECIMALS = 4
_NOWHERE: Record = {"id": 0, "name": ""}


@dataclass(frozen=True, slots=True)
class _Plan:
    """A plan describes one invoice to be written."""

    day: date
    type_name: str
    company: Record
    agreement: Record | None = None


def bill_two_years(pen: Pen, count: int, custom_fields: CustomFields) -> None:
    """Write exactly `count` invoices, oldest first, with their lines and payments."""
    companies = billable_companies(pen)
    of_agreements = round(count * AGREEMENT_SHARE)
    agreements = enter_agreements(pen, max(1, round(of_agreements / MONTHS)))
    plans = [
        *_agreement_plans(pen, agreements, of_agreements),
        *_other_plans(pen, companies, count - of_agreements),
    ]
    plans.sort(key=lambda plan: plan.day)
    biller = _Biller(pen, custom_fields)
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
    """Return the plans of all other invoices; projects are billed several times."""
    names, weights = list(_OTHER_TYPES), list(_OTHER_TYPES.values())
    types = pen.random.choices(names, weights, k=count)
    days = pen.days_between(pen.first_day, pen.today, count)
    chosen = pen.random.choices(companies, k=count)
    with_projects = companies[: max(1, types.count("Progress") // _PROGRESS_PER_COMPANY)]
    return [
        _Plan(
            day,
            type_name,
            pen.random.choice(with_projects) if type_name == "Progress" else company,
        )
        for day, type_name, company in zip(days, types, chosen, strict=True)
    ]


class _Biller:
    """A biller writes one invoice after the other."""

    def __init__(self, pen: Pen, custom_fields: CustomFields) -> None:
        self._pen = pen
        self._custom_fields = custom_fields
        self._subjects = Subjects(pen)
        self._lines = LineWriter(pen, self._subjects)
        self._advances = Advances(pen)
        self._new = pen.references(Kind.BILLING_STATUS)[0]
        self._locations = pen.references(Kind.LOCATION)
        self._departments = pen.references(Kind.DEPARTMENT)

    def bill(self, plan: _Plan) -> None:
        """Write an unpaid invoice and its lines."""
        pen, company = self._pen, plan.company
        currency = company["currency"]
        is_fine = decimals_of(currency) == 2 and pen.chance(_FINE)  # noqa: PLR2004 - cents
        lines = self._lines.draft(plan.type_name, currency, plan.agreement, is_fine=is_fine)
        subject = self._subject(plan)
        amounts = self._amounts(plan, subject, lines.amounts, is_fine=is_fine)
        due_on = plan.day + timedelta(days=_DUE_DAYS[company["billingTerms"]["name"]])
        is_nowhere = pen.chance(_WITH_EMPTY_IDS)
        draft = draft_invoice(
            company,
            type_name=plan.type_name,
            number=_draw_invoice_number(pen),
            issued_on=plan.day,
            due_on=None if pen.chance(_WITHOUT_DUE_DATE) else due_on,
            status=self._new,
            currency=currency,
            amounts=amounts,
            location=_NOWHERE if is_nowhere else pen.random.choice(self._locations),
            department=_NOWHERE if is_nowhere else pen.random.choice(self._departments),
        )
        odd = self._oddities(is_nowhere=is_nowhere)
        invoice = pen.write(Kind.INVOICE, draft | subject | odd, plan.day)
        self._advances.bill(invoice)
        self._lines.write(invoice, company, lines, plan.day)

    def _subject(self, plan: _Plan) -> Record:
        """Return the properties that name the subject of an invoice."""
        if plan.agreement is None:
            return self._subjects.draw(plan.type_name, plan.company, plan.day)
        reference = reference_to(Kind.AGREEMENT, plan.agreement)
        return {
            "applyToType": "Agreement",
            "applyToId": plan.agreement["id"],
            "agreement": reference | {"type": plan.agreement["type"]["name"]},
        }

    def _oddities(self, *, is_nowhere: bool) -> Record:
        """Return the properties of some invoices only, None for those to leave out."""
        pen = self._pen
        odd: Record = {}
        if pen.chance(0.15):
            odd["customerPO"] = f"PO-{pen.random.randint(1_000, 99_999)}"
        if pen.chance(_WITH_CUSTOM_FIELDS):
            odd["customFields"] = self._custom_fields.of_invoice()
        if pen.chance(_WITHOUT_BILL_TO):
            odd["billToCompany"] = None
        if is_nowhere:
            odd["billingTerms"] = _NOWHERE
        return odd

    def _amounts(self, plan: _Plan, subject: Record, amounts: Amounts, *, is_fine: bool) -> Amounts:
        """Return the amounts with tax, and less earlier down payments and progress."""
        pen, company = self._pen, plan.company
        decimals = decimals_of(company["currency"])
        if plan.type_name == "CreditMemo":
            return Amounts(products=-abs(amounts.products))
        if plan.type_name == "DownPayment":
            return amounts
        rate = TAX_RATES[company["taxCode"]["name"]]
        tax = max(ZERO, amounts.products) * rate
        taxed = replace(
            amounts,
            adjustment=_draw_adjustment(pen, decimals),
            tax=rounded(tax, _FINE_DECIMALS if is_fine else decimals),
        )
        if plan.type_name == "Standard":
            return self._advances.apply_downpayment(company, taxed)
        if plan.type_name == "Progress":
            return self._advances.apply_progress(subject["project"], taxed, decimals)
        return taxed


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
