"""The information about an invoice is its header and all its lines, in the answer to one call.

The public interface names ``GET /finance/info/invoice/{id}`` and keeps silent about its limits: a
server may lack it, deny it, or leave lines out. So an answer is taken only where the lines add up
to the sums that the header states for each kind. Any other invoice is read from lists, which every
server has.
Source of the facts: ConnectWise public interface 2025.1; developer guide, pagination.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from bridge.connectwise.call_limits import INFORMATION as INFORMATION_LIMITS
from bridge.connectwise.client import ConnectWiseClient, JsonAnswer
from bridge.connectwise.failures import OddStatusError, TooSlowError, UnroutedError
from bridge.connectwise.fingerprints import INVOICE_FINGERPRINT_FIELDS, fingerprint
from bridge.connectwise.held_rows import (
    MAX_ROWS_OF_ONE,
    FoundRows,
    HeldBytes,
    TooManyRowsError,
)
from bridge.connectwise.listed_rows import Json, row_id
from bridge.connectwise.mapping import is_charged
from bridge.connectwise.wire import (
    ExpenseRow,
    InvoiceRow,
    LineRow,
    LineSums,
    ProductRow,
    TimeRow,
    parse_row,
)
from bridge.domain.comparison import is_earlier
from bridge.domain.errors import (
    BridgeError,
    MalformedRecordError,
    NotFoundError,
    PermissionMissingError,
    RefusedError,
    SiteUnreachableError,
    ThrottledError,
    UnavailableError,
)
from bridge.domain.money import DOUBLE_NOISE

INFORMATION = "/finance/info/invoice/{id}"
HEADER = "/finance/invoices/{id}"
MAX_ASKED_SINGLY = 3
"""So many invoices cost fewer calls one by one than a list of headers and three of lines."""
LAG_SECONDS = 5.0
"""ConnectWise's lists show a change so long after it at the latest, as far as was seen."""
ROWS_OF_A_PAGE = 25
"""A list has so many rows unless more are asked for; a cut one has a multiple of them."""

_LINES: tuple[tuple[str, type[LineRow], str, str], ...] = (
    ("products", ProductRow, "ext_price", "product_total"),
    ("timeEntries", TimeRow, "extended_invoice_amount", "service_total"),
    ("expenses", ExpenseRow, "invoice_amount", "expense_total"),
)
"""The kinds of lines: their list, their model, the field of a line's amount, and their sum."""
_WITHOUT_ENDPOINT = (HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Information:
    """The information about one invoice was found whole."""

    header: Json
    lines: tuple[LineRow, ...]


class _UnusableError(Exception):
    """The answer lacks a part that lists have; this stays within the module."""


class InformationReader:
    """The reader asks for single invoices as long as ConnectWise offers their information.

    ``on_missed`` is told once where it is missing, so that all workers leave it alone for a while.
    """

    def __init__(
        self, client: ConnectWiseClient, *, is_offered: bool, on_missed: Callable[[], None]
    ) -> None:
        self._client = client
        self.is_offered = is_offered
        self._on_missed = on_missed
        self._missed: set[int] = set()
        self._seen: dict[int, str] = {}
        """The fingerprints of headers whose lines are to be read from lists."""

    def read(self, source_ids: Sequence[int], held: HeldBytes) -> Mapping[int, Information]:
        """Return the information about up to MAX_ASKED_SINGLY invoices.

        Those left out are to be read from lists. Raises the errors that lists would meet alike,
        such as rejected keys, and TooMuchTogetherError as lists do.
        """
        asked = ((source_id, self._read_one(source_id, held)) for source_id in source_ids)
        return {source_id: found for source_id, found in asked if found}

    def note_listed(self, fingerprints: Mapping[int, str]) -> None:
        """Note that the endpoint is missing where it lacked an invoice that ConnectWise has.

        A list may show a deleted invoice for some seconds more, so one is asked for by its id.
        Raises ThrottledError where a list shows an invoice as it was before the header just seen.
        """
        if any(is_earlier(each, self._seen.get(i, "")) for i, each in fingerprints.items()):
            raise ThrottledError("lists lag behind", retry_after_seconds=LAG_SECONDS)
        listed = self._missed & fingerprints.keys()
        self._missed.clear()
        if listed and self.is_offered and self._is_there(min(listed)):
            self.is_offered = False
            _log.info("invoices are read from lists", extra={"route": INFORMATION})
            self._on_missed()

    def _is_there(self, source_id: int) -> bool:
        """Tell whether ConnectWise shows an invoice by its id; trouble with that counts as a no."""
        query = {"fields": "id"}
        try:
            self._client.read(HEADER, ids={"id": source_id}, query=query, limits=INFORMATION_LIMITS)
        except BridgeError:
            return False
        return True

    def _read_one(self, source_id: int, held: HeldBytes) -> Information | None:
        try:
            answer = self._client.read(
                INFORMATION, ids={"id": source_id}, max_attempts=1, limits=INFORMATION_LIMITS
            )
            header = _header(answer.value, source_id)
        except SiteUnreachableError:
            raise
        except (NotFoundError, PermissionMissingError, RefusedError, _UnusableError):
            self._missed.add(source_id)
            return None
        except UnavailableError as error:
            if _is_without_endpoint(error):
                self._missed.add(source_id)
            return None
        try:
            lines = _lines(answer.value, header, source_id)
            _hold(answer, held)
        except (MalformedRecordError, TooManyRowsError, _UnusableError):
            self._seen[source_id] = fingerprint(header, INVOICE_FINGERPRINT_FIELDS)
            return None
        return Information(header, lines)


def _is_without_endpoint(error: UnavailableError) -> bool:
    """Tell a server that lacks the call, or is too slow at it, from passing trouble."""
    if isinstance(error, OddStatusError):
        return error.status in _WITHOUT_ENDPOINT
    return isinstance(error, UnroutedError | TooSlowError)


def _hold(answer: JsonAnswer, held: HeldBytes) -> None:
    found = FoundRows(parsed_bytes=answer.parsed_bytes)
    held.require_room(found)
    held.add(found)


def _header(value: Any, source_id: int) -> Json:
    """Return the header. Raises _UnusableError for one that lacks a part of listed ones."""
    header = value.get("invoice") if isinstance(value, Mapping) else None
    if not isinstance(header, Mapping) or row_id(header) != source_id:
        raise _UnusableError
    dates = header.get("_info")
    if not isinstance(dates, Mapping) or not dates.get("lastUpdated"):
        raise _UnusableError
    try:
        parse_row(InvoiceRow, header)
    except MalformedRecordError as error:
        raise _UnusableError from error
    return header


def _lines(value: Json, header: Json, source_id: int) -> tuple[LineRow, ...]:
    """Return all lines, by kind and id.

    Raises MalformedRecordError for an unreadable one, and _UnusableError where some may be
    missing.
    """
    if all(value.get(name) is None for name, *_ in _LINES):
        raise _UnusableError
    sums = parse_row(LineSums, header)
    lines: list[LineRow] = []
    for name, model, amount, total in _LINES:
        rows = [_with_owner(row, source_id) for row in _rows(value.get(name))]
        of_kind = [parse_row(model, row) for row in rows]
        charges = [(line, getattr(line, amount) or Decimal(0)) for line in of_kind]
        is_own = all(line.invoice.id == source_id for line in of_kind)
        if not is_own or not _add_up(charges, getattr(sums, total)):
            raise _UnusableError
        lines += of_kind
    return tuple(lines)


def _rows(listed: object) -> list[Json]:
    """Return the rows of a kind by id; a list that is left out is empty.

    Raises _UnusableError for rows that repeat, are too many, or end like a page.
    """
    if listed is None:
        return []
    if not isinstance(listed, list) or len(listed) > MAX_ROWS_OF_ONE:
        raise _UnusableError
    rows = [row for row in listed if isinstance(row, Mapping)]
    ids = [row_id(row) or 0 for row in rows]
    if len(rows) < len(listed) or len(set(ids)) < len(ids) or 0 in ids:
        raise _UnusableError
    if rows and len(rows) % ROWS_OF_A_PAGE == 0:
        raise _UnusableError
    return sorted(rows, key=lambda row: row_id(row) or 0)


def _with_owner(row: Json, source_id: int) -> Json:
    """Return the row with the invoice in which it was found, unless it names one itself."""
    return row if row.get("invoice") is not None else {**row, "invoice": {"id": source_id}}


def _add_up(lines: Sequence[tuple[LineRow, Decimal]], stated: Decimal | None) -> bool:
    """Tell whether lines make the sum of their kind: all of them, or those that are charged.

    Whether ConnectWise counts the free ones is unproven.
    """
    if stated is None:
        return False
    whole = sum(amount for _, amount in lines)
    charged = sum(amount for line, amount in lines if is_charged(line))
    return any(abs(each - stated) <= DOUBLE_NOISE for each in (whole, charged))
