"""What ConnectWise shows, compared with what a write-back means: pure decisions."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.domain.errors import (
    CredentialsRejectedError,
    MalformedRecordError,
    NotFoundError,
    PermanentError,
    PermissionMissingError,
    RefusedError,
)
from bridge.domain.write_back import (
    MAX_POSTS,
    MAYBE_SENT_STATES,
    Reason,
    WriteBack,
    WriteBackState,
)
from bridge.ports import PsaBalance, PsaPayment


def find(rows: Sequence[PsaPayment], psa_payment_id: int | None) -> PsaPayment | None:
    return next((row for row in rows if row.psa_payment_id == psa_payment_id), None)


def is_like(write_back: WriteBack, row: PsaPayment, member: str) -> bool:
    """Tell whether a payment may be ours: made by our API member, of our amount and day."""
    return row.applied_by.casefold() == member.casefold() and is_as_large(write_back, row)


def is_as_large(write_back: WriteBack, row: PsaPayment) -> bool:
    """Tell whether a payment is like ours by amount and day, whoever made it."""
    return (
        not row.is_credit
        and row.amount_minor == write_back.amount_minor
        and row.paid_on == write_back.paid_on
    )


def copies_of(write_back: WriteBack, rows: Sequence[PsaPayment]) -> list[PsaPayment]:
    """Return the payments as which another tool may have written the one that we own anew.

    What stood there before ours is no copy of it, and a payment of our own member is that of a
    worker who has not come to own it yet.
    """
    own_id = write_back.psa_payment_id or 0
    return [
        row
        for row in rows
        if is_as_large(write_back, row)
        and row.psa_payment_id > own_id
        and row.applied_by.casefold() != write_back.posted_as.casefold()
    ]


def may_be_copies_of(write_back: WriteBack, rows: Sequence[PsaPayment]) -> list[PsaPayment]:
    """Return the payments that may stand for ours, which is gone without our doing: another tool
    may have written it anew, and somebody may have edited that since."""
    own_id = write_back.psa_payment_id or 0
    return [
        row
        for row in rows
        if not row.is_credit
        and row.psa_payment_id > own_id
        and row.applied_by.casefold() != write_back.posted_as.casefold()
    ]


def may_be_posts_of(
    write_back: WriteBack, rows: Sequence[PsaPayment], member: str, others: Sequence[WriteBack]
) -> list[PsaPayment]:
    """Return the payments that an unclear post may have become: all that came since it was stated.

    Somebody may have edited it, or another tool may have written it anew, or both, so that neither
    amount, day nor name tells. What the other write-backs of the invoice posted, which are under
    way, is left out. An equal write-back may have taken ours for its own, so that ours is what has
    come since that one was stated.
    """
    newest_before = min(
        each.newest_before or 0
        for each in (write_back, *others)
        if each is write_back or (each.was_ever_stated and _is_equal(each, write_back))
    )
    under_way = [each for each in others if each.state in MAYBE_SENT_STATES]
    return [
        row
        for row in rows
        if not row.is_credit
        and row.psa_payment_id > newest_before
        and not any(is_like(each, row, member) for each in under_way)
    ]


def _is_equal(one: WriteBack, other: WriteBack) -> bool:
    """Tell whether the payments of two write-backs cannot be told apart in ConnectWise."""
    return (one.amount_minor, one.paid_on) == (other.amount_minor, other.paid_on)


def is_closed(invoice: PsaBalance) -> bool:
    return invoice.status is not None and invoice.status.is_closed


def obstacle_to(write_back: WriteBack, invoice: PsaBalance, rows: Sequence[PsaPayment]) -> Reason:
    """Tell why the payment must not be posted on this invoice as it stands, if so."""
    if write_back.posts >= MAX_POSTS:
        return Reason.TOO_MANY_POSTS
    if invoice.currency != write_back.currency:
        return Reason.CURRENCY_DIFFERS
    if is_hidden(write_back, invoice, rows):
        return Reason.PAYMENT_REWRITTEN
    if invoice.is_batched or (write_back.posts > 0 and is_closed(invoice)):
        # A closed invoice may take payments; where one never showed, it does not.
        return Reason.INVOICE_LOCKED
    if invoice.balance_minor <= 0:
        return Reason.PAID_BY_HAND
    is_too_large = invoice.balance_minor < write_back.amount_minor
    return Reason.OVERPAYMENT if is_too_large else Reason.NONE


def is_hidden(write_back: WriteBack, invoice: PsaBalance, rows: Sequence[PsaPayment]) -> bool:
    """Tell whether the balance may show a lost post of ours that the list does not: at least our
    amount is missing from it that no listed payment explains."""
    return write_back.posts > 0 and _unexplained_minor(invoice, rows) >= write_back.amount_minor


def moved_by_amount(write_back: WriteBack, invoice: PsaBalance) -> bool:
    """Tell whether the balance went down by exactly our amount since our post was stated."""
    before_minor = write_back.balance_before_minor
    return (
        before_minor is not None and before_minor - invoice.balance_minor == write_back.amount_minor
    )


def is_settled(invoice: PsaBalance, rows: Sequence[PsaPayment]) -> bool:
    """Tell whether the balance is what the listed payments leave of the total. A credit memo's
    never is, once it was used."""
    return _unexplained_minor(invoice, rows) == 0


def _unexplained_minor(invoice: PsaBalance, rows: Sequence[PsaPayment]) -> int:
    """Return what the balance is lower than the listed payments leave of the total."""
    listed_minor = sum(row.amount_minor for row in rows)
    return invoice.total_minor - listed_minor - invoice.balance_minor


def lags(write_back: WriteBack, invoice: PsaBalance, rows: Sequence[PsaPayment]) -> bool:
    """Tell whether the invoice or its payments do not show yet what was done to them. They may
    both lag, and then agree with each other."""
    return not is_settled(invoice, rows) or not _is_shown(write_back, rows)


def _is_shown(write_back: WriteBack, rows: Sequence[PsaPayment]) -> bool:
    """Tell whether the payment that a write-back owns is listed, or not any more once reversed."""
    if write_back.psa_payment_id is None:
        return True
    is_there = find(rows, write_back.psa_payment_id) is not None
    return is_there is not (write_back.state is WriteBackState.REVERSED)


def read_back(write_back: WriteBack, rows: Sequence[PsaPayment], member: str) -> Reason:
    """Tell what is wrong after a post: ours must be there as we made it, and as many payments as
    there were besides."""
    row = find(rows, write_back.psa_payment_id)
    if row is None:
        return Reason.PAYMENT_GONE
    if not is_like(write_back, row, member):
        return Reason.PAYMENT_CHANGED
    if write_back.rows_before is not None and len(rows) <= write_back.rows_before:
        return Reason.OTHERS_REPLACED
    return Reason.NONE


def refusal_reason(error: PermanentError, invoice: PsaBalance | None = None) -> Reason:
    """Return what a person is told about something that will fail again.

    ConnectWise does not say why it refuses a change; a locked invoice is the likeliest cause,
    whatever status it answers.
    """
    is_refusal = isinstance(error, RefusedError | PermissionMissingError)
    if is_refusal and invoice is not None and (is_closed(invoice) or invoice.is_batched):
        return Reason.INVOICE_LOCKED
    if isinstance(error, PermissionMissingError):
        return Reason.RIGHT_MISSING
    if isinstance(error, CredentialsRejectedError):
        return Reason.CREDENTIALS_REJECTED
    if isinstance(error, NotFoundError):
        return Reason.INVOICE_GONE
    if isinstance(error, MalformedRecordError):
        return Reason.UNREADABLE
    return Reason.REFUSED
