"""PSA payments are the payments that ConnectWise shows on invoices."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from bridge.domain.identity import Origin
from bridge.domain.payment import Payment, PaymentKind
from dashboard_api.models.values import AmountView, Page, View


class PsaPaymentView(View):
    """A PSA payment stands on one invoice, with the part of the money that the invoice got."""

    id: str
    connection_id: str
    invoice_id: str
    customer_id: str
    source_id: int
    origin: Origin
    kind: PaymentKind
    amount: AmountView
    paid_on: date | None
    is_deleted: bool = Field(description="True: it is gone from ConnectWise and kept as history.")

    @classmethod
    def of(cls, payment: Payment) -> PsaPaymentView:
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


class PsaPaymentPage(Page[PsaPaymentView]):
    """A page of PSA payments holds the latest first."""
