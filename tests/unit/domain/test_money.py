"""R10: money is integer minor units and a currency; no float touches it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.errors import MalformedRecordError
from bridge.domain.money import (
    MAX_AMOUNT_MINOR,
    MAX_DECIMALS,
    Currency,
    round_to_minor,
    to_decimal,
    to_minor,
)

currencies = st.builds(
    Currency,
    code=st.sampled_from(["USD", "EUR", "JPY", "KWD"]),
    decimals=st.integers(0, MAX_DECIMALS),
)
minor_amounts = st.integers(-MAX_AMOUNT_MINOR, MAX_AMOUNT_MINOR)


@given(minor_amounts, currencies)
def test_minor_units_survive_the_way_to_decimal_and_back(amount: int, currency: Currency) -> None:
    assert to_minor(to_decimal(amount, currency), currency, field="total") == amount


@given(st.integers(-(10**9), 10**9), currencies)
def test_the_noise_of_doubles_does_not_move_an_amount(amount: int, currency: Currency) -> None:
    noisy = to_decimal(amount, currency) + Decimal("0.0000000000001")
    assert to_minor(noisy, currency, field="total") == amount


@pytest.mark.parametrize(
    ("text", "decimals"),
    [("10.005", 2), ("0.5", 0), ("1.0004", 3), ("NaN", 2), ("Infinity", 2), ("1e16", 2)],
)
def test_an_amount_its_currency_cannot_hold_is_refused(text: str, decimals: int) -> None:
    with pytest.raises(MalformedRecordError) as caught:
        to_minor(Decimal(text), Currency("USD", decimals), field="total")
    assert caught.value.field == "total"


@pytest.mark.parametrize(
    ("text", "minor"), [("0.005", 0), ("0.015", 2), ("-0.015", -2), ("0.0049", 0), ("2.675", 268)]
)
def test_amounts_that_explain_round_halves_to_the_even_unit(text: str, minor: int) -> None:
    assert round_to_minor(Decimal(text), Currency("USD", 2)) == minor


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1e16", "-1e308", "1e1000000"])
def test_an_implausible_amount_that_explains_is_left_out(text: str) -> None:
    assert round_to_minor(Decimal(text), Currency("USD", 2)) is None


@pytest.mark.parametrize("code", ["usd", "US", "", "USDX", "U$D"])
def test_a_currency_needs_a_code_of_three_capitals(code: str) -> None:
    with pytest.raises(MalformedRecordError):
        Currency(code, 2)
