"""The ledger keeps the platform's payments and their write-backs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from bridge.domain.platform_payment import PlatformPayment
from bridge.domain.write_back import Lease, WriteBack
from bridge.ports.stored import Page, Stored

NO_OWNER = "nobody"
"""It takes the place of a write-back's id, and differs from all of them by lacking a point."""


class LedgerStore(Protocol):
    """The ledger keeps payments, write-backs, the owners of ConnectWise payments, and leases.

    Conditional writes raise ConflictError when their condition fails, except for a write of our
    own whose answer was lost: that one counts as made. Payments and write-backs stay for ever,
    and each change of one adds an entry to its history.
    """

    def record(self, payment: PlatformPayment, write_backs: Sequence[WriteBack]) -> None:
        """Store a new payment with its write-backs atomically.

        Raises ConflictError when a payment of that id is stored already, and InvalidInputError
        for a write-back of another payment.
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
        """Store a payment's new state and its write-backs' new targets atomically.

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
        """Return the write-backs in the order of the payment's allocations."""
        ...

    def write_backs_of_invoice(
        self, connection_id: str, invoice_source_id: int
    ) -> tuple[WriteBack, ...]:
        """Return the write-backs in the order they were made in."""
        ...

    def list_write_backs(
        self, connection_id: str, *, limit: int, cursor: str | None = None
    ) -> Page[WriteBack]:
        """Return all write-backs of a connection, those of one invoice side by side."""
        ...

    def list_due(self, now: datetime, *, limit: int) -> tuple[WriteBack, ...]:
        """Return write-backs of all partners whose ``due_at`` has come, the longest due first.

        Ended ones are left out.
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

        With ``holding`` the write is made only while that lease's token stands, and
        ``extend_until`` extends the lease in the same step. ``own_psa_payment_id`` and
        ``disown_psa_payment_id`` name ConnectWise payments that must be ownerless, or this
        write-back's already; in the same step the one becomes its own, the other ownerless.

        Raises ValueError for a lease of another invoice, or an extension that lacks ``holding``.
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
        that it had extended, for a request that may still take effect, keeps its end. Raises
        LeaseTakenError with the time when it is over.
        """
        ...

    def release_lease(self, lease: Lease) -> None:
        """Give the lease up if the token still stands."""
        ...

    def owners(self, connection_id: str, psa_payment_ids: Sequence[int]) -> Mapping[int, str]:
        """Return the owning write-back's id of each ConnectWise payment that has an owner, and
        ``NO_OWNER`` for a disclaimed one."""
        ...

    def disclaim(self, connection_id: str, psa_payment_ids: Sequence[int]) -> None:
        """Note that ownerless ConnectWise payments are foreign: a write-back may not own them from
        now on. Owned ones stay owned."""
        ...
