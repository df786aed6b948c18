"""PSA payments are the payments that ConnectWise shows on invoices."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from bridge.domain.identity import Origin
from bridge.domain.payment import Payment, PaymentKind
from bridge.domain.write_back import WriteBack
from dashboard_api.models.values import AmountView, FoundPage, View


class PsaPaymentView(View):
    """A PSA payment stands on one invoice, with the part of the money that the invoice got."""

    id: str
    connection_id: str
    invoice_id: str
    invoice_number: str | None = Field(None, description="The invoice's number.")
    customer_id: str
    customer_name: str | None = Field(None, description="The customer's name.")
    source_id: int
    origin: Origin = Field(description="`platform`: the bridge wrote it for a platform payment.")
    platform_payment_id: str | None = Field(
        description="The platform payment that it stands for, if the bridge knows one."
    )
    kind: PaymentKind
    amount: AmountView
    paid_on: date | None
    is_deleted: bool = Field(description="True: it is gone from ConnectWise and kept as history.")

    @classmethod
    def of(
        cls,
        payment: Payment,
        write_back: WriteBack | None = None,
        *,
        invoice_number: str | None = None,
        customer_name: str | None = None,
    ) -> PsaPaymentView:
        """Return the view; the write-back is the one that owns the payment.

        A payment that somebody else made may stand for a platform payment, and keeps its origin.
        """
        is_ours = write_back is not None and not write_back.is_foreign
        return cls(
            id=payment.payment_id,
            connection_id=payment.connection_id,
            invoice_id=payment.invoice_id,
            invoice_number=invoice_number,
            customer_id=payment.customer_id,
            customer_name=customer_name,
            source_id=payment.source_id,
            origin=Origin.PLATFORM if is_ours else payment.origin,
            platform_payment_id=write_back.payment_id if write_back else None,
            kind=payment.kind,
            amount=AmountView.of(payment.amount_minor, payment.currency),
            paid_on=payment.paid_on,
            is_deleted=payment.is_deleted,
        )


class PsaPaymentPage(FoundPage[PsaPaymentView]):
    """A page of PSA payments holds the latest first."""
