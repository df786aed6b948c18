"""Payments that the platform collected, recorded through the connection that its service names.

A service of the platform acts for all partners, so whose payment it is follows from the stored
connection and from nothing that the service says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from bridge.domain.errors import InvalidInputError, NotFoundError
from bridge.domain.identity import MirroredId, is_platform_id, parse_mirrored_id
from bridge.domain.invoice import Invoice
from bridge.domain.money import Currency
from bridge.domain.platform_payment import Allocation, PlatformPayment, PlatformPaymentState
from bridge.payment_ports import LedgerStore
from bridge.payments.recording import PaymentRecorder, new_payment
from bridge.ports import Clock, ConnectionStore, RecordStore

_PAYMENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class PaymentDetails:
    """What a service says about a payment; see :class:`PlatformPayment` for the fields.

    Amounts are minor units of ``currency``, whose decimals must be those of the invoices.
    Without ``customer_id`` it is the customer of the first allocation's invoice.
    """

    amount_minor: int
    currency: Currency
    method: str
    received_on: date
    state: PlatformPaymentState
    allocations: tuple[Allocation, ...]
    customer_id: str | None = None
    fee_minor: int = 0
    reference: str = ""


def is_payment_id(text: str) -> bool:
    """Tell whether the text can be the id of a platform's payment."""
    return _PAYMENT_ID.fullmatch(text) is not None


class CollectedPayments:
    """Records payments of one connection, moves them on and reads them."""

    def __init__(
        self,
        *,
        recorder: PaymentRecorder,
        ledger: LedgerStore,
        records: RecordStore,
        connections: ConnectionStore,
        clock: Clock,
    ) -> None:
        self._recorder = recorder
        self._ledger = ledger
        self._records = records
        self._connections = connections
        self._clock = clock

    def record(
        self, connection_id: str, payment_id: str, details: PaymentDetails
    ) -> tuple[PlatformPayment, bool]:
        """Return the payment as it stands now, and whether this call recorded it.

        The same content under the same id answers as before; what was left out is not compared.
        A connection that is not syncing takes payments too: their write-backs wait as problems.

        Raises NotFoundError for an unknown connection, NotPossibleError when the id was used for
        other content, and InvalidInputError.
        """
        partner_id = self._partner_of(connection_id)
        if not is_payment_id(payment_id):
            raise InvalidInputError(
                "must be 1 to 64 letters, digits, hyphens and underscores", field="payment_id"
            )
        source_ids = _source_ids(connection_id, details)
        known = self._ledger.get_payment(partner_id, payment_id).value
        if known is not None:
            customer_id = details.customer_id or known.customer_id
        else:
            invoices = self._invoices(partner_id, connection_id, source_ids, details.currency)
            self._check_customer(partner_id, details.customer_id)
            customer_id = details.customer_id or invoices[source_ids[0]].customer_id
        payment = PlatformPayment(
            payment_id=payment_id,
            partner_id=partner_id,
            customer_id=customer_id,
            amount_minor=details.amount_minor,
            currency=details.currency,
            method=details.method,
            received_on=details.received_on,
            allocations=details.allocations,
            state=details.state,
            recorded_at=self._clock.now(),
            fee_minor=details.fee_minor,
            reference=details.reference,
        )
        recorded = self._recorder.record(new_payment(payment, payment.recorded_at))
        return recorded, known is None

    def move(
        self, connection_id: str, payment_id: str, state: PlatformPaymentState, *, reason: str
    ) -> PlatformPayment:
        """Move a payment to its next state; the state it is in already changes nothing.

        Raises NotFoundError unless the payment is one of this connection, NotPossibleError when
        there is no such way, and ConflictError when it kept moving.
        """
        payment = self.get(connection_id, payment_id)
        return self._recorder.move(payment.partner_id, payment_id, state, reason=reason)

    def get(self, connection_id: str, payment_id: str) -> PlatformPayment:
        """Return a payment of this connection; NotFoundError when there is none."""
        partner_id = self._partner_of(connection_id)
        payment = None
        if is_payment_id(payment_id):
            payment = self._ledger.get_payment(partner_id, payment_id).value
        if payment is None or not _is_of(connection_id, payment):
            raise NotFoundError("no such payment")
        return payment

    def _partner_of(self, connection_id: str) -> str:
        connection = None
        if is_platform_id(connection_id):
            connection = self._connections.get(connection_id).value
        if connection is None:
            raise NotFoundError("no such connection")
        return connection.partner_id

    def _invoices(
        self, partner_id: str, connection_id: str, source_ids: list[int], currency: Currency
    ) -> Mapping[int, Invoice]:
        stored = self._records.get_invoices(partner_id, connection_id, sorted(set(source_ids)))
        found = {key: entry.value for key, entry in stored.items() if entry.value}
        if len(found) < len(set(source_ids)):
            raise InvalidInputError("no such invoice of this connection", field="allocations")
        if any(invoice.currency != currency for invoice in found.values()):
            raise InvalidInputError(
                "an invoice has another currency or counts it with other decimals", field="currency"
            )
        return found

    def _check_customer(self, partner_id: str, customer_id: str | None) -> None:
        if customer_id is None:
            return
        if self._records.get_customer(partner_id, customer_id).value is None:
            raise InvalidInputError("there is no such customer", field="customer_id")


def _source_ids(connection_id: str, details: PaymentDetails) -> list[int]:
    """Return the invoices' ConnectWise ids; an invoice of any other connection is refused."""
    invoices = [_mirrored(allocation) for allocation in details.allocations]
    ours = [each.source_id for each in invoices if each and each.connection_id == connection_id]
    if not ours or len(ours) < len(invoices):
        raise InvalidInputError("no such invoice of this connection", field="allocations")
    return ours


def _is_of(connection_id: str, payment: PlatformPayment) -> bool:
    invoices = map(_mirrored, payment.allocations)
    return all(each is not None and each.connection_id == connection_id for each in invoices)


def _mirrored(allocation: Allocation) -> MirroredId | None:
    return parse_mirrored_id(allocation.invoice_id)
