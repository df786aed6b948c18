"""Lines of many invoices are read in few calls.

The lines of an invoice are the products, time entries and expenses that name it. Invoices whose ids
follow each other closely share the calls of a range of ids, others those of lists of ids.
Source of the facts: ConnectWise public interface 2025.1 and recorded answers.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bridge.connectwise.bulk_reader import BulkReader
from bridge.connectwise.client import Query
from bridge.connectwise.complaints import UNWRITTEN
from bridge.connectwise.held_rows import HeldBytes, Sifted
from bridge.connectwise.listed_rows import Json, row_id
from bridge.connectwise.wire import ExpenseRow, LineRow, ProductRow, TimeRow, parse_row
from bridge.domain.errors import (
    MalformedRecordError,
    TooHeavyError,
    TooMuchTogetherError,
    UntrueListError,
)
from bridge.lanes import side_by_side
from bridge.ports.psa import IDS_OF_A_LIST

PRODUCTS = "/procurement/products"
TIME_ENTRIES = "/time/entries"
EXPENSES = "/expense/entries"
MAX_ROWS_OF_RANGE = 20_000
"""So many lines of a kind are read at once; where there are more, by lists of ids."""

_log = logging.getLogger(__name__)

_NONE_KNOWN: Mapping[int, Sequence[LineRow]] = {}
_INVOICE_ID = "invoice/id"
_PRODUCT_FIELDS = (
    "id,invoice/id,description,customerDescription,quantity,price,extPrice,billableOption,"
    "cancelledFlag"
)
_TIME_FIELDS = (
    "id,invoice/id,notes,workType/name,invoiceHours,hourlyRate,extendedInvoiceAmount,billableOption"
)
_EXPENSE_FIELDS = "id,invoice/id,notes,type/name,invoiceAmount,billableOption"
LINES: tuple[tuple[str, type[LineRow], str], ...] = (
    (PRODUCTS, ProductRow, _PRODUCT_FIELDS),
    (TIME_ENTRIES, TimeRow, _TIME_FIELDS),
    (EXPENSES, ExpenseRow, _EXPENSE_FIELDS),
)
"""The kinds of lines: where they are listed, what they look like, and their fields."""


@dataclass(slots=True)
class Lines:
    """Lines of many invoices, by the invoice's id."""

    by_invoice: dict[int, list[LineRow]] = field(default_factory=lambda: defaultdict(list))
    incomplete: dict[int, str] = field(default_factory=dict)
    """The invoices some of whose lines are unreadable or refused, with the reason."""


class LineReader:
    """The reader reads the lines of given invoices, of all three kinds."""

    def __init__(self, reader: BulkReader) -> None:
        self._reader = reader

    def read(
        self,
        invoice_ids: Iterable[int],
        held: HeldBytes,
        *,
        known: Mapping[int, Sequence[LineRow]] = _NONE_KNOWN,
        is_gapless: bool = False,
        lanes: int = 1,
    ) -> Lines:
        """Return the lines. An unreadable one leaves its invoice among the incomplete.

        ``known`` are all lines of some of the invoices, held already. ``is_gapless`` tells that
        these are all invoices of their range. The kinds are read in so many ``lanes``.
        Raises TooMuchTogetherError where they do not fit beside what is held.
        """
        lines = Lines()
        for invoice_id, rows in known.items():
            lines.by_invoice[invoice_id].extend(rows)
        wanted = sorted(set(invoice_ids) - known.keys())
        by_range = len(wanted) > IDS_OF_A_LIST and (is_gapless or _are_close(wanted))
        sift = self._sifted_in_range if by_range else self._sifted
        found = side_by_side(
            lanes, lambda kind: sift(kind[0], kind[2], wanted, held) if wanted else Sifted(), LINES
        )
        for (_, model, _), sifted in zip(LINES, found, strict=True):
            lines.incomplete |= dict.fromkeys(sifted.broken_ids, UNWRITTEN) | sifted.refused
            for json in sifted.rows:
                try:
                    line = parse_row(model, json)
                except MalformedRecordError as error:
                    _log.warning("line skipped", extra={"field": error.field})
                    owner_id = row_id(json.get("invoice"))
                    if owner_id is not None:
                        lines.incomplete[owner_id] = str(error)
                else:
                    lines.by_invoice[line.invoice.id].append(line)
        return lines

    def _sifted(self, route: str, fields: str, wanted: Sequence[int], held: HeldBytes) -> Sifted:
        query = {"fields": fields}
        return self._reader.by_ids(route, query, wanted, path=_INVOICE_ID, held=held)

    def _sifted_in_range(
        self, route: str, fields: str, wanted: Sequence[int], held: HeldBytes
    ) -> Sifted:
        try:
            return Sifted(self._rows_in_range(route, {"fields": fields}, wanted, held))
        except TooMuchTogetherError:
            raise
        except (TooHeavyError, UntrueListError):
            # Parts of it may do: lists of ids are halved, down to the one that breaks them.
            _log.warning("a range of lines is read by ids", extra={"route": route})
            return self._sifted(route, fields, wanted, held)

    def _rows_in_range(
        self, route: str, query: Query, wanted: Sequence[int], held: HeldBytes
    ) -> list[Json]:
        """Return the rows of the wanted invoices, read with those of all between them.

        Raises UntrueListError for a row of an invoice that was left out of the range.
        """
        first, last = wanted[0], wanted[-1]
        between = f"{_INVOICE_ID}>={first} and {_INVOICE_ID}<={last}"
        rows = self._reader.all(
            route, {**query, "conditions": between}, held=held, max_rows=MAX_ROWS_OF_RANGE
        )
        owners = [row_id(row.get("invoice")) for row in rows]
        if any(owner is not None and not first <= owner <= last for owner in owners):
            raise UntrueListError("ConnectWise lists lines of other invoices")
        chosen = {None, *wanted}
        return [row for row, owner in zip(rows, owners, strict=True) if owner in chosen]


def _are_close(ids: Sequence[int]) -> bool:
    """Tell whether at least every second id of their range is among these."""
    return 2 * len(ids) > ids[-1] - ids[0]
