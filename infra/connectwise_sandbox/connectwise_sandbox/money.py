"""Amounts are exact decimals in a currency's major unit."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

ZERO = Decimal(0)


def decimals_of(currency: Mapping[str, Any] | None) -> int:
    """Return the number of decimals of a currency reference, by default 2."""
    number = (currency or {}).get("numberOfDecimals", 2)
    return number if isinstance(number, int) else 2


def rounded(amount: Decimal, decimals: int) -> Decimal:
    """Return `amount` with exactly `decimals` decimals, half away from zero."""
    return amount.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def as_amount(value: object) -> Decimal | None:
    """Return a JSON number as a Decimal, None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | Decimal):
        return Decimal(value)
    return None
