"""Payments as they stand on invoices."""

from __future__ import annotations

from datetime import date

from bridge.domain.identity import Origin
from bridge.domain.payment import Payment, PaymentKind
from dashboard_api.models.values import AmountView, View


class PaymentView(View):
    """``is_deleted`` marks a payment that is gone from ConnectWise and kept as history."""

    id: str
    connection_id: str
    invoice_id: str
    customer_id: str
    source_id: int
    origin: Origin
    kind: PaymentKind
    amount: AmountView
    paid_on: date | None
    is_deleted: bool

    @classmethod
    def of(cls, payment: Payment) -> PaymentView:
        return cls(
            id=payment.payment_id,
            connection_id=payment.connection_id,
            invoice_id=payment.invoice_id,
            customer_id=payment.customer_id,
            source_id=payment.source_id,
            origin=payment.origin,
            kind=payment.kind,
            amount=AmountView.of(payment.amount_minor, payment.currency),
            paid_on=payment.paid_on,
            is_deleted=payment.is_deleted,
        )


class PaymentPage(View):
    items: list[PaymentView]
    next_cursor: str | None
