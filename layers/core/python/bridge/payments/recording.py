"""Record what the platform's services say about a payment, and set its write-backs going."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bridge.domain.connection import Connection
from bridge.domain.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    NotPossibleError,
)
from bridge.domain.identity import write_back_id_of
from bridge.domain.invoice import Invoice
from bridge.domain.platform_payment import (
    UNDONE_STATES,
    PlatformPayment,
    PlatformPaymentState,
    Target,
    WriteBackPolicy,
)
from bridge.domain.write_back import WriteBack, WriteBackState
from bridge.payment_ports import LedgerStore, WriteBackQueue
from bridge.ports import Clock, ConnectionStore, RecordStore, Stored

MAX_ROUNDS = 5


class PaymentRecorder:
    """The payments that the platform collected, as its services tell them.

    Storing comes first and asking a worker second: a write-back whose message got lost is found
    by its ``due_at``.
    """

    def __init__(
        self,
        *,
        ledger: LedgerStore,
        records: RecordStore,
        connections: ConnectionStore,
        queue: WriteBackQueue,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._records = records
        self._connections = connections
        self._queue = queue
        self._clock = clock

    def record(self, payment: PlatformPayment) -> PlatformPayment:
        """Record a payment under the caller's own id, and return it as it stands now.

        The same id with the same content answers as before, whatever became of the payment
        since; with other content it raises NotPossibleError. Raises InvalidInputError when an
        allocation names no invoice of this partner, or one in another currency.
        """
        known = self._ledger.get_payment(payment.partner_id, payment.payment_id).value
        if known is not None:
            return _same(known, payment)
        write_backs = [
            write_back
            for allocation in payment.allocations
            if (
                write_back := self._write_back(
                    payment, allocation.invoice_id, allocation.amount_minor
                )
            )
        ]
        try:
            self._ledger.record(payment, write_backs)
        except ConflictError:
            known = self._ledger.get_payment(payment.partner_id, payment.payment_id).value
            if known is None:
                raise
            return _same(known, payment)
        self._send(write_backs)
        return payment

    def move(
        self, partner_id: str, payment_id: str, state: PlatformPaymentState, *, reason: str
    ) -> PlatformPayment:
        """Move a payment to its next state, and its write-backs to what that means.

        The state it is in already changes nothing. Raises NotFoundError, NotPossibleError when
        there is no such way, and ConflictError when it kept moving.
        """
        for _ in range(MAX_ROUNDS):
            stored = self._ledger.get_payment(partner_id, payment_id)
            if stored.value is None:
                raise NotFoundError("no such payment")
            moved = stored.value.moved_to(state, reason=reason, now=self._clock.now())
            if moved == stored.value:
                return moved
            changed = self._retargeted(moved)
            try:
                self._ledger.move_payment(
                    moved, expected_version=stored.version, write_backs=changed
                )
            except ConflictError:
                continue
            self._send([write_back for write_back, _ in changed])
            return moved
        raise ConflictError("the payment keeps moving")

    def _retargeted(self, payment: PlatformPayment) -> list[tuple[WriteBack, int]]:
        changed = []
        for stored in self._ledger.write_backs_of_payment(payment.partner_id, payment.payment_id):
            before = _value(stored)
            target = self._policy(before.connection_id).target(payment.state)
            may_stay = payment.state in UNDONE_STATES and target is Target.POSTED
            if may_stay and _is_unwritten(before):
                # The partner lets it stand where it is, and does not have it written only now.
                target = Target.ABSENT
            after = before.retargeted(target, self._clock.now(), is_called_off=may_stay)
            if after != before:
                changed.append((after, stored.version))
        return changed

    def _write_back(
        self, payment: PlatformPayment, invoice_id: str, amount_minor: int
    ) -> WriteBack | None:
        """Return the write-back of one allocation; an invoice of the platform's own has none."""
        invoice = self._records.get_invoice(payment.partner_id, invoice_id).value
        _check_invoice(invoice, payment)
        if invoice is None or invoice.connection_id is None or invoice.source_id is None:
            return None
        now = self._clock.now()
        return WriteBack(
            write_back_id=write_back_id_of(payment.payment_id, invoice.source_id),
            partner_id=payment.partner_id,
            connection_id=invoice.connection_id,
            payment_id=payment.payment_id,
            invoice_id=invoice_id,
            invoice_source_id=invoice.source_id,
            amount_minor=amount_minor,
            currency=payment.currency,
            paid_on=payment.received_on,
            target=self._policy(invoice.connection_id).target(payment.state),
            state=WriteBackState.PENDING,
            created_at=now,
            due_at=now,
        )

    def _policy(self, connection_id: str) -> WriteBackPolicy:
        connection: Connection | None = self._connections.get(connection_id).value
        return connection.write_back if connection else WriteBackPolicy()

    def _send(self, write_backs: Sequence[WriteBack]) -> None:
        for write_back in write_backs:
            if write_back.target is not Target.NONE and not write_back.has_ended:
                self._queue.send(write_back)


def new_payment(payment: PlatformPayment, now: datetime) -> PlatformPayment:
    """Return a payment as it is first recorded; a payment cannot begin undone."""
    if payment.state not in (PlatformPaymentState.PENDING, PlatformPaymentState.SETTLED):
        raise InvalidInputError("a payment begins pending or settled", field="state")
    return replace(payment, recorded_at=now)


def _is_unwritten(write_back: WriteBack) -> bool:
    """Tell whether nothing of ours is in ConnectWise, and nothing that a person entered for us."""
    is_open = write_back.needs_person or write_back.state is WriteBackState.PENDING
    return is_open and write_back.psa_payment_id is None and not write_back.was_ever_stated


def _check_invoice(invoice: Invoice | None, payment: PlatformPayment) -> None:
    if invoice is None:
        raise InvalidInputError("no such invoice", field="allocations")
    if invoice.currency.code != payment.currency.code:
        raise InvalidInputError("the invoice has another currency", field="allocations")


def _same(known: PlatformPayment, payment: PlatformPayment) -> PlatformPayment:
    """Return the payment as it stands; what was told anew must not be lost with it."""
    if not known.has_same_content(payment):
        raise NotPossibleError(
            "payment_id_used", "This id was used for a payment with other content."
        )
    if (known.state, payment.state) == (PlatformPaymentState.PENDING, PlatformPaymentState.SETTLED):
        raise NotPossibleError(
            "payment_state", "The payment is recorded as pending; tell that it settled."
        )
    return known


def _value(stored: Stored[WriteBack]) -> WriteBack:
    if stored.value is None:
        raise ValueError("a listed write-back has a value")
    return stored.value
