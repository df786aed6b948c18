"""The currency of an invoice that names none."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.domain.mirrored_kinds import INVOICES
from bridge.domain.money import Currency
from tests.unit.connectwise.books import (
    COMPANIES,
    CURRENCIES,
    Books,
    a_company_row,
    an_invoice_row,
)
from tests.unit.connectwise.books import INVOICES as INVOICES_ROUTE

YEN = {"currencyCode": {"id": 4, "name": "JPY"}, "numberOfDecimals": 0}
EURO = {"id": 2, "currencyCode": {"id": 2, "name": "EUR"}, "numberOfDecimals": 2}


def books(invoices: list[Any], *, currencies: list[Any], **company: Any) -> Books:
    plain = [{**row, "total": 110, "balance": 110, "payments": 0} for row in invoices]
    rows = [a_company_row(**company)]
    return Books({INVOICES_ROUTE: plain, COMPANIES: rows, CURRENCIES: currencies})


@pytest.mark.parametrize("nothing", [None, {}, {"_info": {}}, {"id": 1, "symbol": "$"}])
def test_the_payers_own_currency_stands_in(nothing: object) -> None:
    it = books([an_invoice_row(currency=nothing)], currencies=[])

    assert it.psa().fetch(INVOICES, [7]).found[7].currency == Currency("EUR", 2)


def test_a_page_of_invoices_costs_one_call_and_the_next_page_none() -> None:
    it = books([an_invoice_row(number, currency=None) for number in range(1, 50)], currencies=[])
    psa = it.psa()

    for _ in range(2):
        assert len(psa.fetch(INVOICES, list(range(1, 50))).found) == 49

    assert (it.calls[COMPANIES], it.calls[CURRENCIES]) == (1, 0)


def test_invoices_that_name_their_currency_cost_no_call() -> None:
    it = books([an_invoice_row(currency={"isoCode": "USD"})], currencies=[])

    assert it.psa().fetch(INVOICES, [7]).found[7].currency == Currency("USD", 2)
    assert (it.calls[COMPANIES], it.calls[CURRENCIES]) == (0, 0)


def test_the_only_currency_of_the_tenant_stands_in_where_the_company_names_none() -> None:
    it = books([an_invoice_row(currency=None)], currencies=[{"id": 4, **YEN}], currency=None)

    assert it.psa().fetch(INVOICES, [7]).found[7].currency == Currency("JPY", 0)


@pytest.mark.parametrize("currencies", [[], [{"id": 4, **YEN}, EURO]])
def test_among_several_currencies_none_is_guessed(currencies: list[Any]) -> None:
    it = books([an_invoice_row(currency=None)], currencies=currencies, currency=None)

    assert it.psa().fetch(INVOICES, [7]).broken == {
        7: "The currency of invoice 1042 is missing. "
        "Correct it in ConnectWise; it is read again then."
    }


def test_a_currency_without_decimals_has_its_official_ones() -> None:
    it = books([an_invoice_row(currency={"currencyCode": "KWD"})], currencies=[])

    assert it.psa().fetch(INVOICES, [7]).found[7].total_minor == 110_000
