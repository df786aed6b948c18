"""Pure rules say which write-backs are tried again by themselves, as their obstacle may go."""

from __future__ import annotations

from datetime import datetime, timedelta

from bridge.domain.connection import Connection, ConnectionState
from bridge.domain.invoice import Invoice
from bridge.domain.platform_payment import Target
from bridge.domain.problem import Problem
from bridge.domain.write_back import Reason, WriteBack
from bridge.domain.write_back.changes import FIRST_WAIT, LONGEST_WAIT

# These are over only when the connection was verified; it may stay degraded for want of a right
# that is foreign to payments.
_VERIFIED = frozenset({Reason.RIGHT_MISSING, Reason.CREDENTIALS_REJECTED})
_OF_THE_CONNECTION = _VERIFIED | {Reason.DISCONNECTED, Reason.MEMBER_UNKNOWN}
_OF_THE_INVOICE = frozenset(
    {
        Reason.INVOICE_GONE,
        Reason.INVOICE_LOCKED,
        Reason.OVERPAYMENT,
        Reason.PAID_BY_HAND,
        Reason.NOTHING_OWED,
        Reason.CURRENCY_DIFFERS,
    }
)
HEALING = _OF_THE_CONNECTION | _OF_THE_INVOICE
TRIED_DAILY = frozenset({Reason.REFUSED, Reason.UNREADABLE})
"""The mirror is blind to their end: ConnectWise leaves a closed accounting period unnamed."""
BETWEEN_DAILY_TRIES = timedelta(days=1)
_MOST_DOUBLINGS = 6  # these many reach the longest wait


def is_retried_automatically(write_back: WriteBack) -> bool:
    """Tell whether a write-back waits for a person only while an obstacle outside it lasts."""
    if write_back.is_written and write_back.reason is Reason.OVERPAYMENT:
        return True
    return write_back.needs_person and write_back.reason in HEALING | TRIED_DAILY


def is_retry_due(write_back: WriteBack, problem: Problem, now: datetime) -> bool:
    """Tell whether its problem was last seen long enough ago to try it again.

    The mirror may be wrong that an obstacle is over, so it waits longer each time that it was
    tried in vain.
    """
    if write_back.reason in TRIED_DAILY:
        wait = BETWEEN_DAILY_TRIES
    else:
        wait = min(FIRST_WAIT * 2 ** min(problem.times_seen, _MOST_DOUBLINGS), LONGEST_WAIT)
    return now - problem.last_seen_at >= wait


def may_succeed_now(
    write_back: WriteBack,
    connection: Connection | None,
    invoice: Invoice | None,
    *,
    waited: timedelta = timedelta(0),
) -> bool:
    """Tell whether the reason may be over, as far as the mirror knows; another one may follow.

    ``waited`` is the time since the last try. Only ConnectWise knows whether a closed or batched
    invoice takes a payment by now: it is asked once a day.
    """
    if connection is None or not connection.is_syncing or not connection.member_identifier:
        return False
    if write_back.reason in _VERIFIED:
        return connection.state is ConnectionState.ACTIVE
    if write_back.reason in _OF_THE_CONNECTION | TRIED_DAILY:
        return True
    if write_back.reason is Reason.INVOICE_LOCKED and waited >= BETWEEN_DAILY_TRIES:
        return True
    return _allows_payment(write_back, invoice)


def _allows_payment(write_back: WriteBack, invoice: Invoice | None) -> bool:
    """Tell whether an invoice is free of the obstacle that the reason names."""
    if invoice is None or invoice.archive is not None:
        # An invoice that is gone took our payment along.
        return write_back.target is Target.ABSENT
    match write_back.reason:
        case Reason.INVOICE_LOCKED:
            return not _is_locked(invoice)
        case Reason.CURRENCY_DIFFERS:
            return invoice.currency == write_back.currency
        case Reason.OVERPAYMENT | Reason.PAID_BY_HAND | Reason.NOTHING_OWED:
            still_to_come_minor = 0 if write_back.is_written else write_back.amount_minor
            return invoice.balance_minor >= still_to_come_minor
        case _:
            return True


def _is_locked(invoice: Invoice) -> bool:
    is_closed = invoice.status is not None and invoice.status.is_closed
    return is_closed or invoice.is_batched
