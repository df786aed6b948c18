"""Payments of the platform and their write-backs."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from bridge.domain.identity import mirrored_id, parse_mirrored_id, write_back_id_of
from bridge.domain.platform_payment import (
    Allocation,
    PlatformPayment,
    PlatformPaymentState,
    Target,
)
from bridge.domain.write_back import WriteBack, WriteBackState
from tests.builders.records import CONNECTION, PARTNER, USD
from tests.fakes.clock import START

INVOICE_ID = mirrored_id(CONNECTION, 1001)


def a_platform_payment(payment_id: str = "pay-1", **changes: Any) -> PlatformPayment:
    """A settled payment of 110.00 for invoice 1001, received on 1 March 2026."""
    payment = PlatformPayment(
        payment_id=payment_id,
        partner_id=PARTNER,
        customer_id=mirrored_id(CONNECTION, 11),
        amount_minor=11000,
        currency=USD,
        method="card",
        received_on=date(2026, 3, 1),
        allocations=(Allocation(INVOICE_ID, 11000),),
        state=PlatformPaymentState.SETTLED,
        recorded_at=START,
    )
    return replace(payment, **changes)


def write_backs_for(payment: PlatformPayment, **changes: Any) -> list[WriteBack]:
    """The pending write-backs of a payment's allocations, due since it was recorded."""
    return [
        replace(_write_back(payment, allocation), **changes) for allocation in payment.allocations
    ]


def a_write_back(**changes: Any) -> WriteBack:
    """The pending write-back of 110.00 to invoice 1001."""
    (write_back,) = write_backs_for(a_platform_payment())
    return replace(write_back, **changes)


def _write_back(payment: PlatformPayment, allocation: Allocation) -> WriteBack:
    invoice = parse_mirrored_id(allocation.invoice_id)
    if invoice is None:
        raise ValueError("the platform's own invoices have no write-back")
    return WriteBack(
        write_back_id=write_back_id_of(payment.payment_id, invoice.source_id),
        partner_id=payment.partner_id,
        connection_id=invoice.connection_id,
        payment_id=payment.payment_id,
        invoice_id=allocation.invoice_id,
        invoice_source_id=invoice.source_id,
        amount_minor=allocation.amount_minor,
        currency=payment.currency,
        paid_on=payment.received_on,
        target=Target.POSTED,
        state=WriteBackState.PENDING,
        created_at=payment.recorded_at,
        due_at=payment.recorded_at,
    )
