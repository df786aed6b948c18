"""A payment that is told twice under two ids looks like this: all that matters is the same."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from bridge.domain.payment_sense import MAX_DAYS_AHEAD
from bridge.domain.platform_payment import PlatformPayment
from bridge.ports import LedgerStore, PlatformPaymentQuery

MAX_COMPARED = 200
"""So many of the customer's payments that were received on the day are compared, the latest."""


def may_be_recorded_already(ledger: LedgerStore, payment: PlatformPayment) -> bool:
    """Tell whether a payment like this one stands in the ledger under another id.

    Only one whose money is there or on its way counts. The customer's list follows within
    moments, so that of two payments recorded at the same time both may miss the other.
    """
    received_on = payment.received_on
    query = PlatformPaymentQuery(
        customer_id=payment.customer_id,
        received_from=received_on,
        received_to=received_on,
        recorded_from=datetime.combine(received_on - timedelta(days=MAX_DAYS_AHEAD), time(), UTC),
    )
    page = ledger.list_payments(payment.partner_id, query, limit=MAX_COMPARED)
    return any(not known.is_over and known.is_like(payment) for known in page.items)
