"""The record store keeps customers, invoices and payments."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from bridge.domain.customer import Customer
from bridge.domain.identity import Origin, RecordKind
from bridge.domain.invoice import Invoice, InvoiceState, InvoiceType
from bridge.domain.mirrored_kinds import MirroredKind, MirroredRecord, R
from bridge.domain.payment import Payment
from bridge.domain.search_terms import amounts_of, begins_words, fold_number
from bridge.ports.psa import ListedRecord
from bridge.ports.stored import Page, Stored


@dataclass(frozen=True, slots=True)
class InvoiceQuery:
    """An invoice has to match every restriction; None accepts all.

    A list of a number or an amount is in its order, and any other one in that of the due dates.
    """

    state: InvoiceState | None = None
    connection_id: str | None = None
    customer_id: str | None = None
    currency_code: str | None = None
    number: str | None = None
    """The beginning of the number, in upper or lower case; leading zeros are left aside."""
    is_whole_number: bool = False
    """The number is typed to its end."""
    amount_minor: int | None = None
    """Exactly the total or the balance."""
    due_from: date | None = None
    """Inclusive."""
    due_to: date | None = None
    """Inclusive."""
    is_unpaid: bool = False
    """Only open and partly paid ones."""
    overdue_on: date | None = None
    """Only those that a customer owes and that were due before this day; credits are left out."""
    type: InvoiceType | None = None
    status_id: int | None = None
    """The billing status, by ConnectWise's id."""
    origin: Origin | None = None
    is_latest_due_first: bool = False
    """The list is in the falling order of due dates."""

    def matches(self, invoice: Invoice) -> bool:
        return (
            self.state in (None, invoice.state)
            and (invoice.is_unpaid or not self.is_unpaid)
            and (self.overdue_on is None or invoice.is_overdue(self.overdue_on))
            and self.type in (None, invoice.type)
            and self.status_id in (None, invoice.status.source_id if invoice.status else 0)
            and self.origin in (None, invoice.origin)
            and self.connection_id in (None, invoice.connection_id)
            and self.customer_id in (None, invoice.customer_id)
            and self.currency_code in (None, invoice.currency.code)
            and self._has_number(invoice)
            and (self.amount_minor is None or self.amount_minor in amounts_of(invoice))
            and _is_within(invoice.due_on, self.due_from, self.due_to)
        )

    def _has_number(self, invoice: Invoice) -> bool:
        if not self.number:
            return True
        wanted, number = fold_number(self.number), fold_number(invoice.number)
        return number == wanted if self.is_whole_number else number.startswith(wanted)


@dataclass(frozen=True, slots=True)
class CustomerQuery:
    """A customer has to match every restriction; None accepts all."""

    is_archived: bool = False
    connection_id: str | None = None
    name: str | None = None
    """Words of the name, of each its beginning, in upper or lower case."""

    def matches(self, customer: Customer) -> bool:
        return (
            self.is_archived == (customer.archive is not None)
            and self.connection_id in (None, customer.connection_id)
            and begins_words(self.name or "", customer.name)
        )


@dataclass(frozen=True, slots=True)
class PaymentQuery:
    """A payment has to match every restriction; None accepts all."""

    connection_id: str | None = None
    customer_id: str | None = None
    invoice_id: str | None = None
    paid_from: date | None = None
    paid_to: date | None = None
    with_deleted: bool = False
    """Adds deleted payments, which are history."""

    def matches(self, payment: Payment) -> bool:
        return (
            (self.with_deleted or not payment.is_deleted)
            and self.connection_id in (None, payment.connection_id)
            and self.customer_id in (None, payment.customer_id)
            and self.invoice_id in (None, payment.invoice_id)
            and _is_within(payment.paid_on, self.paid_from, self.paid_to)
        )


def _is_within(day: date | None, first: date | None, last: date | None) -> bool:
    if first is None and last is None:
        return True
    return day is not None and (first or date.min) <= day <= (last or date.max)


class RecordStore(Protocol):
    """The store keeps mirrored records and platform-only ones side by side.

    Every read and write names the partner; it may not reach another partner's records.
    """

    def get(self, kind: MirroredKind[R], partner_id: str, record_id: str) -> Stored[R]:
        """Return the record; version 0 where nothing is stored, and for any text but an id."""
        ...

    def get_bare(
        self, kind: MirroredKind[R], partner_id: str, record_ids: Collection[str]
    ) -> Mapping[str, R]:
        """Return the stored ones of the records by id; lines and payments are left out."""
        ...

    def get_mirrored(
        self,
        kind: MirroredKind[R],
        partner_id: str,
        connection_id: str,
        source_ids: Sequence[int],
    ) -> Mapping[int, Stored[R]]:
        """Return an entry for every given id, with version 0 for a missing record."""
        ...

    def save(
        self, record: MirroredRecord, *, expected_version: int, change_fingerprint: str = ""
    ) -> int:
        """Write if the stored version is the expected one (0 for a new record).

        Payments of an invoice that changed are listed with it, and those gone are marked. When
        many changed, they are listed right after it; if the worker dies in between, the invoice
        keeps a fingerprint of our own, and its next save lists them.
        Returns the new version; raises ConflictError. A write of ours whose answer was lost and
        that the SDK repeated counts as a success.
        """
        ...

    def save_tombstone(
        self, partner_id: str, connection_id: str, kind: RecordKind, source_id: int
    ) -> None:
        """Note that ConnectWise lacks a record that the mirror lacks, too."""
        ...

    def list_mirrored(
        self,
        partner_id: str,
        connection_id: str,
        kind: RecordKind,
        *,
        after_id: int,
        through_id: int | None,
        limit: int,
    ) -> tuple[ListedRecord, ...]:
        """Return mirrored records with ids above ``after_id``, lowest first.

        Archived records are among them and marked; tombstones are left out.
        """
        ...

    def list_lacking_payments(
        self, partner_id: str, connection_id: str, *, below_id: int | None, limit: int
    ) -> tuple[int, ...]:
        """Return ids of mirrored invoices whose payments are still to be read, highest first.

        Archived ones are among them.
        """
        ...

    def count_mirrored(self, partner_id: str, connection_id: str, kind: RecordKind) -> int:
        """Return the number of mirrored records in the open view, which archived ones have left."""
        ...

    def list_invoices(
        self, partner_id: str, query: InvoiceQuery, *, limit: int, cursor: str | None = None
    ) -> Page[Invoice]:
        """Return invoices, their lines and payments left out: unpaid first, then by due date.

        Those of a number or an amount come in its order.
        """
        ...

    def list_customers(
        self, partner_id: str, query: CustomerQuery, *, limit: int, cursor: str | None = None
    ) -> Page[Customer]: ...

    def list_payments(
        self, partner_id: str, query: PaymentQuery, *, limit: int, cursor: str | None = None
    ) -> Page[Payment]:
        """Return payments, latest first."""
        ...
