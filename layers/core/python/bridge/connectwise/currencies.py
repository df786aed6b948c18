"""The currencies of companies stand in for those that invoices of older servers lack.

Source of the facts: ConnectWise public interface 2025.1. ``Company.currency`` is the currency that
a company is billed in; ``/finance/currencies`` lists those that the tenant uses, all alike.
Samples of on-premise servers lack the ``currency`` of invoices.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bridge.connectwise.bulk_reader import BulkReader
from bridge.connectwise.customers import COMPANIES
from bridge.connectwise.held_rows import HeldBytes
from bridge.connectwise.listed_rows import row_id
from bridge.connectwise.wire import CurrencyRow, parse_row
from bridge.domain.errors import (
    MalformedRecordError,
    NotFoundError,
    PermissionMissingError,
    RefusedError,
)
from bridge.domain.money import Currency

CURRENCIES = "/finance/currencies"

_COMPANY_FIELDS = "id,currency"
_CURRENCY_FIELDS = "id,currencyCode,numberOfDecimals"


class CompanyCurrencies:
    """The currencies of one connection's companies, read once each and for many at a time."""

    def __init__(self, reader: BulkReader) -> None:
        self._reader = reader
        self._known: dict[int, Currency | None] = {}
        self._tenants: tuple[Currency | None] | None = None

    def of(
        self, company_ids: Iterable[int], held: HeldBytes | None = None
    ) -> dict[int, Currency | None]:
        """Return the currency of each company: its own, else the only one that the tenant uses.

        None stands for a company whose currency is unknown. ``held`` is what the same reading
        holds already.
        """
        wanted = set(company_ids)
        unknown = sorted(wanted - self._known.keys())
        if unknown:
            query = {"fields": _COMPANY_FIELDS}
            rows = self._reader.by_ids(COMPANIES, query, unknown, held=held).rows
            self._known |= dict.fromkeys(unknown, None)
            for row in rows:
                company_id = row_id(row)
                if company_id is not None:
                    self._known[company_id] = _currency(row.get("currency"))
        return {each: self._known[each] or self._only_currency() for each in wanted}

    def _only_currency(self) -> Currency | None:
        if self._tenants is None:
            self._tenants = (self._read_only_currency(),)
        return self._tenants[0]

    def _read_only_currency(self) -> Currency | None:
        try:
            rows = self._reader.all(CURRENCIES, {"fields": _CURRENCY_FIELDS})
        except (NotFoundError, PermissionMissingError, RefusedError):
            return None
        found = {_currency(_as_reference(row)) for row in rows}
        return found.pop() if len(found) == 1 else None


def _as_reference(row: Mapping[str, object]) -> Mapping[str, object]:
    """Return a row of the tenant's currencies in the form that other records name one in."""
    code = row.get("currencyCode")
    return {**row, "currencyCode": code.get("name") if isinstance(code, Mapping) else code}


def _currency(row: object) -> Currency | None:
    try:
        return parse_row(CurrencyRow, row).as_currency()
    except MalformedRecordError:
        return None
