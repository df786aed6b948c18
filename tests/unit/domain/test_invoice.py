"""What the platform derives from an invoice's amounts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.invoice import (
    InvoiceState,
    LineItem,
    LineKind,
    balance_state,
    with_adjustment,
)

amounts = st.integers(-(10**9), 10**9)


@pytest.mark.parametrize(
    ("total", "balance", "state"),
    [
        (100, 100, InvoiceState.OPEN),
        (100, 40, InvoiceState.PARTIALLY_PAID),
        (100, 0, InvoiceState.PAID),
        (100, -5, InvoiceState.PAID),
        (100, 130, InvoiceState.OPEN),
        (0, 0, InvoiceState.PAID),
        (-100, -100, InvoiceState.OPEN),
        (-100, -40, InvoiceState.PARTIALLY_PAID),
        (-100, 0, InvoiceState.PAID),
        (0, -5, InvoiceState.OPEN),
    ],
)
def test_the_state_follows_the_balance(total: int, balance: int, state: InvoiceState) -> None:
    assert balance_state(total, balance) is state


@given(amounts.filter(bool), amounts)
def test_a_credit_memo_is_an_invoice_in_the_mirror(total: int, balance: int) -> None:
    assert balance_state(total, balance) is balance_state(-total, -balance)


@given(st.lists(amounts, max_size=30), amounts)
def test_lines_always_add_up_to_the_total(line_amounts: list[int], total: int) -> None:
    lines = tuple(LineItem(LineKind.PRODUCT, "x", amount) for amount in line_amounts)
    adjusted = with_adjustment(lines, total)
    assert sum(line.amount_minor for line in adjusted) == total
    assert adjusted[: len(lines)] == lines
    assert len(adjusted) - len(lines) == int(sum(line_amounts) != total)
