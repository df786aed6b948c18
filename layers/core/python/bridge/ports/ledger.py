"""The ledger of the platform's payments and their write-backs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from bridge.domain.platform_payment import PlatformPayment
from bridge.domain.write_back import Lease, WriteBack
from bridge.ports.stored import Page, Stored

NO_OWNER = "nobody"
"""Stands where a write-back's id would: it holds a point in every write-back's id, this none."""


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

    def get_write_back(self, connection_id: str, write_back_id: str) -> Stored[WriteBack]: ...

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
        own_psa_payment_id: int | None = None,
        disown_psa_payment_id: int | None = None,
    ) -> int:
        """Store a write-back if its version is unchanged; return the new version.

        With ``holding`` the write is made only while that lease's token stands; with it the lease
        can be extended in the same step. With ``own_psa_payment_id`` the ConnectWise
        payment must be nobody's, or this write-back's already, and becomes its own in the same
        step; with ``disown_psa_payment_id`` it must be as well and becomes nobody's.

        Raises ValueError for a lease of another invoice, or an extension of one that is not held.
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
        """Return the write-back that owns each ConnectWise payment, where one does; ``NO_OWNER``
        for one that was disclaimed."""
        ...

    def disclaim(self, connection_id: str, psa_payment_ids: Sequence[int]) -> None:
        """Note of ConnectWise payments that nobody owns that none of them is the bridge's: no
        write-back can own them from now on. What is owned stays so."""
        ...
