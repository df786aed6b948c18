"""The rendered invoice, read back with another PDF library."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from pypdf import PdfReader

from connectwise_sandbox.pdf import (
    MAX_LINES,
    InvoiceDocument,
    InvoiceLine,
    render_invoice_pdf,
)


def a_line(number: int) -> InvoiceLine:
    return InvoiceLine(f"Managed workstation {number}", Decimal("2.50"), Decimal("1249.99"))


INVOICE = InvoiceDocument(
    provider_name="Blue Harbor IT Services",
    customer_name="Café Zoë GmbH",
    address_lines=("12 Harbor Road", "Göteborg 411 03"),
    invoice_number="INV-10042",
    invoice_date=date(2026, 1, 31),
    due_date=date(2026, 3, 2),
    currency_code="EUR",
    decimals=2,
    lines=tuple(a_line(number) for number in range(10)),
    subtotal=Decimal("12499.90"),
    tax=Decimal("2624.98"),
    total=Decimal("15124.88"),
    payments=Decimal(5000),
    credits=Decimal(0),
    balance=Decimal("10124.88"),
)


def pages_of(document: InvoiceDocument) -> list[str]:
    reader = PdfReader(io.BytesIO(render_invoice_pdf(document)), strict=True)
    return [page.extract_text() for page in reader.pages]


def test_an_invoice_shows_who_pays_what_until_when() -> None:
    (page,) = pages_of(INVOICE)

    for printed in (
        "Blue Harbor IT Services",
        "Café Zoë GmbH",
        "Göteborg 411 03",
        "Invoice INV-10042",
        "Due 2026-03-02",
        "Managed workstation 9 2.5 1,249.99",
        "Subtotal 12,499.90",
        "Tax 2,624.98",
        "Total 15,124.88",
        "Payments -5,000.00",
        "Credits 0.00",
        "Balance due EUR 10,124.88",
        "Page 1 of 1",
    ):
        assert printed in page


def test_the_same_document_gives_the_same_bytes() -> None:
    assert render_invoice_pdf(INVOICE) == render_invoice_pdf(INVOICE)


def test_another_document_gives_other_bytes() -> None:
    other = replace(INVOICE, balance=Decimal(0))

    assert render_invoice_pdf(other) != render_invoice_pdf(INVOICE)


def test_a_long_invoice_repeats_its_head_on_every_page_and_totals_on_the_last() -> None:
    lines = tuple(a_line(number) for number in range(200))

    pages = pages_of(replace(INVOICE, lines=lines))

    assert 4 <= len(pages) <= 8
    assert all("Invoice INV-10042" in page for page in pages)
    assert [page for page in pages if "Balance due" in page] == [pages[-1]]
    assert f"Page 2 of {len(pages)}" in pages[1]
    printed = "\n".join(pages)
    assert all(f"Managed workstation {number} 2.5" in printed for number in range(200))


@pytest.mark.parametrize("count", range(30, 45))
def test_the_totals_are_never_torn_apart(count: int) -> None:
    pages = pages_of(replace(INVOICE, lines=tuple(a_line(number) for number in range(count))))

    (page,) = [page for page in pages if "Subtotal" in page]
    assert "Balance due" in page


def test_a_currency_without_decimals_is_printed_without_them() -> None:
    (page,) = pages_of(replace(INVOICE, currency_code="JPY", decimals=0, total=Decimal(15125)))

    assert "Total 15,125\n" in page


def test_a_currency_with_three_decimals_is_printed_with_them() -> None:
    (page,) = pages_of(replace(INVOICE, currency_code="KWD", decimals=3))

    assert "Balance due KWD 10,124.880" in page


def test_a_credit_memo_is_printed_with_negative_amounts() -> None:
    (page,) = pages_of(replace(INVOICE, total=Decimal("-50.00"), payments=Decimal("-0.00")))

    assert "Total -50.00" in page
    assert "Payments 0.00" in page


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("Łódź Ő Ltd", "?ódz O Ltd"),
        ("北京", "??"),
        ("👩‍🚀 rocket", "? rocket"),
        ("5 € — “quoted”", "5 € — “quoted”"),
        ("ﬁ ²", "fi ²"),
        ("e\u0301", "é"),
        ("two\nrows\tand\x00nul", "two rows and nul"),
        ("broken \ud800 surrogate", "broken ? surrogate"),
        ("{nb} **bold** <b>", "**bold** <b>"),
    ],
)
def test_what_the_font_lacks_is_degraded(text: str, printed: str) -> None:
    (page,) = pages_of(replace(INVOICE, customer_name=text))

    assert printed in page


@pytest.mark.parametrize("text", ["", "x" * 10_000, "word " * 2_000, "\u200b", "W" * 500])
def test_no_text_breaks_the_layout(text: str) -> None:
    line = InvoiceLine(text, Decimal("1E+2"), Decimal("999999999999.99"))
    strange = replace(
        INVOICE,
        provider_name=text,
        customer_name=text,
        address_lines=(text,) * 4,
        invoice_number=text[:15],
        due_date=None,
        lines=(line,),
    )

    pages = pages_of(strange)

    assert "100 999,999,999,999.99" in "\n".join(pages)
    assert "Due on receipt" in "\n".join(pages)


def test_an_invoice_without_lines_is_rendered() -> None:
    (page,) = pages_of(replace(INVOICE, lines=()))

    assert "Balance due" in page


def test_an_endless_invoice_is_refused() -> None:
    with pytest.raises(ValueError, match=str(MAX_LINES)):
        render_invoice_pdf(replace(INVOICE, lines=(a_line(1),) * (MAX_LINES + 1)))
