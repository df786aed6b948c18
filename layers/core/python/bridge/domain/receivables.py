"""Unpaid invoices are summed up by due day, and shown by age."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from bridge.domain.invoice import Invoice
from bridge.domain.money import Currency

MAX_DAYS_APART = 366
"""Due days further from today share the sum of the day so far away, on either side."""


class Age(StrEnum):
    """An amount has the age of its due day."""

    NOT_DUE = "not_due"
    """Due today or later."""
    DAYS_1_TO_30 = "days_1_to_30"
    DAYS_31_TO_60 = "days_31_to_60"
    DAYS_61_TO_90 = "days_61_to_90"
    OVER_90_DAYS = "over_90_days"
    NO_DUE_DAY = "no_due_day"


_LAST_DAYS = {30: Age.DAYS_1_TO_30, 60: Age.DAYS_31_TO_60, 90: Age.DAYS_61_TO_90}


def age_of(due_on: date | None, today: date) -> Age:
    """Return the age of an amount that was due on this day."""
    if due_on is None:
        return Age.NO_DUE_DAY
    days_late = (today - due_on).days
    if days_late <= 0:
        return Age.NOT_DUE
    return next((age for last, age in _LAST_DAYS.items() if days_late <= last), Age.OVER_90_DAYS)


@dataclass(frozen=True, slots=True)
class DueSum:
    """A sum adds up the balances of invoices in one currency that are due on one day."""

    due_on: date | None
    currency: Currency
    amount_minor: int
    invoice_count: int


@dataclass(frozen=True, slots=True)
class Outstanding:
    """A partner's unpaid invoices at one time, summed up."""

    partner_id: str
    summed_at: datetime
    """UTC."""
    due: tuple[DueSum, ...]
    """The debts of customers, by due day and currency."""
    credits: tuple[DueSum, ...]
    """The open credits, below zero; a credit lacks a due day."""
    is_complete: bool
    """False: there are more unpaid invoices than were summed, so that each sum is a least one."""

    def by_age(self, today: date) -> dict[tuple[str, int], dict[Age, tuple[int, int]]]:
        """Return amount and number of invoices by currency (code, decimals) and age."""
        found: dict[tuple[str, int], dict[Age, tuple[int, int]]] = {}
        for each in self.due:
            ages = found.setdefault((each.currency.code, each.currency.decimals), {})
            age = age_of(each.due_on, today)
            amount, count = ages.get(age, (0, 0))
            ages[age] = amount + each.amount_minor, count + each.invoice_count
        return found


def sum_outstanding(
    partner_id: str, invoices: Iterable[Invoice], *, now: datetime, is_complete: bool
) -> Outstanding:
    """Return the sums of these unpaid invoices."""
    due, credits_ = _Sums(), _Sums()
    today = now.date()
    for invoice in invoices:
        if invoice.balance_minor > 0:
            due.add(invoice, _near(invoice.due_on, today))
        else:
            credits_.add(invoice, None)
    return Outstanding(partner_id, now, due.all(), credits_.all(), is_complete)


class _Sums:
    def __init__(self) -> None:
        self._amounts: Counter[tuple[str, str, int]] = Counter()
        self._counts: Counter[tuple[str, str, int]] = Counter()

    def add(self, invoice: Invoice, due_on: date | None) -> None:
        money = invoice.currency
        place = due_on.isoformat() if due_on else "", money.code, money.decimals
        self._amounts[place] += invoice.balance_minor
        self._counts[place] += 1

    def all(self) -> tuple[DueSum, ...]:
        return tuple(
            DueSum(
                date.fromisoformat(day) if day else None,
                Currency(code, decimals),
                self._amounts[day, code, decimals],
                self._counts[day, code, decimals],
            )
            for day, code, decimals in sorted(self._counts)
        )


def _near(day: date | None, today: date) -> date | None:
    if day is None:
        return None
    reach = timedelta(days=MAX_DAYS_APART)
    return min(max(day, today - reach), today + reach)
