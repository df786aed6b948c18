"""An invoice is rendered as a PDF here, as ConnectWise would from a template.

The font is the Helvetica that is built into PDF readers. It renders in milliseconds and covers
the Windows-1252 characters: other letters lose their accents (`ő` becomes `o`), and characters
beyond the Latin script, such as Chinese or an emoji, become question marks.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache, lru_cache

from fpdf import FPDF
from fpdf.enums import Align, MethodReturnValue, WrapMode, XPos, YPos

MAX_LINES = 5_000
MAX_TEXT_LENGTH = 500
"""Characters printed of any one text; the rest is cut off."""

_ENCODING = "windows-1252"
_INVISIBLE = frozenset({"Mn", "Me", "Cf"})

_MARGIN_MM = 18.0
_ROW_MM = 5.5
_DESCRIPTION_MM, _QUANTITY_MM, _AMOUNT_MM = 114.0, 24.0, 36.0
_WIDTH_MM = _DESCRIPTION_MM + _QUANTITY_MM + _AMOUNT_MM
_INK, _FAINT, _SHADE = (33, 37, 41), (110, 117, 125), (240, 242, 245)


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """An invoice line is one row of the table."""

    description: str
    quantity: Decimal
    amount: Decimal
    """In the currency's major unit."""


@dataclass(frozen=True, slots=True)
class InvoiceDocument:
    """An invoice document holds everything that is printed; amounts are in the major unit."""

    provider_name: str
    customer_name: str
    address_lines: tuple[str, ...]
    invoice_number: str
    invoice_date: date
    due_date: date | None
    currency_code: str
    decimals: int
    """Places after the decimal point of every printed amount."""
    lines: tuple[InvoiceLine, ...]
    subtotal: Decimal
    tax: Decimal
    total: Decimal
    payments: Decimal
    """Positive where they lower the balance."""
    credits: Decimal
    """Positive where they lower the balance."""
    balance: Decimal


def render_invoice_pdf(document: InvoiceDocument) -> bytes:
    """Return the PDF bytes; the same document always gives the same bytes.

    Raises ValueError if the document has more than MAX_LINES lines.
    """
    if len(document.lines) > MAX_LINES:
        raise ValueError(f"An invoice of more than {MAX_LINES} lines is not rendered.")
    page = _InvoicePages(document)
    page.add_page()
    page.print_parties()
    page.print_lines()
    page.print_totals()
    return bytes(page.output())


@cache
def blank_pdf() -> bytes:
    """Return the bytes of a PDF of one empty page."""
    page = FPDF()
    page.set_creation_date(datetime(2026, 1, 1, tzinfo=UTC))
    page.add_page()
    return bytes(page.output())


class _InvoicePages(FPDF):
    """These pages print the parts of one invoice from top to bottom, in call order."""

    def __init__(self, document: InvoiceDocument) -> None:
        super().__init__(unit="mm", format="A4")
        self._document = document
        self.core_fonts_encoding = _ENCODING
        self.set_margin(_MARGIN_MM)
        self.set_auto_page_break(auto=True, margin=_MARGIN_MM + 6)
        self.set_title(_make_printable(f"Invoice {document.invoice_number}"))
        self.set_author(_make_printable(document.provider_name))
        # The date stands in the file; any clock would make each rendering different.
        self.set_creation_date(datetime.combine(document.invoice_date, time(), tzinfo=UTC))

    def header(self) -> None:
        """Print the provider and the invoice number on top of every page."""
        self._use_font(16, bold=True)
        provider = _make_printable(self._document.provider_name)
        self._print_text(_WIDTH_MM * 0.65, self._fit_row(provider, _WIDTH_MM * 0.65), height_mm=9)
        self._use_font(11, color=_FAINT)
        number = _make_printable(f"Invoice {self._document.invoice_number}")
        self._print_text(_WIDTH_MM * 0.35, number, Align.R, height_mm=9, last=True)
        self.set_draw_color(*_FAINT)
        self.line(_MARGIN_MM, self.get_y() + 1, _MARGIN_MM + _WIDTH_MM, self.get_y() + 1)
        self.ln(7)

    def footer(self) -> None:
        """Print the page number below every page."""
        self.set_y(-_MARGIN_MM)
        self._use_font(8, color=_FAINT)
        self._print_text(_WIDTH_MM, f"Page {self.page_no()} of {{nb}}", Align.C)

    def print_parties(self) -> None:
        """Print the billed customer on the left and the dates on the right."""
        document, top = self._document, self.get_y()
        due = document.due_date.isoformat() if document.due_date else "on receipt"
        facts = (
            ("Invoice number", document.invoice_number),
            ("Date", document.invoice_date.isoformat()),
            ("Due", due),
            ("Currency", document.currency_code),
        )
        for label, value in facts:
            self.set_x(_MARGIN_MM + _WIDTH_MM * 0.6)
            self._use_font(9, color=_FAINT)
            self._print_text(_WIDTH_MM * 0.2, label)
            self._use_font(9, bold=True)
            self._print_text(_WIDTH_MM * 0.2, _make_printable(value), Align.R, last=True)
        bottom = self.get_y()
        self.set_y(top)
        self._use_font(9, color=_FAINT)
        self._print_text(_WIDTH_MM * 0.55, "Bill to", last=True)
        self._use_font(11, bold=True)
        self._print_paragraph(_make_printable(document.customer_name), _WIDTH_MM * 0.55)
        self._use_font(10)
        for line in document.address_lines:
            self._print_paragraph(_make_printable(line), _WIDTH_MM * 0.55)
        self.set_y(max(bottom, self.get_y()) + 8)

    def print_lines(self) -> None:
        """Print the table of lines, with its head repeated on every page."""
        self._print_table_head()
        for line in self._document.lines:
            self._print_line(line)
        self.ln(3)

    def print_totals(self) -> None:
        """Print the sums, all on one page, the balance last."""
        document = self._document
        rows = (
            ("Subtotal", document.subtotal),
            ("Tax", document.tax),
            ("Total", document.total),
            ("Payments", -document.payments),
            ("Credits", -document.credits),
        )
        if self.will_page_break(_ROW_MM * (len(rows) + 3)):
            self.add_page()
        for label, amount in rows:
            self._print_sum(label, amount, bold=label == "Total")
        self.ln(1)
        self.set_fill_color(*_SHADE)
        self._print_sum(f"Balance due {document.currency_code}", document.balance, filled=True)

    def _print_table_head(self) -> None:
        self._use_font(9, bold=True)
        self.set_fill_color(*_SHADE)
        self._print_text(_DESCRIPTION_MM, "Description", height_mm=7, fill=True)
        self._print_text(_QUANTITY_MM, "Quantity", Align.R, height_mm=7, fill=True)
        self._print_text(_AMOUNT_MM, "Amount", Align.R, height_mm=7, fill=True, last=True)
        self._use_font(9)

    def _print_line(self, line: InvoiceLine) -> None:
        description = _make_printable(line.description)
        rows = self._wrap(description, _DESCRIPTION_MM)
        if self.will_page_break(_ROW_MM * len(rows)):
            self.add_page()
            self._print_table_head()
        quantity = f"{line.quantity.normalize():,f}"
        for index, row in enumerate(rows):
            first = index == 0
            self._print_text(_DESCRIPTION_MM, row)
            self._print_text(_QUANTITY_MM, quantity if first else "", Align.R)
            self._print_text(
                _AMOUNT_MM, self._format_amount(line.amount) if first else "", Align.R, last=True
            )

    def _print_sum(
        self, label: str, amount: Decimal, *, bold: bool = False, filled: bool = False
    ) -> None:
        self.set_x(_MARGIN_MM + _DESCRIPTION_MM - 20)
        self._use_font(11 if filled else 9, bold=bold or filled)
        height_mm = 9 if filled else _ROW_MM
        self._print_text(
            _QUANTITY_MM + 20, _make_printable(label), height_mm=height_mm, fill=filled
        )
        self._print_text(
            _AMOUNT_MM,
            self._format_amount(amount),
            Align.R,
            height_mm=height_mm,
            fill=filled,
            last=True,
        )

    def _format_amount(self, amount: Decimal) -> str:
        # Adding zero turns a negative zero into zero.
        return f"{round(amount, self._document.decimals) + 0:,.{self._document.decimals}f}"

    def _use_font(
        self, size_points: int, *, bold: bool = False, color: tuple[int, int, int] = _INK
    ) -> None:
        self.set_font("helvetica", "B" if bold else "", size_points)
        self.set_text_color(*color)

    def _print_text(
        self,
        width_mm: float,
        text: str,
        align: Align = Align.L,
        *,
        height_mm: float = _ROW_MM,
        fill: bool = False,
        last: bool = False,
    ) -> None:
        x, y = (XPos.LMARGIN, YPos.NEXT) if last else (XPos.RIGHT, YPos.TOP)
        self.cell(width_mm, height_mm, text, align=align, fill=fill, new_x=x, new_y=y)

    def _print_paragraph(self, text: str, width_mm: float) -> None:
        for row in self._wrap(text, width_mm):
            self._print_text(width_mm, row, last=True)

    def _wrap(self, text: str, width_mm: float) -> list[str]:
        if self.get_string_width(text) < width_mm - 2 * self.c_margin:
            return [text]
        rows = self.multi_cell(
            width_mm,
            text=text,
            align=Align.L,
            wrapmode=WrapMode.WORD,
            dry_run=True,
            output=MethodReturnValue.LINES,
        )
        return [str(row) for row in rows] if isinstance(rows, list) else [text]

    def _fit_row(self, text: str, width_mm: float) -> str:
        return self._wrap(text, width_mm)[0]


def _make_printable(text: str) -> str:
    """Return the text in characters of the font, in one row, cut to MAX_TEXT_LENGTH."""
    composed = unicodedata.normalize("NFC", text[:MAX_TEXT_LENGTH])
    return " ".join("".join(map(_make_printable_character, composed)).split())


@lru_cache(maxsize=4_096)
def _make_printable_character(character: str) -> str:
    if unicodedata.category(character) == "Cc":
        return " "
    if _is_in_font(character):
        return character
    base = "".join(filter(_is_in_font, unicodedata.normalize("NFKD", character)))
    if base:
        return base
    return "" if unicodedata.category(character) in _INVISIBLE else "?"


def _is_in_font(character: str) -> bool:
    try:
        character.encode(_ENCODING)
    except UnicodeEncodeError:
        return False
    return True
