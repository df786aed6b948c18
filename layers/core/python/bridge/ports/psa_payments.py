"""The bridge writes payments and the billing status to ConnectWise through this port."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from bridge.domain.invoice import BillingStatus
from bridge.domain.money import Currency


@dataclass(frozen=True, slots=True)
class PsaPayment:
    """A payment row as ConnectWise lists it."""

    psa_payment_id: int
    amount_minor: int
    paid_on: date | None
    applied_by: str
    is_credit: bool = False
    """The row is an applied credit memo."""


@dataclass(frozen=True, slots=True)
class PostedPayment:
    """ConnectWise's answer to the post of a payment."""

    psa_payment_id: int
    amount_minor: int | None
    """It may be less than the requested amount, since an overpayment may be capped. It is None
    where the answer left it out."""
    applied_by: str = ""
    """The API member that ConnectWise took us for, empty where the answer left it out."""


@dataclass(frozen=True, slots=True)
class PsaBalance:
    """The facts of an invoice in ConnectWise that a payment depends on."""

    currency: Currency
    total_minor: int
    balance_minor: int
    status: BillingStatus | None
    is_batched: bool


class PsaPayments(Protocol):
    """The write side of one connection's ConnectWise.

    Reads raise the errors of :class:`bridge.ports.Psa`. Writes are sent at most once, and absence
    of proof is never taken for proof. A RetryableError or an UnsafeAddressError says that the write
    stayed unsent, or that ConnectWise itself rejected keys which the vault has replaced since.
    RefusedError, PermissionMissingError, NotFoundError and CredentialsRejectedError say that
    ConnectWise itself refused, with a status and a code of its own. OutcomeUnknownError stands for
    everything else: the change may have been made, or may still be.
    """

    @property
    def member_identifier(self) -> str:
        """Return the API member that the next write is sent as, "" where it is unknown.

        It is the one kept beside the keys, else the connection's; a write and this property speak
        of the same keys until ConnectWise rejects them. Raises as a read does where the keys
        are out of reach.
        """
        ...

    def read_balance(self, invoice_source_id: int) -> PsaBalance:
        """Return the invoice's balance. Raises NotFoundError when ConnectWise lacks the invoice."""
        ...

    def list_payments(self, invoice_source_id: int, currency: Currency) -> tuple[PsaPayment, ...]:
        """Return every payment of an invoice, by id.

        Raises NotFoundError when ConnectWise lacks the invoice, and MalformedRecordError for an
        unreadable row that may be ours; one of others comes with an amount of zero and None as
        its day.
        """
        ...

    def post_payment(
        self, invoice_source_id: int, *, amount_minor: int, currency: Currency, paid_on: date
    ) -> PostedPayment:
        """Post a payment once."""
        ...

    def delete_payment(self, invoice_source_id: int, psa_payment_id: int) -> None:
        """Delete a payment once. Raises NotFoundError when it is missing."""
        ...

    def set_status(self, invoice_source_id: int, status_id: int, *, is_closed: bool) -> None:
        """Set an invoice's billing status and compare the answer with the request.

        A closed invoice takes its status through ``/finance/closedInvoices``. Raises RefusedError
        also when ConnectWise answered well and showed the invoice with another status.
        """
        ...
