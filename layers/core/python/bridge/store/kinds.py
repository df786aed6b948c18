"""The table of mirrored kinds in the records table: their keys, attributes and events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic

from bridge.domain.customer import Customer
from bridge.domain.events import Change, DomainEvent, customer_events, invoice_events
from bridge.domain.identity import RecordKind
from bridge.domain.invoice import Invoice
from bridge.domain.mirrored_kinds import R
from bridge.store import keys
from bridge.store.attributes import Plain
from bridge.store.keys import Key
from bridge.store.search_keys import customer_search_keys, invoice_search_keys


@dataclass(frozen=True, slots=True)
class StoredKind(Generic[R]):
    """One kind of record as it is stored."""

    index_keys: Callable[[R], Mapping[str, str]]
    beside: Callable[[R], Mapping[str, Plain]]
    """Returns the attributes beside ``data`` by which lists and sweeps choose."""
    search_keys: Callable[[R], frozenset[Key]]
    events: Callable[[R | None, R, Change], tuple[DomainEvent, ...]]
    """Derives the domain events of one write."""


def _beside_customer(customer: Customer) -> Mapping[str, Plain]:
    return {"is_archived": customer.archive is not None}


def _beside_invoice(invoice: Invoice) -> Mapping[str, Plain]:
    return {
        "is_archived": invoice.archive is not None,
        "has_balance": invoice.balance_minor != 0,
        **({} if invoice.payments_complete else {"lacks_payments": True}),
    }


STORED_KINDS: Final[Mapping[RecordKind, StoredKind[Any]]] = {
    RecordKind.CUSTOMER: StoredKind(
        keys.customer_index_keys, _beside_customer, customer_search_keys, customer_events
    ),
    RecordKind.INVOICE: StoredKind(
        keys.invoice_index_keys, _beside_invoice, invoice_search_keys, invoice_events
    ),
}
