"""A payment's write-backs follow from its allocations, and are stored with it and it alone."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.domain.errors import InvalidInputError
from bridge.domain.identity import parse_mirrored_id, write_back_id_of
from bridge.domain.platform_payment import PlatformPayment
from bridge.domain.write_back import WriteBack


def write_backs_by_payment(payment: PlatformPayment) -> list[tuple[str, str]]:
    """Return (connection id, write-back id) for each allocation of a payment.

    Allocations to the platform's own invoices are left out: ConnectWise has no such invoice.
    """
    mirrored = [parse_mirrored_id(allocation.invoice_id) for allocation in payment.allocations]
    return [
        (invoice.connection_id, write_back_id_of(payment.payment_id, invoice.source_id))
        for invoice in mirrored
        if invoice
    ]


def check_belonging(payment: PlatformPayment, write_backs: Sequence[WriteBack]) -> None:
    """Raise InvalidInputError unless each write-back belongs to the payment, and is named once."""
    allowed = set(write_backs_by_payment(payment))
    named = [(write_back.connection_id, write_back.write_back_id) for write_back in write_backs]
    is_own = all(
        write_back.partner_id == payment.partner_id and write_back.payment_id == payment.payment_id
        for write_back in write_backs
    )
    if not is_own or not allowed.issuperset(named) or len(set(named)) < len(named):
        raise InvalidInputError("not the payment's own write-backs", field="write_backs")
