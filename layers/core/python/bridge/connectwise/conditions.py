"""This module writes import filters, ids and times as ``conditions``: the texts of a query.

The filters' own predicates (``bridge.domain.filters``) decide which records are wanted. Conditions
only spare fetching the others, so they may let more through, never less: a filter that ConnectWise
is unable to express, or that would make the URL too long, is left out.
Source of the language: ConnectWise developer guide, query string parameters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from urllib.parse import quote

from bridge.domain.filters import CustomerFilter, ImportFilters, InvoiceFilter

NOT_DELETED = "deletedFlag=false"
MAX_LIST_VALUES = 1_000

# These are missing from the developer guide's list of characters to encode; leaving them as they
# are lets more ids fit into one URL.
_PLAIN_IN_QUERIES = "(),=/:"
_JOINT = " and "


@dataclass(frozen=True, slots=True)
class Conditions:
    """The conditions are the two texts that restrict a list; an empty text leaves it whole."""

    text: str = ""
    child_text: str = ""
    """Restricts by the members of an array (``childConditions``)."""
    is_exact: bool = True
    """False for filters that were written in part, so that other records are listed too."""


@lru_cache(maxsize=1_024)
def encoded(text: str) -> str:
    """Return the value of a query parameter percent-encoded."""
    return quote(text, safe=_PLAIN_IN_QUERIES)


def customer_conditions(
    filters: ImportFilters | None, changed_since: datetime | None, room: int
) -> Conditions:
    """Return the conditions of a list of companies; they always exclude deleted ones.

    ``room`` is the number of encoded characters that the two texts may take together.
    """
    wanted = filters.customer if filters else CustomerFilter()
    writer = _Writer(room)
    writer.require(NOT_DELETED)
    writer.require_changed_since(changed_since)
    writer.restrict("status/id", wanted.status_ids)
    writer.restrict("territory/id", wanted.territory_ids)
    writer.restrict("id", wanted.company_ids)
    writer.restrict_children("types/id", wanted.type_ids)
    return writer.conditions()


def invoice_conditions(
    filters: ImportFilters | None, changed_since: datetime | None, room: int
) -> Conditions:
    """Return the conditions of a list of invoices.

    ConnectWise computes balances and cannot filter by them. Of the customers' filter only the
    ids can be asked of an invoice, whose payer is its bill-to company, else its company.
    """
    filters = filters or ImportFilters()
    wanted = filters.invoice
    writer = _Writer(room)
    writer.require_changed_since(changed_since)
    if wanted.date_from:
        writer.add(f"date>={_moment(_midnight(wanted.date_from))}")
    writer.restrict_texts("type", [each.value for each in wanted.types])
    writer.restrict("status/id", wanted.billing_status_ids)
    writer.restrict("locationId", wanted.location_ids)
    writer.restrict("departmentId", wanted.department_ids)
    writer.restrict_texts("agreement/type", wanted.agreement_types)
    if filters.customer.company_ids:
        ids = _listed(filters.customer.company_ids)
        writer.add(f"(billToCompany/id in {ids} or company/id in {ids})")
    if not _is_fully_askable(wanted, filters.customer):
        writer.is_exact = False
    return writer.conditions()


def _is_fully_askable(wanted: InvoiceFilter, customer: CustomerFilter) -> bool:
    return wanted.minimum_balance is None and customer == CustomerFilter()


def changed_since_condition(changed_since: datetime) -> str:
    """Return the condition for records changed at that moment or later.

    ConnectWise keeps whole seconds, so the second that had begun counts.
    """
    return f"lastUpdated>={_moment(changed_since)}"


def text_condition(path: str, text: str) -> str | None:
    """Return the condition that a property is this text, None for one that is unsafe to quote."""
    quoted = _quoted(text)
    return quoted and f"{path}={quoted}"


def ids_condition(path: str, ids: Iterable[int]) -> str:
    """Return the condition that a property, such as ``invoice/id``, is one of the ids."""
    return f"{path} in {_listed(ids)}"


def chunk_ids(ids: Iterable[int], path: str, room: int) -> Iterator[list[int]]:
    """Cut ids into chunks whose :func:`ids_condition` takes at most ``room`` encoded characters.

    Raises ValueError if even a single id is too long.
    """
    chunk: list[int] = []
    fixed = len(encoded(ids_condition(path, ())))
    used = fixed
    for source_id in sorted(set(ids)):
        needed = len(str(source_id)) + 1
        if fixed + needed > room:
            raise ValueError("no room for a single id")
        if chunk and (used + needed > room or len(chunk) >= MAX_LIST_VALUES):
            yield chunk
            chunk, used = [], fixed
        chunk.append(source_id)
        used += needed
    if chunk:
        yield chunk


class _Writer:
    """The writer collects clauses as long as they fit; the required ones come first."""

    def __init__(self, room: int) -> None:
        self.is_exact = True
        self._room = room
        self._clauses: list[str] = []
        self._child_clause = ""

    def require(self, clause: str) -> None:
        self._clauses.append(clause)
        self._room -= len(encoded(clause + _JOINT))

    def require_changed_since(self, changed_since: datetime | None) -> None:
        if changed_since is not None:
            self.require(changed_since_condition(changed_since))

    def add(self, clause: str) -> None:
        if self._fits(clause):
            self.require(clause)

    def restrict(self, field: str, ids: frozenset[int]) -> None:
        if ids:
            self.add(ids_condition(field, ids))

    def restrict_texts(self, field: str, texts: Iterable[str]) -> None:
        """Restrict to texts, or drop the restriction for one that is unsafe to quote, or blank.

        A blank text wants records whose property is absent, and those fail every condition.
        """
        quoted = [_quoted(text) for text in sorted(texts)]
        if None in quoted:
            self.is_exact = False
        elif quoted:
            self.add(f"{field} in ({','.join(filter(None, quoted))})")

    def restrict_children(self, field: str, ids: frozenset[int]) -> None:
        """Restrict by the members of an array, by ``=`` for each: ``in`` is undocumented there."""
        clause = " or ".join(f"{field}={each}" for each in sorted(ids))
        if clause and self._fits(clause):
            self._child_clause = clause
            self._room -= len(encoded(clause))

    def conditions(self) -> Conditions:
        return Conditions(_JOINT.join(self._clauses), self._child_clause, self.is_exact)

    def _fits(self, clause: str) -> bool:
        fits = len(encoded(clause + _JOINT)) <= self._room
        self.is_exact = self.is_exact and fits
        return fits


def _listed(ids: Iterable[int]) -> str:
    return f"({','.join(map(str, sorted(ids)))})"


def _quoted(text: str) -> str | None:
    """Return a text in quotes, or None for a text that is unsafe to quote.

    The developer guide documents no escape for a quote inside quotes, so a text is put between
    those quotes that it lacks.
    """
    if not text.strip() or "\\" in text or not text.isprintable():
        return None
    for quote_mark in ('"', "'"):
        if quote_mark not in text:
            return f"{quote_mark}{text}{quote_mark}"
    return None


def _moment(moment: datetime) -> str:
    return f"[{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}]"


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
