"""The record store keeps customers, invoices and payments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from bridge.domain.customer import Customer
from bridge.domain.identity import RecordKind
from bridge.domain.invoice import Invoice, InvoiceState
from bridge.domain.mirrored_kinds import MirroredKind, MirroredRecord, R
from bridge.domain.payment import Payment
from bridge.ports.psa import ListedRecord
from bridge.ports.stored import Page, Stored


@dataclass(frozen=True, slots=True)
class InvoiceQuery:
    """An invoice has to match every restriction; None accepts all."""

    state: InvoiceState | None = None
    connection_id: str | None = None
    customer_id: str | None = None
    currency_code: str | None = None
    number: str | None = None
    due_from: date | None = None
    """Inclusive."""
    due_to: date | None = None
    """Inclusive."""


@dataclass(frozen=True, slots=True)
class CustomerQuery:
    """A customer has to match every restriction; None accepts all."""

    is_archived: bool = False
    connection_id: str | None = None
    name: str | None = None
    """The beginning of the name, in upper or lower case."""


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


class RecordStore(Protocol):
    """The store keeps mirrored records and platform-only ones side by side.

    Every read and write names the partner; it may not reach another partner's records.
    """

    def get(self, kind: MirroredKind[R], partner_id: str, record_id: str) -> Stored[R]:
        """Return the record; version 0 where nothing is stored, and for any text but an id."""
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

    def count_mirrored(self, partner_id: str, connection_id: str, kind: RecordKind) -> int:
        """Return the number of mirrored records in the open view, which archived ones have left."""
        ...

    def list_invoices(
        self, partner_id: str, query: InvoiceQuery, *, limit: int, cursor: str | None = None
    ) -> Page[Invoice]:
        """Return invoices, their lines and payments left out: unpaid first, then by due date."""
        ...

    def list_customers(
        self, partner_id: str, query: CustomerQuery, *, limit: int, cursor: str | None = None
    ) -> Page[Customer]: ...

    def list_payments(
        self, partner_id: str, query: PaymentQuery, *, limit: int, cursor: str | None = None
    ) -> Page[Payment]:
        """Return payments, latest first."""
        ...
