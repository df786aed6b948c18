"""The write side of ConnectWise: payments and the billing status."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from bridge.domain.invoice import BillingStatus
from bridge.domain.money import Currency


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
