"""Import filters select the customers and invoices that a partner wants; empty ones select all.

One definition has two readings that must agree: the predicates here decide, and
``connectwise.conditions`` turns the same filters into ConnectWise conditions that spare us
fetching refused records. Conditions have to let through at least as much.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from bridge.domain.customer import Customer
from bridge.domain.invoice import Invoice, InvoiceType
from bridge.domain.money import to_decimal

MAX_FILTER_VALUES = 100


@dataclass(frozen=True, slots=True)
class CustomerFilter:
    """A customer has to match every set of ConnectWise ids; an empty set accepts all."""

    status_ids: frozenset[int] = frozenset()
    type_ids: frozenset[int] = frozenset()
    territory_ids: frozenset[int] = frozenset()
    company_ids: frozenset[int] = frozenset()

    def accepts(self, customer: Customer) -> bool:
        return (
            _among(self.status_ids, customer.status.source_id if customer.status else None)
            and _any_among(self.type_ids, (ref.source_id for ref in customer.types))
            and _among(
                self.territory_ids, customer.territory.source_id if customer.territory else None
            )
            and _among(self.company_ids, customer.source_id)
        )


@dataclass(frozen=True, slots=True)
class InvoiceFilter:
    """An invoice has to match every restriction; an empty one accepts all."""

    types: frozenset[InvoiceType] = frozenset()
    billing_status_ids: frozenset[int] = frozenset()
    location_ids: frozenset[int] = frozenset()
    department_ids: frozenset[int] = frozenset()
    agreement_types: frozenset[str] = frozenset()
    """The tenant's own type names."""
    date_from: date | None = None
    minimum_balance: Decimal | None = None
    """In the invoice's own currency. It is compared with the size of the balance, so that open
    credit memos are treated like open invoices."""

    def accepts(self, invoice: Invoice) -> bool:
        return (
            (not self.types or invoice.type in self.types)
            and _among(
                self.billing_status_ids, invoice.status.source_id if invoice.status else None
            )
            and _among(self.location_ids, invoice.location_id)
            and _among(self.department_ids, invoice.department_id)
            and (not self.agreement_types or _folded(invoice.agreement_type) in self._type_names())
            and (self.date_from is None or invoice.issued_on >= self.date_from)
            and self._balance_suffices(invoice)
        )

    def _type_names(self) -> frozenset[str]:
        return frozenset(map(_folded, self.agreement_types))

    def _balance_suffices(self, invoice: Invoice) -> bool:
        if self.minimum_balance is None:
            return True
        return abs(to_decimal(invoice.balance_minor, invoice.currency)) >= self.minimum_balance


@dataclass(frozen=True, slots=True)
class ImportFilters:
    """A connection has one of each. An invoice also needs a customer that is accepted."""

    customer: CustomerFilter = field(default_factory=CustomerFilter)
    invoice: InvoiceFilter = field(default_factory=InvoiceFilter)


def _among(wanted: frozenset[int], value: int | None) -> bool:
    return not wanted or value in wanted


def _any_among(wanted: frozenset[int], values: Iterable[int]) -> bool:
    return not wanted or not wanted.isdisjoint(values)


def _folded(text: str) -> str:
    """Return the text as ConnectWise compares it: upper and lower case are equal."""
    return text.casefold()
