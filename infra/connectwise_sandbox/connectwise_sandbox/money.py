"""Amounts are exact decimals in a currency's major unit."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import Any

ZERO = Decimal(0)
MAX_AMOUNT = Decimal(10) ** 15
"""The greatest amount that is taken, so that sums of many stay exact."""


def decimals_of(currency: Mapping[str, Any] | None) -> int:
    """Return the number of decimals of a currency reference, by default 2."""
    number = (currency or {}).get("numberOfDecimals", 2)
    return number if isinstance(number, int) else 2


def rounded(amount: Decimal, decimals: int) -> Decimal:
    """Return `amount` with exactly `decimals` decimals, half away from zero."""
    return amount.quantize(_unit(decimals), ROUND_HALF_UP)


@cache
def _unit(decimals: int) -> Decimal:
    return Decimal(1).scaleb(-decimals)


def with_decimals(amount: Decimal, decimals: int) -> Decimal:
    """Return `amount` with at least `decimals` decimals; finer digits stay."""
    exponent = amount.as_tuple().exponent
    is_finer = isinstance(exponent, int) and -exponent > decimals
    return amount if is_finer else rounded(amount, decimals)


def as_amount(value: object) -> Decimal | None:
    """Return a JSON number as a Decimal, None for anything else and for one above MAX_AMOUNT."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    amount = Decimal(value)
    return amount if abs(amount) <= MAX_AMOUNT else None
