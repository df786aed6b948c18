"""What the world may heal by itself, so that it is tried again without a person: pure decisions."""

from __future__ import annotations

from bridge.domain.connection import Connection, ConnectionState
from bridge.domain.invoice import Invoice
from bridge.domain.platform_payment import Target
from bridge.domain.write_back import Reason, WriteBack

# A connection may stay degraded for want of a right that no payment needs; over are these only
# when it was verified.
_VERIFIED = frozenset({Reason.RIGHT_MISSING, Reason.CREDENTIALS_REJECTED})
_OF_THE_CONNECTION = _VERIFIED | {Reason.DISCONNECTED, Reason.MEMBER_UNKNOWN}
_OF_THE_INVOICE = frozenset(
    {
        Reason.INVOICE_GONE,
        Reason.INVOICE_LOCKED,
        Reason.OVERPAYMENT,
        Reason.PAID_BY_HAND,
        Reason.CURRENCY_DIFFERS,
    }
)
HEALING = _OF_THE_CONNECTION | _OF_THE_INVOICE


def may_heal(write_back: WriteBack) -> bool:
    """Tell whether a write-back waits for a person only because of how the world was."""
    return write_back.needs_person and write_back.reason in HEALING


def has_healed(
    write_back: WriteBack, connection: Connection | None, invoice: Invoice | None
) -> bool:
    """Tell whether the reason is over, as far as the mirror knows; another one may follow it."""
    if connection is None or not connection.is_syncing or not connection.member_identifier:
        return False
    if write_back.reason in _VERIFIED:
        return connection.state is ConnectionState.ACTIVE
    return write_back.reason in _OF_THE_CONNECTION or _takes(write_back, invoice)


def _takes(write_back: WriteBack, invoice: Invoice | None) -> bool:
    """Tell whether an invoice allows what the reason says it did not."""
    if invoice is None or invoice.archive is not None:
        # Where the invoice is gone, nothing of ours can stand on it any more.
        return write_back.target is Target.ABSENT
    match write_back.reason:
        case Reason.INVOICE_LOCKED:
            return not _is_locked(invoice)
        case Reason.CURRENCY_DIFFERS:
            return invoice.currency.code == write_back.currency.code
        case Reason.OVERPAYMENT | Reason.PAID_BY_HAND:
            return invoice.balance_minor >= write_back.amount_minor
        case _:
            return True


def _is_locked(invoice: Invoice) -> bool:
    is_closed = invoice.status is not None and invoice.status.is_closed
    return is_closed or invoice.is_batched
