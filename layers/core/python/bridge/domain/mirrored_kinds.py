"""The table of mirrored kinds has an entry for each kind of record that follows ConnectWise.

Everything that treats kinds alike (refresh, runs, filters, stores) reads this table. Adapters keep
their own part of an entry: ``connectwise.kinds`` and ``callback_types``, and ``store.kinds``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeAlias, TypeVar

from bridge.domain.customer import Customer
from bridge.domain.filters import ImportFilters
from bridge.domain.identity import RecordKind
from bridge.domain.invoice import Invoice
from bridge.domain.money import Money
from bridge.domain.payment import Payment

MirroredRecord: TypeAlias = Customer | Invoice
R = TypeVar("R", Customer, Invoice)


@dataclass(frozen=True, slots=True, eq=False)
class MirroredKind(Generic[R]):
    """An entry describes one kind of mirrored record."""

    record_kind: RecordKind
    record_type: type[R]
    plural: str
    """Names the kind's counters on a run and its delta run."""
    refusal: Callable[[ImportFilters, R], str | None]
    """Returns the restriction of the kind's own import filter that keeps a record out, if any."""
    id_of: Callable[[R], str]
    label_of: Callable[[R], str]
    """Returns the name that a person knows a record by."""
    payer_id_of: Callable[[R], int | None] | None = None
    """Returns the ConnectWise id of the record's customer, for kinds that belong to one. A record
    is mirrored only if its customer is."""
    balance_of: Callable[[R], Money | None] = lambda _record: None
    """Returns the open money of a record, for kinds that have any."""
    has_contacts: bool = False
    """A contact's change also changes the record, whose date in ConnectWise stays as it is."""
    payments_of: Callable[[R], tuple[Payment, ...]] | None = None
    """Returns the payments stored with a record, for kinds that have any."""
    awaiting_payments: Callable[[R, R | None, bool], R] | None = None
    """Returns a record that was read without its payments, given what was stored before, and
    whether its head is still the same."""
    is_settled: Callable[[R], bool] = lambda _record: True
    """Tells whether the parts of a record agree; ConnectWise may be about to change one."""
    wants_pdf: Callable[[R], bool] = lambda _record: False
    """Tells whether a changed record is to be printed afresh."""

    def payer_id(self, record: R) -> int | None:
        """Return the ConnectWise id of the record's customer, where its kind has one."""
        return self.payer_id_of(record) if self.payer_id_of else None

    def accepts(self, filters: ImportFilters, record: R) -> bool:
        """Tell whether the kind's own import filter lets a record in."""
        return self.refusal(filters, record) is None


CUSTOMERS: Final[MirroredKind[Customer]] = MirroredKind(
    record_kind=RecordKind.CUSTOMER,
    record_type=Customer,
    plural="customers",
    refusal=lambda filters, customer: filters.customer.refusal(customer),
    id_of=lambda customer: customer.customer_id,
    label_of=lambda customer: customer.name,
    has_contacts=True,
)
INVOICES: Final[MirroredKind[Invoice]] = MirroredKind(
    record_kind=RecordKind.INVOICE,
    record_type=Invoice,
    plural="invoices",
    refusal=lambda filters, invoice: filters.invoice.refusal(invoice),
    id_of=lambda invoice: invoice.invoice_id,
    label_of=lambda invoice: invoice.number,
    payer_id_of=lambda invoice: invoice.customer_source_id,
    balance_of=lambda invoice: Money(invoice.balance_minor, invoice.currency),
    payments_of=lambda invoice: invoice.payments,
    awaiting_payments=lambda invoice, before, has_same_head: invoice.awaiting_payments(
        before, has_same_head=has_same_head
    ),
    is_settled=lambda invoice: (
        invoice.archive is not None or not invoice.payments_complete or invoice.balance_agrees
    ),
    wants_pdf=lambda invoice: invoice.is_unpaid,
)
MIRRORED_KINDS: Final[tuple[MirroredKind[Any], ...]] = (CUSTOMERS, INVOICES)
"""In the order of an import: customers come before the records that belong to them."""

_BY_RECORD_KIND: Final[Mapping[RecordKind, MirroredKind[Any]]] = {
    kind.record_kind: kind for kind in MIRRORED_KINDS
}
_BY_TYPE: Final[Mapping[type, MirroredKind[Any]]] = {
    kind.record_type: kind for kind in MIRRORED_KINDS
}


def mirrored_kind(record_kind: RecordKind) -> MirroredKind[Any]:
    """Return the entry of a record kind. Raises KeyError for payments, a part of invoices."""
    return _BY_RECORD_KIND[record_kind]


def kind_of(record: MirroredRecord) -> MirroredKind[Any]:
    """Return the entry of a record's kind."""
    return _BY_TYPE[type(record)]


def refusal(
    kind: MirroredKind[R], filters: ImportFilters, record: R, payer: Customer | None
) -> str | None:
    """Return the filter that keeps a record out, its payer's included, e.g. ``invoices.types``."""
    own = kind.refusal(filters, record)
    if own:
        return f"{kind.plural}.{own}"
    payers = payer and CUSTOMERS.refusal(filters, payer)
    return f"{CUSTOMERS.plural}.{payers}" if payers else None
