"""ISO 4217 gives every currency an official number of decimals."""

from __future__ import annotations

from bridge.domain.money import Currency

# ISO 4217, list one: minor units of the currencies that have fewer or more than two.
_DECIMALS = {
    0: {
        *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"),
        *("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"),
    },
    3: {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"},
    4: {"CLF", "UYW"},
}
_DECIMALS_OF_CODE = {code: decimals for decimals, codes in _DECIMALS.items() for code in codes}


def currency_of(code: str) -> Currency:
    """Return an ISO 4217 currency with its official number of decimals."""
    return Currency(code, _DECIMALS_OF_CODE.get(code, 2))
