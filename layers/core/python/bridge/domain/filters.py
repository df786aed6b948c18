"""Import filters select the customers and invoices that a partner wants; empty ones select all.

One definition has two readings that must agree: the predicates here decide, and
``connectwise.conditions`` turns the same filters into ConnectWise conditions that spare us
fetching refused records. Conditions have to let through at least as much.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from bridge.domain.customer import Customer
from bridge.domain.errors import InvalidInputError
from bridge.domain.invoice import Invoice, InvoiceType
from bridge.domain.money import to_decimal

MAX_FILTER_VALUES = 100
MAX_AHEAD = timedelta(days=366)
EARLIEST = date(1980, 1, 1)


@dataclass(frozen=True, slots=True)
class CustomerFilter:
    """A customer has to match every set of ConnectWise ids; an empty set accepts all."""

    status_ids: frozenset[int] = frozenset()
    type_ids: frozenset[int] = frozenset()
    territory_ids: frozenset[int] = frozenset()
    company_ids: frozenset[int] = frozenset()

    def accepts(self, customer: Customer) -> bool:
        return self.refusal(customer) is None

    def refusal(self, customer: Customer) -> str | None:
        """Return the name of the first set that refuses the customer, or None."""
        status, territory = customer.status, customer.territory
        return _first_refusal(
            ("status_ids", _among(self.status_ids, status.source_id if status else None)),
            ("type_ids", _any_among(self.type_ids, (ref.source_id for ref in customer.types))),
            (
                "territory_ids",
                _among(self.territory_ids, territory.source_id if territory else None),
            ),
            ("company_ids", _among(self.company_ids, customer.source_id)),
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
        return self.refusal(invoice) is None

    def refusal(self, invoice: Invoice) -> str | None:
        """Return the name of the first restriction that refuses the invoice, or None."""
        status = invoice.status
        return _first_refusal(
            ("types", not self.types or invoice.type in self.types),
            (
                "billing_status_ids",
                _among(self.billing_status_ids, status.source_id if status else None),
            ),
            ("location_ids", _among(self.location_ids, invoice.location_id)),
            ("department_ids", _among(self.department_ids, invoice.department_id)),
            ("agreement_types", self._agreement_matches(invoice)),
            ("date_from", self.date_from is None or invoice.issued_on >= self.date_from),
            ("minimum_balance", self._balance_suffices(invoice)),
        )

    def _agreement_matches(self, invoice: Invoice) -> bool:
        wanted = frozenset(map(_folded, self.agreement_types))
        return not wanted or _folded(invoice.agreement_type) in wanted

    def _balance_suffices(self, invoice: Invoice) -> bool:
        if self.minimum_balance is None:
            return True
        return abs(to_decimal(invoice.balance_minor, invoice.currency)) >= self.minimum_balance


@dataclass(frozen=True, slots=True)
class ImportFilters:
    """A connection has one of each. An invoice also needs a customer that is accepted."""

    customer: CustomerFilter = field(default_factory=CustomerFilter)
    invoice: InvoiceFilter = field(default_factory=InvoiceFilter)

    @property
    def asks_about_customers(self) -> bool:
        """Tell whether an invoice can be judged only together with its customer."""
        return self.customer != CustomerFilter()


def _first_refusal(*verdicts: tuple[str, bool]) -> str | None:
    return next((name for name, accepts in verdicts if not accepts), None)


def refuse_senseless(filters: ImportFilters, today: date) -> None:
    """Raise InvalidInputError, naming the field, for a filter that is impossible to pass.

    Invoices are dated some weeks ahead at most, so a later day is a slip of the finger.
    """
    invoice = filters.invoice
    if invoice.date_from is not None and invoice.date_from > today + MAX_AHEAD:
        raise InvalidInputError(
            "is more than a year ahead, so no invoice would come in", field="invoices.date_from"
        )
    if invoice.date_from is not None and invoice.date_from < EARLIEST:
        raise InvalidInputError(
            "is before 1980; leave it out to take every invoice", field="invoices.date_from"
        )
    if invoice.minimum_balance is not None and invoice.minimum_balance < 0:
        raise InvalidInputError("must be 0 or more", field="invoices.minimum_balance")


def _among(wanted: frozenset[int], value: int | None) -> bool:
    return not wanted or value in wanted


def _any_among(wanted: frozenset[int], values: Iterable[int]) -> bool:
    return not wanted or not wanted.isdisjoint(values)


def _folded(text: str) -> str:
    """Return the text as ConnectWise compares it: upper and lower case are equal."""
    return text.casefold()
