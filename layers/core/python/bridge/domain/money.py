"""Money is an integer count of minor units in one currency; floats are forbidden.

ConnectWise sends amounts as JSON numbers and the currency's ``numberOfDecimals`` beside them; the
wire layer reads both as decimals from the JSON text and hands them to :func:`to_minor`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from bridge.domain.errors import MalformedRecordError

MAX_DECIMALS = 4
MAX_AMOUNT_MINOR = 10**15
_MAX_DIGITS = 15
# ConnectWise computes in binary doubles, so a sum may arrive as 94.00000000000001.
DOUBLE_NOISE = Decimal("0.000001")
_CODE = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Currency:
    """An ISO 4217 code with the number of decimals that this tenant's ConnectWise uses for it."""

    code: str
    decimals: int

    def __post_init__(self) -> None:
        if not _CODE.fullmatch(self.code):
            raise MalformedRecordError("is not a code of three capital letters", field="currency")
        if not 0 <= self.decimals <= MAX_DECIMALS:
            raise MalformedRecordError("has an impossible number of decimals", field="currency")


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units of one currency, e.g. 1050 with two decimals for 10.50."""

    amount_minor: int
    currency: Currency


def to_minor(amount: Decimal, currency: Currency, *, field: str) -> int:
    """Return an exact amount in minor units.

    Raises MalformedRecordError when the amount has more decimals than the currency (beyond the
    noise of doubles), is infinite or NaN, or is beyond any plausible invoice.
    """
    rounded = round_to_minor(amount, currency)
    if rounded is None:
        reason = "is out of range" if amount.is_finite() else "is not a number"
        raise MalformedRecordError(reason, field=field)
    if abs(amount - Decimal(rounded).scaleb(-currency.decimals)) > DOUBLE_NOISE:
        raise MalformedRecordError("has more decimals than its currency", field=field)
    return rounded


def round_to_minor(amount: Decimal, currency: Currency) -> int | None:
    """Return an amount in minor units, halves to the even one; None where it is implausible.

    It is for amounts that explain, such as those of lines and taxes, which ConnectWise keeps finer
    than the currency; totals, balances and payments go through :func:`to_minor`.
    """
    if not amount.is_finite() or amount.adjusted() + currency.decimals > _MAX_DIGITS:
        return None
    minor = amount.scaleb(currency.decimals)
    if abs(minor) > MAX_AMOUNT_MINOR:
        return None
    return int(minor.quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


def to_decimal(amount_minor: int, currency: Currency) -> Decimal:
    """Return minor units as a decimal with the currency's own number of places."""
    return Decimal(amount_minor).scaleb(-currency.decimals)
