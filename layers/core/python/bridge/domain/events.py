"""Domain events are derived from the changes of stored records.

The tables' streams are the outbox: every write brings its events, and a change that is delivered
twice gives the same event ids. Events carry ids, states and amounts; they may not carry personal
data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bridge.domain.connection import Connection
from bridge.domain.customer import Customer
from bridge.domain.identity import Origin, event_id, parse_mirrored_id
from bridge.domain.invoice import Invoice, InvoiceState
from bridge.domain.payment import Payment, PaymentKind
from bridge.domain.platform_payment import PlatformPayment
from bridge.domain.problem import Problem, ProblemState
from bridge.domain.run import Run
from bridge.domain.write_back import WriteBack, WriteBackState

SCHEMA_VERSION = 1


class EventType(StrEnum):
    CUSTOMER_CREATED = "customer.created"
    CUSTOMER_UPDATED = "customer.updated"
    CUSTOMER_ARCHIVED = "customer.archived"
    INVOICE_CREATED = "invoice.created"
    INVOICE_UPDATED = "invoice.updated"
    INVOICE_PAID = "invoice.paid"
    INVOICE_ARCHIVED = "invoice.archived"
    PAYMENT_RECORDED = "payment.recorded"
    PAYMENT_WRITTEN_BACK = "payment.written_back"
    PAYMENT_REVERSED = "payment.reversed"
    PAYMENT_DELETED = "payment.deleted"
    RUN_FINISHED = "run.finished"
    PROBLEM_OPENED = "problem.opened"
    PROBLEM_RESOLVED = "problem.resolved"
    CONNECTION_CHANGED = "connection.changed"


@dataclass(frozen=True, slots=True)
class DomainEvent:
    """A domain event tells of one change of a record."""

    event_id: str
    type: EventType
    partner_id: str
    subject_id: str
    """The id of the record."""
    occurred_at: datetime
    data: Mapping[str, str | int | None] = field(default_factory=dict)
    """A flat mapping."""
    schema_version: int = SCHEMA_VERSION


@dataclass(frozen=True, slots=True)
class Change:
    """One write of a stored record, from which its events come."""

    record_key: str
    version: int
    occurred_at: datetime

    def event(
        self,
        event_type: EventType,
        partner_id: str,
        subject_id: str,
        data: Mapping[str, str | int | None],
    ) -> DomainEvent:
        return DomainEvent(
            event_id=event_id(self.record_key, self.version, event_type.value),
            type=event_type,
            partner_id=partner_id,
            subject_id=subject_id,
            occurred_at=self.occurred_at,
            data=data,
        )


def customer_events(
    before: Customer | None, after: Customer, change: Change
) -> tuple[DomainEvent, ...]:
    if before == after:
        return ()
    if before is None:
        event_type = EventType.CUSTOMER_CREATED
    elif after.archive and not before.archive:
        event_type = EventType.CUSTOMER_ARCHIVED
    else:
        event_type = EventType.CUSTOMER_UPDATED
    data = {"connection_id": after.connection_id, "origin": after.origin.value}
    return (change.event(event_type, after.partner_id, after.customer_id, data),)


def invoice_events(
    before: Invoice | None, after: Invoice, change: Change
) -> tuple[DomainEvent, ...]:
    """Return an event, and ``invoice.paid`` beside it when an unpaid invoice became paid."""
    if before == after:
        return ()
    data: dict[str, str | int | None] = {
        "connection_id": after.connection_id,
        "customer_id": after.customer_id,
        "origin": after.origin.value,
        "state": after.state.value,
        "currency": after.currency.code,
        "total_minor": after.total_minor,
        "balance_minor": after.balance_minor,
        "due_on": after.due_on.isoformat() if after.due_on else None,
    }
    if before is None:
        types = [EventType.INVOICE_CREATED]
    elif after.archive and not before.archive:
        types = [EventType.INVOICE_ARCHIVED]
    elif before.is_unpaid and after.state is InvoiceState.PAID:
        types = [EventType.INVOICE_UPDATED, EventType.INVOICE_PAID]
    else:
        types = [EventType.INVOICE_UPDATED]
    return tuple(change.event(t, after.partner_id, after.invoice_id, data) for t in types)


def payment_events(
    before: Payment | None, after: Payment, change: Change
) -> tuple[DomainEvent, ...]:
    is_new = before is None or before.is_deleted
    if after.is_deleted and not is_new:
        event_type = EventType.PAYMENT_DELETED
    elif is_new and not after.is_deleted:
        event_type = EventType.PAYMENT_RECORDED
    else:
        return ()
    data: dict[str, str | int | None] = {
        "connection_id": after.connection_id,
        "invoice_id": after.invoice_id,
        "customer_id": after.customer_id,
        "origin": after.origin.value,
        "kind": after.kind.value,
        "amount_minor": after.amount_minor,
        "currency": after.currency.code,
    }
    return (change.event(event_type, after.partner_id, after.payment_id, data),)


def platform_payment_events(
    before: PlatformPayment | None, after: PlatformPayment, change: Change
) -> tuple[DomainEvent, ...]:
    """Return the event of a new payment; its write-backs tell of its way from there.

    It has the fields of a mirrored payment's event; ``invoice_id`` is set for a single invoice.
    """
    if before is not None:
        return ()
    first = after.allocations[0].invoice_id
    mirrored = parse_mirrored_id(first)
    data: dict[str, str | int | None] = {
        "connection_id": mirrored.connection_id if mirrored else None,
        "invoice_id": first if len(after.allocations) == 1 else None,
        "customer_id": after.customer_id,
        "origin": Origin.PLATFORM.value,
        "kind": PaymentKind.MONEY.value,
        "amount_minor": after.amount_minor,
        "currency": after.currency.code,
    }
    return (change.event(EventType.PAYMENT_RECORDED, after.partner_id, after.payment_id, data),)


def write_back_events(
    before: WriteBack | None, after: WriteBack, change: Change
) -> tuple[DomainEvent, ...]:
    """Return an event when a payment of ours is in ConnectWise, and one when it is out again.

    Both need a write of the bridge: the reversal of a payment that stayed outside, and the return
    of one that was missing, are left out.
    """
    was_ours = before is not None and before.psa_payment_id is not None
    is_ours = after.psa_payment_id is not None
    was_reversed = before is not None and before.state is WriteBackState.REVERSED
    if after.state is WriteBackState.CONFIRMED and not was_ours:
        event_type = EventType.PAYMENT_WRITTEN_BACK
    elif after.state is WriteBackState.REVERSED and is_ours and not was_reversed:
        event_type = EventType.PAYMENT_REVERSED
    else:
        return ()
    data: dict[str, str | int | None] = {
        "connection_id": after.connection_id,
        "write_back_id": after.write_back_id,
        "invoice_id": after.invoice_id,
        "psa_payment_id": after.psa_payment_id,
        "amount_minor": after.amount_minor,
        "currency": after.currency.code,
    }
    return (change.event(event_type, after.partner_id, after.payment_id, data),)


def run_events(before: Run | None, after: Run, change: Change) -> tuple[DomainEvent, ...]:
    if not after.has_ended or (before is not None and before.has_ended):
        return ()
    data: dict[str, str | int | None] = {
        "connection_id": after.connection_id,
        "kind": after.kind.value,
        "state": after.state.value,
        "failure": after.failure or None,
    }
    return (change.event(EventType.RUN_FINISHED, after.partner_id, after.run_id, data),)


def problem_events(
    before: Problem | None, after: Problem, change: Change
) -> tuple[DomainEvent, ...]:
    was_open = before is not None and before.state is ProblemState.OPEN
    is_open = after.state is ProblemState.OPEN
    if was_open == is_open:
        return ()
    event_type = EventType.PROBLEM_OPENED if is_open else EventType.PROBLEM_RESOLVED
    data: dict[str, str | int | None] = {
        "connection_id": after.connection_id,
        "code": after.code.value,
        "subject": after.subject,
    }
    return (change.event(event_type, after.partner_id, after.problem_id, data),)


def connection_events(
    before: Connection | None, after: Connection, change: Change
) -> tuple[DomainEvent, ...]:
    if before == after:
        return ()
    data = {"state": after.state.value}
    return (
        change.event(EventType.CONNECTION_CHANGED, after.partner_id, after.connection_id, data),
    )
