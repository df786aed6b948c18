"""The ledger keeps the platform's payments and their write-backs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from bridge.domain.platform_payment import PlatformPayment, PlatformPaymentState
from bridge.domain.write_back import Books, Lease, WriteBack
from bridge.ports.stored import Page, Stored

NO_OWNER = "nobody"
"""It takes the place of a write-back's id, and differs from all of them by lacking a point."""

SHARE_OF_DUE = 50
"""So many due write-backs of one partner are listed at once."""


@dataclass(frozen=True, slots=True)
class PlatformPaymentQuery:
    """A payment has to match every restriction; None accepts all."""

    customer_id: str | None = None
    connection_id: str | None = None
    invoice_id: str | None = None
    """An invoice that gets a part of the payment."""
    state: PlatformPaymentState | None = None
    received_from: date | None = None
    """Inclusive."""
    received_to: date | None = None
    """Inclusive."""
    recorded_from: datetime | None = None
    """Inclusive."""
    is_unapplied: bool = False
    """Only payments with an unapplied part."""

    def matches(self, payment: PlatformPayment) -> bool:
        """Tell whether a payment fulfils every restriction but the one to an invoice."""
        return (
            self.customer_id in (None, payment.customer_id)
            and self.connection_id in (None, payment.connection_id)
            and self.state in (None, payment.state)
            and (self.received_from is None or self.received_from <= payment.received_on)
            and (self.received_to is None or payment.received_on <= self.received_to)
            and (self.recorded_from is None or self.recorded_from <= payment.recorded_at)
            and (not self.is_unapplied or payment.unapplied_minor > 0)
        )


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
        self,
        partner_id: str,
        query: PlatformPaymentQuery,
        *,
        limit: int,
        cursor: str | None = None,
    ) -> Page[PlatformPayment]:
        """Return payments, latest recorded first.

        A restriction that lets little through makes pages with fewer items, and a cursor.
        """
        ...

    def get_write_back(self, connection_id: str, write_back_id: str) -> Stored[WriteBack]: ...

    def get_write_backs(
        self, connection_id: str, write_back_ids: Collection[str]
    ) -> Mapping[str, WriteBack]:
        """Return those of the write-backs that are stored, by their ids."""
        ...

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
        self,
        connection_id: str,
        *,
        limit: int,
        cursor: str | None = None,
        is_resting: bool = False,
        after_invoice: int = 0,
    ) -> Page[WriteBack]:
        """Return a connection's write-backs that rest, or all others, by their invoices' rising
        ConnectWise ids, from past ``after_invoice``."""
        ...

    def set_resting(self, write_back: WriteBack, *, is_resting: bool) -> bool:
        """Let a write-back rest, or end its rest, as every other change of it does.

        Return whether it was done: another writer may have changed it meanwhile.
        """
        ...

    def list_due(
        self,
        now: datetime,
        *,
        limit: int,
        share: int = SHARE_OF_DUE,
        silent: Collection[str] = (),
    ) -> tuple[WriteBack, ...]:
        """Return write-backs whose next look is due, partners in turn, the longest due first.

        Each partner gets ``share`` at most, and each of the ``silent`` connections one.
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
        releases: bool = False,
    ) -> int:
        """Store a write-back if its version is unchanged; return the new version.

        With ``holding`` the write is made only while that lease's token stands, and
        ``extend_until`` extends the lease in the same step. ``own_psa_payment_id`` and
        ``disown_psa_payment_id`` name ConnectWise payments that must be ownerless, or this
        write-back's already; in the same step the one becomes its own, the other ownerless. Both
        are kept in the lease's books. ``releases`` gives the lease up in the same step.

        Raises ValueError for a lease of another invoice, for an extension, an ownership or a
        release that lacks ``holding``, and for a release of a lease that is extended.
        """
        ...

    def take_lease(
        self,
        *,
        books: Books,
        invoice_source_id: int,
        holder_id: str,
        now: datetime,
        until: datetime,
    ) -> Lease:
        """Take the invoice's lease if it is free, over, or this holder's own.

        The token is new each time, so an earlier worker of the same holder is fenced off; a lease
        that it had extended, for a request that may still take effect, keeps its end. It is held
        under every key of the books. Raises LeaseTakenError with the time when it is over.
        """
        ...

    def release_lease(self, lease: Lease) -> None:
        """Give the lease up if the token still stands."""
        ...

    def owners(self, books: Books, psa_payment_ids: Sequence[int]) -> Mapping[int, str]:
        """Return the owning write-back's id of each ConnectWise payment that has an owner, and
        ``NO_OWNER`` for a disclaimed one. An owner under any key of the books counts, that of the
        company's key first, and those of the company's other connections last."""
        ...

    def disputed(self, books: Books, owners: Mapping[int, str]) -> tuple[int, ...]:
        """Return the payments that another write-back owns, too, be it by another connection of
        the company; ``owners`` names the write-back that each is thought to be of."""
        ...

    def give_up(self, books: Books, psa_payment_id: int, owner_id: str) -> None:
        """Let a write-back own a payment no longer; what others own stays theirs."""
        ...

    def disclaim(self, books: Books, psa_payment_ids: Sequence[int]) -> None:
        """Note that ownerless ConnectWise payments are foreign: a write-back may not own them from
        now on. Owned ones stay owned."""
        ...

    def move_owners(self, books: Books, owners: Mapping[int, str]) -> tuple[int, ...]:
        """Keep owners of ConnectWise payments under every key of the books.

        Return the payments that another write-back owns under one of the keys: those stay as they
        are.
        """
        ...
