"""What recording payments and writing them back needs from the world."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Generic, Protocol, TypeVar

from bridge.domain.connection import Connection
from bridge.domain.invoice import BillingStatus
from bridge.domain.money import Currency
from bridge.domain.platform_payment import PlatformPayment
from bridge.domain.write_back import Lease, WriteBack
from bridge.ports import Page, Stored

T = TypeVar("T")

# --- ConnectWise -------------------------------------------------------------------------------


NOBODY = "nobody"
"""Stands where a write-back's id would: it holds a point in every write-back's id, this none."""


@dataclass(frozen=True, slots=True)
class PsaPayment:
    """A payment row as ConnectWise lists it. ``is_credit`` marks an applied credit memo."""

    psa_payment_id: int
    amount_minor: int
    paid_on: date | None
    applied_by: str
    is_credit: bool = False


@dataclass(frozen=True, slots=True)
class PostedPayment:
    """What ConnectWise answered to a post. ``amount_minor`` may be less than was asked for, since
    an overpayment may be capped; it is None where the answer did not say it, and ``applied_by``,
    the API member whom ConnectWise took us for, is empty."""

    psa_payment_id: int
    amount_minor: int | None
    applied_by: str = ""


@dataclass(frozen=True, slots=True)
class PsaBalance:
    """What a payment needs to know of an invoice in ConnectWise."""

    currency: Currency
    total_minor: int
    balance_minor: int
    status: BillingStatus | None
    is_batched: bool


class PsaPayments(Protocol):
    """The write side of one connection's ConnectWise.

    Reads raise what :class:`bridge.ports.Psa` says. Writes are sent at most once: they raise
    UnavailableError or ThrottledError only when they were surely not sent, RefusedError,
    PermissionMissingError, NotFoundError or CredentialsRejectedError only when they were surely
    refused, and OutcomeUnknownError for everything between.
    """

    def read_balance(self, invoice_source_id: int) -> PsaBalance:
        """Raises NotFoundError when ConnectWise does not have the invoice."""
        ...

    def list_payments(self, invoice_source_id: int, currency: Currency) -> tuple[PsaPayment, ...]:
        """Return every payment of an invoice, by id.

        Raises NotFoundError when ConnectWise does not have the invoice, and MalformedRecordError
        for a row that cannot be read and may be ours; one of somebody else comes with an amount of
        zero and no day.
        """
        ...

    def post_payment(
        self, invoice_source_id: int, *, amount_minor: int, currency: Currency, paid_on: date
    ) -> PostedPayment:
        """Post a payment once."""
        ...

    def delete_payment(self, invoice_source_id: int, psa_payment_id: int) -> None:
        """Delete a payment once; NotFoundError when it is not there."""
        ...

    def set_status(self, invoice_source_id: int, status_id: int, *, is_closed: bool) -> None:
        """Set an invoice's billing status and compare what came back with what was asked.

        A closed invoice takes its status through ``/finance/closedInvoices``. Raises RefusedError
        when ConnectWise answered well but did not change it.
        """
        ...


class PaymentsGateway(Protocol):
    def open_payments(self, connection: Connection) -> PsaPayments: ...


# --- the ledger --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LedgerEntry(Generic[T]):
    """One entry of a history: what a record became at ``version``, when, and who wrote it.

    ``written_by`` is a part of the bridge, not a person.
    """

    version: int
    recorded_at: datetime
    written_by: str
    value: T


class LedgerStore(Protocol):
    """Payments of the platform, their write-backs, who owns which ConnectWise payment, and leases.

    Conditional writes raise ConflictError when their condition fails, except for a write of our
    own whose answer was lost: that one counts as made. Payments and write-backs are never
    deleted, and each change of one adds an entry to its history.
    """

    def record(self, payment: PlatformPayment, write_backs: Sequence[WriteBack]) -> None:
        """Store a new payment with its write-backs, all or none.

        Raises ConflictError when a payment of that id is stored already, and InvalidInputError
        for a write-back that is not one of the payment's own.
        """
        ...

    def get_payment(self, partner_id: str, payment_id: str) -> Stored[PlatformPayment]: ...

    def move_payment(
        self,
        payment: PlatformPayment,
        *,
        expected_version: int,
        write_backs: Sequence[tuple[WriteBack, int]],
    ) -> None:
        """Store a payment's new state and its write-backs' new targets, all or none.

        Each write-back comes with the version it must still have.
        """
        ...

    def list_payments(
        self, partner_id: str, *, customer_id: str | None, limit: int, cursor: str | None = None
    ) -> Page[PlatformPayment]:
        """Return payments, latest first."""
        ...

    def payment_history(
        self, partner_id: str, payment_id: str, *, limit: int
    ) -> tuple[LedgerEntry[PlatformPayment], ...]:
        """Return the latest entries of a payment's history, latest first."""
        ...

    def get_write_back(self, connection_id: str, write_back_id: str) -> Stored[WriteBack]: ...

    def write_back_history(
        self, connection_id: str, write_back_id: str, *, limit: int
    ) -> tuple[LedgerEntry[WriteBack], ...]: ...

    def write_backs_of_payment(
        self, partner_id: str, payment_id: str
    ) -> tuple[Stored[WriteBack], ...]:
        """Return them in the order of the payment's allocations."""
        ...

    def write_backs_of_invoice(
        self, connection_id: str, invoice_source_id: int
    ) -> tuple[WriteBack, ...]:
        """Return them in the order they were made in."""
        ...

    def list_write_backs(
        self, connection_id: str, *, limit: int, cursor: str | None = None
    ) -> Page[WriteBack]:
        """Return all write-backs of a connection, those of one invoice side by side."""
        ...

    def list_due(self, now: datetime, *, limit: int) -> tuple[WriteBack, ...]:
        """Return write-backs of all partners whose ``due_at`` has come, the longest due first.

        Those that have ended are not among them.
        """
        ...

    def save_write_back(
        self,
        write_back: WriteBack,
        *,
        expected_version: int,
        holding: Lease | None = None,
        extend_until: datetime | None = None,
        release: bool = False,
        own_psa_payment_id: int | None = None,
        disown_psa_payment_id: int | None = None,
    ) -> int:
        """Store a write-back if its version is unchanged; return the new version.

        With ``holding`` the write is made only while that lease's token stands; with it the lease
        can be extended or released in the same step. With ``own_psa_payment_id`` the ConnectWise
        payment must be nobody's, or this write-back's already, and becomes its own in the same
        step; with ``disown_psa_payment_id`` it must be as well and becomes nobody's.

        Raises ValueError for a lease of another invoice, or a change of one that is not held.
        """
        ...

    def take_lease(
        self,
        *,
        connection_id: str,
        invoice_source_id: int,
        holder_id: str,
        now: datetime,
        until: datetime,
    ) -> Lease:
        """Take the invoice's lease if it is free, over, or this holder's own.

        The token is new each time, so an earlier worker of the same holder is fenced off; a lease
        that it had extended, for a request that may still take effect, is not shortened. Raises
        LeaseTakenError with the time when it is over.
        """
        ...

    def release_lease(self, lease: Lease) -> None:
        """Give the lease up if the token still stands."""
        ...

    def owners(self, connection_id: str, psa_payment_ids: Sequence[int]) -> Mapping[int, str]:
        """Return the write-back that owns each ConnectWise payment, where one does; ``NOBODY``
        for one that was disclaimed."""
        ...

    def disclaim(self, connection_id: str, psa_payment_ids: Sequence[int]) -> None:
        """Note of ConnectWise payments that nobody owns that none of them is the bridge's: no
        write-back can own them from now on. What is owned stays so."""
        ...


class WriteBackQueue(Protocol):
    def send(self, write_back: WriteBack) -> None:
        """Ask a worker to drive the write-back on, in order per connection and invoice.

        Waiting is not the queue's business: a write-back that is not due is found again by its
        ``due_at``.
        """
        ...
