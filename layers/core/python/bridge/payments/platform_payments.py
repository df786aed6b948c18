"""Payments that the platform collected are recorded through the connection that a service names.

A service of the platform acts for all partners. The stored connection alone decides the partner of
a payment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date

from bridge.domain.connection import Connection
from bridge.domain.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    NotPossibleError,
)
from bridge.domain.identity import (
    MirroredId,
    is_platform_id,
    parse_mirrored_id,
    write_back_id_of,
)
from bridge.domain.invoice import Invoice
from bridge.domain.mirrored_kinds import CUSTOMERS, INVOICES
from bridge.domain.money import Currency
from bridge.domain.payment_sense import check_debt, check_sense
from bridge.domain.platform_payment import (
    UNDONE_STATES,
    Allocation,
    PlatformPayment,
    PlatformPaymentState,
    Target,
    WriteBackPolicy,
)
from bridge.domain.write_back import Reason, WriteBack, WriteBackState
from bridge.domain.write_back.changes import hand_over, retarget
from bridge.payments.payment_duplicates import may_be_recorded_already
from bridge.payments.unapplied_problems import UnappliedProblems
from bridge.payments.write_back_problems import WriteBackProblems
from bridge.ports import (
    Clock,
    ConnectionStore,
    LedgerStore,
    RecordStore,
    Stored,
    WriteBackQueue,
    until_saved,
)

_PAYMENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class PaymentDetails:
    """A service tells this content of a payment; see :class:`PlatformPayment`."""

    amount_minor: int
    currency: Currency
    """Counted with the decimals of the invoices."""
    method: str
    received_on: date
    state: PlatformPaymentState
    allocations: tuple[Allocation, ...]
    customer_id: str | None = None
    """None stands for the customer of the first allocation's invoice."""
    fee_minor: int = 0
    reference: str = ""
    is_unapplied_meant: bool = False


def is_payment_id(text: str) -> bool:
    """Tell whether the text can be the id of a platform's payment."""
    return _PAYMENT_ID.fullmatch(text) is not None


class PlatformPayments:
    """Payments of one connection are recorded, moved on and read here.

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
        write_back_problems: WriteBackProblems,
        unapplied_problems: UnappliedProblems,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._records = records
        self._connections = connections
        self._queue = queue
        self._write_back_problems = write_back_problems
        self._unapplied_problems = unapplied_problems
        self._clock = clock

    def record(
        self, connection_id: str, payment_id: str, details: PaymentDetails
    ) -> tuple[PlatformPayment, bool]:
        """Return the payment as it stands now, and whether this call recorded it.

        The same content under the same id answers as before; fields left out are ignored.
        A connection whose sync is off takes payments too: their write-backs wait as problems.
        So does a payment that looks like one of another id. A part of the amount that lies outside
        every invoice is shown as a problem, except where it is meant.

        Raises NotFoundError for an unknown connection, NotPossibleError when the id was used for
        other content, and InvalidInputError.
        """
        connection = self._connection(connection_id)
        if not is_payment_id(payment_id):
            raise InvalidInputError(
                "must be 1 to 64 letters, digits, hyphens and underscores", field="payment_id"
            )
        source_ids = _source_ids(connection_id, details)
        known = self._ledger.get_payment(connection.partner_id, payment_id).value
        if known is not None:
            customer_id = details.customer_id or known.customer_id
            told = self._payment(connection, payment_id, customer_id, details)
            return self._recorded_before(connection, known, told), False
        invoices = self._invoices(connection, source_ids, details.currency)
        check_debt(invoices.values())
        self._check_customer(connection.partner_id, details.customer_id)
        customer_id = details.customer_id or invoices[source_ids[0]].customer_id
        payment = self._payment(connection, payment_id, customer_id, details)
        check_sense(payment, self._clock.now().astimezone(UTC).date())
        write_backs = _write_backs(connection, payment, source_ids)
        if may_be_recorded_already(self._ledger, payment):
            write_backs = [hand_over(each, Reason.POSSIBLE_DUPLICATE) for each in write_backs]
        return self._recorded(connection, payment, write_backs), True

    def move(
        self, connection_id: str, payment_id: str, state: PlatformPaymentState, *, reason: str
    ) -> PlatformPayment:
        """Move a payment to its next state, and its write-backs to their new targets.

        The state that it is in leaves it unchanged. Raises NotFoundError unless the payment is one
        of this connection, NotPossibleError when the way there is missing, and ConflictError when
        it kept moving.
        """
        connection = self._connection(connection_id)
        retargeted: list[tuple[WriteBack, int]] = []

        def save(moved: PlatformPayment, version: int) -> None:
            changed = self._retargeted(moved, connection.write_back)
            self._ledger.move_payment(moved, expected_version=version, write_backs=changed)
            retargeted.extend(changed)

        moved: PlatformPayment = until_saved(
            read=lambda: self._stored(connection, payment_id),
            change=lambda known: known.moved_to(state, reason=reason, now=self._clock.now()),
            save=save,
        )
        self._unapplied_problems.show(connection, moved)
        self._send([write_back for write_back, _ in retargeted])
        return moved

    def get(self, connection_id: str, payment_id: str) -> PlatformPayment:
        """Return a payment of this connection. Raises NotFoundError for any other id."""
        return self._stored(self._connection(connection_id), payment_id)[0]

    def _connection(self, connection_id: str) -> Connection:
        connection = None
        if is_platform_id(connection_id):
            connection = self._connections.get(connection_id).value
        if connection is None:
            raise NotFoundError("no such connection")
        return connection

    def _stored(self, connection: Connection, payment_id: str) -> tuple[PlatformPayment, int]:
        stored: Stored[PlatformPayment] = Stored(None, 0)
        if is_payment_id(payment_id):
            stored = self._ledger.get_payment(connection.partner_id, payment_id)
        if stored.value is None or not _is_of(connection.connection_id, stored.value):
            raise NotFoundError("no such payment")
        return stored.value, stored.version

    def _invoices(
        self, connection: Connection, source_ids: Sequence[int], currency: Currency
    ) -> Mapping[int, Invoice]:
        wanted = sorted(set(source_ids))
        stored = self._records.get_mirrored(
            INVOICES, connection.partner_id, connection.connection_id, wanted
        )
        found = {key: entry.value for key, entry in stored.items() if entry.value}
        if len(found) < len(wanted):
            raise InvalidInputError("no such invoice of this connection", field="allocations")
        if any(invoice.currency != currency for invoice in found.values()):
            raise InvalidInputError(
                "an invoice has another currency or counts it with other decimals", field="currency"
            )
        return found

    def _check_customer(self, partner_id: str, customer_id: str | None) -> None:
        if customer_id is None:
            return
        if self._records.get(CUSTOMERS, partner_id, customer_id).value is None:
            raise InvalidInputError("there is no such customer", field="customer_id")

    def _payment(
        self, connection: Connection, payment_id: str, customer_id: str, details: PaymentDetails
    ) -> PlatformPayment:
        """Return the payment as it is first recorded; it begins pending or settled."""
        payment = PlatformPayment(
            payment_id=payment_id,
            partner_id=connection.partner_id,
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
            is_unapplied_meant=details.is_unapplied_meant,
        )
        if payment.state not in (PlatformPaymentState.PENDING, PlatformPaymentState.SETTLED):
            raise InvalidInputError("a payment begins pending or settled", field="state")
        return payment

    def _recorded(
        self, connection: Connection, payment: PlatformPayment, write_backs: Sequence[WriteBack]
    ) -> PlatformPayment:
        """Store the payment and set its write-backs going, unless another call was faster."""
        try:
            self._ledger.record(payment, write_backs)
        except ConflictError:
            known = self._ledger.get_payment(payment.partner_id, payment.payment_id).value
            if known is None:
                raise
            return self._recorded_before(connection, known, payment)
        self._show(connection, payment, write_backs)
        self._send(write_backs)
        return payment

    def _recorded_before(
        self, connection: Connection, known: PlatformPayment, told: PlatformPayment
    ) -> PlatformPayment:
        """Return the payment as it stands, and show again the problems that it began with."""
        payment = _same(known, told)
        stored = self._ledger.write_backs_of_payment(payment.partner_id, payment.payment_id)
        self._show(connection, payment, [_value(each) for each in stored])
        return payment

    def _show(
        self, connection: Connection, payment: PlatformPayment, write_backs: Sequence[WriteBack]
    ) -> None:
        """Show a person the problems that the payment begins with."""
        self._unapplied_problems.show(connection, payment)
        for write_back in write_backs:
            if write_back.reason is Reason.POSSIBLE_DUPLICATE:
                self._write_back_problems.show(write_back)

    def _retargeted(
        self, payment: PlatformPayment, policy: WriteBackPolicy
    ) -> list[tuple[WriteBack, int]]:
        """Return the write-backs that the payment's state changes, with their stored versions."""
        changed = []
        for stored in self._ledger.write_backs_of_payment(payment.partner_id, payment.payment_id):
            before = _value(stored)
            target = policy.target(payment.state)
            may_stay = payment.state in UNDONE_STATES and target is Target.POSTED
            if may_stay and _is_unwritten(before):
                # The partner lets it stand where it is; a first post after the return is unwanted.
                target = Target.ABSENT
            after = retarget(before, target, self._clock.now(), is_called_off=may_stay)
            if after.needs_person and target is Target.POSTED:
                # A person decides first; it waits until then.
                after = replace(after, due_at=None)
            if after != before:
                changed.append((after, stored.version))
        return changed

    def _send(self, write_backs: Sequence[WriteBack]) -> None:
        for write_back in write_backs:
            if _is_for_worker(write_back):
                self._queue.send(write_back)


def _write_backs(
    connection: Connection, payment: PlatformPayment, source_ids: Sequence[int]
) -> list[WriteBack]:
    """Return one write-back for each allocation, in the order of the allocations."""
    return [
        WriteBack(
            write_back_id=write_back_id_of(payment.payment_id, source_id),
            partner_id=payment.partner_id,
            connection_id=connection.connection_id,
            payment_id=payment.payment_id,
            invoice_id=allocation.invoice_id,
            invoice_source_id=source_id,
            amount_minor=allocation.amount_minor,
            currency=payment.currency,
            paid_on=payment.received_on,
            target=connection.write_back.target(payment.state),
            state=WriteBackState.PENDING,
            created_at=payment.recorded_at,
            due_at=payment.recorded_at,
        )
        for allocation, source_id in zip(payment.allocations, source_ids, strict=True)
    ]


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


def _is_for_worker(write_back: WriteBack) -> bool:
    """Tell whether a worker acts next; a person may have to decide first."""
    if write_back.target is Target.NONE or write_back.has_ended:
        return False
    return write_back.target is Target.ABSENT or not write_back.needs_person


def _is_unwritten(write_back: WriteBack) -> bool:
    """Tell whether ConnectWise is free of our payment, and of one that a person entered for us."""
    is_open = write_back.needs_person or write_back.state is WriteBackState.PENDING
    was_stated = any(write_back.known_history.posts())
    return is_open and write_back.psa_payment_id is None and not was_stated


def _same(known: PlatformPayment, payment: PlatformPayment) -> PlatformPayment:
    """Return the payment as it stands, or refuse a recording that says something new."""
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
