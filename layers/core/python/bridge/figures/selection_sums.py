"""The invoices of a selection are added up, as many as are read at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from bridge.domain.invoice import Invoice
from bridge.domain.money import Currency
from bridge.figures.bounded_list import read_list
from bridge.ports import InvoiceQuery, RecordStore

MAX_INVOICES = 2_000
_MAX_PAGES = 5


@dataclass(frozen=True, slots=True)
class SelectionSum:
    """The invoices of one currency."""

    currency: Currency
    total_minor: int
    balance_minor: int
    """Of those in the open view."""
    invoice_count: int


@dataclass(frozen=True, slots=True)
class SelectionSums:
    """The sums of a selection, by currency."""

    by_currency: tuple[SelectionSum, ...]
    is_complete: bool
    """False: the selection has more invoices than were read, so that each count is a least one."""


def selection_sums(records: RecordStore, partner_id: str, query: InvoiceQuery) -> SelectionSums:
    """Return the sums over a partner's invoices that match the query."""
    found = read_list(
        lambda limit, cursor: records.list_invoices(partner_id, query, limit=limit, cursor=cursor),
        most=MAX_INVOICES,
        max_pages=_MAX_PAGES,
    )
    return SelectionSums(_summed(found.items), is_complete=found.is_complete)


def _summed(invoices: Iterable[Invoice]) -> tuple[SelectionSum, ...]:
    by_currency: defaultdict[tuple[str, int], list[Invoice]] = defaultdict(list)
    for invoice in invoices:
        by_currency[invoice.currency.code, invoice.currency.decimals].append(invoice)
    return tuple(
        SelectionSum(
            Currency(*money),
            total_minor=sum(each.total_minor for each in found),
            balance_minor=sum(each.balance_minor for each in found if not each.archive),
            invoice_count=len(found),
        )
        for money, found in sorted(by_currency.items())
    )
