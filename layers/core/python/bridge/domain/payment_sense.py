"""A payment has to make sense when it is recorded.

That is asked then only: a payment that was stored under other rules stays readable.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from bridge.domain.errors import InvalidInputError
from bridge.domain.invoice import Invoice, InvoiceType
from bridge.domain.platform_payment import PlatformPayment

MAX_DAYS_AHEAD = 1
"""Somewhere on earth it is tomorrow already."""
MAX_YEARS_BACK = 5
_LAST_DAY_OF_FEBRUARY = 28


def check_sense(payment: PlatformPayment, today: date) -> None:
    """Raise InvalidInputError for a day or a fee out of range; ``today`` is in UTC."""
    if payment.received_on > today + timedelta(days=MAX_DAYS_AHEAD):
        raise InvalidInputError(
            "lies in the future: give the day on which the money was received, "
            "at most one day after today (UTC)",
            field="received_on",
        )
    if payment.received_on < _years_before(today, MAX_YEARS_BACK):
        raise InvalidInputError(
            "lies too far back: give the day on which the money was received, "
            f"at most {MAX_YEARS_BACK} years before today",
            field="received_on",
        )
    if not 0 <= payment.fee_minor <= payment.amount_minor:
        raise InvalidInputError(
            "give the fee in minor units, from 0 to the payment's amount", field="fee_minor"
        )


def check_debt(invoices: Iterable[Invoice]) -> None:
    """Raise InvalidInputError where an invoice is a credit memo, which is in the payer's favour."""
    if any(map(_is_credit, invoices)):
        raise InvalidInputError(
            "nothing is owed on a credit memo; allocate the payment to invoices",
            field="allocations",
        )


def _is_credit(invoice: Invoice) -> bool:
    return invoice.type is InvoiceType.CREDIT_MEMO or invoice.total_minor < 0


def _years_before(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=_LAST_DAY_OF_FEBRUARY)
