"""What recording payments and writing them back needs from the world."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from bridge.domain.connection import Connection
from bridge.domain.invoice import BillingStatus
from bridge.domain.money import Currency
from bridge.domain.platform_payment import PlatformPayment
from bridge.domain.write_back import Lease, WriteBack
from bridge.ports import Page, Stored

# --- ConnectWise -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PsaPayment:
    """A payment row as ConnectWise lists it. ``is_credit`` marks an applied credit memo."""

    psa_payment_id: int
    amount_minor: int
    paid_on: date | None
    applied_by: str
    is_credit: bool = False


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

    def list_payments(
        self, invoice_source_id: int, currency: Currency
    ) -> tuple[PsaPayment, ...]: ...

    def post_payment(
        self, invoice_source_id: int, *, amount_minor: int, currency: Currency, paid_on: date
    ) -> int:
        """Post a payment once and return its ConnectWise id."""
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


class LedgerStore(Protocol):
    """Payments of the platform, their write-backs, who owns which ConnectWise payment, and leases.

    Conditional writes raise ConflictError when their condition fails, except for a write of our
    own whose answer was lost: that one counts as made.
    """

    def record(self, payment: PlatformPayment, write_backs: Sequence[WriteBack]) -> None:
        """Store a new payment with its write-backs, all or none.

        Raises ConflictError when a payment of that id is stored already.
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

    def get_write_back(self, connection_id: str, write_back_id: str) -> Stored[WriteBack]: ...

    def write_backs_of_payment(
        self, partner_id: str, payment_id: str
    ) -> tuple[Stored[WriteBack], ...]: ...

    def write_backs_of_invoice(
        self, connection_id: str, invoice_source_id: int
    ) -> tuple[WriteBack, ...]: ...

    def list_due(self, now: datetime, *, limit: int) -> tuple[WriteBack, ...]:
        """Return write-backs of all partners whose ``due_at`` has come, the oldest first."""
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
        payment must be nobody's and becomes this write-back's, in the same step.
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

        The token is new each time, so an earlier worker of the same holder is fenced off. Raises
        LeaseTakenError with the time when it is over.
        """
        ...

    def release_lease(self, lease: Lease) -> None:
        """Give the lease up if the token still stands."""
        ...

    def owners(self, connection_id: str, psa_payment_ids: Sequence[int]) -> Mapping[int, str]:
        """Return the write-back that owns each ConnectWise payment, where one does."""
        ...


class WriteBackQueue(Protocol):
    def send(self, write_back: WriteBack) -> None:
        """Ask a worker to drive the write-back on, in order per connection and invoice.

        Waiting is not the queue's business: a write-back that is not due is found again by its
        ``due_at``.
        """
        ...
