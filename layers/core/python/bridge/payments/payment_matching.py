"""Pure decisions match the payments that ConnectWise shows with the intents of write-backs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from bridge.domain.errors import (
    CredentialsRejectedError,
    MalformedRecordError,
    NotFoundError,
    PermanentError,
    PermissionMissingError,
    RefusedError,
)
from bridge.domain.payment import Payment, PaymentKind
from bridge.domain.write_back import (
    MAX_LISTED_PAYMENTS,
    MAX_POSTS,
    DecisionKind,
    Reason,
    ShownPayment,
    StatedAttempt,
    WriteBack,
    WriteBackState,
)
from bridge.ports import PsaBalance, PsaPayment


def find(rows: Iterable[PsaPayment], psa_payment_id: int | None) -> PsaPayment | None:
    return next((row for row in rows if row.psa_payment_id == psa_payment_id), None)


def shown(rows: Iterable[PsaPayment]) -> tuple[ShownPayment, ...]:
    """Return payments as a person is shown them."""
    return tuple(
        ShownPayment(row.psa_payment_id, row.amount_minor, row.paid_on, row.applied_by)
        for row in rows
    )


def mirrored_row(payment: Payment) -> PsaPayment:
    """Return a mirrored payment as ConnectWise listed it."""
    return PsaPayment(
        payment.source_id,
        payment.amount_minor,
        payment.paid_on,
        payment.applied_by,
        is_credit=payment.kind is not PaymentKind.MONEY,
    )


# --- the maker of a payment ----------------------------------------------------------------------


def is_same_member(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def is_as_large(write_back: WriteBack, row: PsaPayment) -> bool:
    """Tell whether a payment by any member is like ours by amount and day."""
    return not row.is_credit and write_back.is_as_large(row.amount_minor, row.paid_on)


def is_like(write_back: WriteBack, row: PsaPayment, member: str) -> bool:
    """Tell whether a payment is like ours: of that API member, of our amount and day."""
    return is_same_member(row.applied_by, member) and is_as_large(write_back, row)


def is_like_or_nameless(write_back: WriteBack, row: PsaPayment, member: str) -> bool:
    """Tell whether a payment is like ours; where lists leave names out, amount and day tell."""
    return is_like(write_back, row, member) or is_like(write_back, row, "")


def is_still_ours(write_back: WriteBack, row: PsaPayment) -> bool:
    """Tell whether the payment that we own is as it was made. Its id says that it is ours; a list
    may leave out its member."""
    is_same = row.applied_by == "" or is_same_member(row.applied_by, write_back.posted_as)
    return is_same and is_as_large(write_back, row)


def may_be_made_by(attempt: StatedAttempt, write_back: WriteBack, row: PsaPayment) -> bool:
    """Tell whether a stated post may have made a payment: its member and amount, its day within
    one, and an id that is new in the list. A new id may be lower than older ones."""
    is_new = not attempt.had_listed(row.psa_payment_id)
    return is_new and bool(attempt.member) and is_like(write_back, row, attempt.member)


def post_that_may_have_made(write_back: WriteBack, row: PsaPayment) -> StatedAttempt | None:
    """Return the latest unproven post that may have made a payment."""
    posts = write_back.unproven_posts
    return next((post for post in posts if may_be_made_by(post, write_back, row)), None)


def may_have_made(write_back: WriteBack, row: PsaPayment) -> bool:
    """Tell whether a stated post may have made a payment. One that is proven to have made another
    one, or was refused, counts, too, since a request may be doubled on its way."""
    return any(
        is_like_or_nameless(write_back, row, post.member)
        and not post.had_listed(row.psa_payment_id)
        for post in write_back.known_history.sent_posts()
    )


def best_match(
    write_back: WriteBack,
    rows: Sequence[PsaPayment],
    others: Sequence[WriteBack],
    *,
    days_apart: int = 0,
) -> tuple[PsaPayment, StatedAttempt] | None:
    """Return the unowned payment that an unproven post of ours made, and the post.

    The one of our own day comes first, as this ConnectWise lists it: ``days_apart`` days before
    ours. One of a neighbouring day is left to another write-back that waits for exactly that day.
    If an equal payment of somebody else is new, ours may have become that one: then a payment that
    another post of ours may have made is left to it.
    """
    found = [(row, post) for row in rows if (post := post_that_may_have_made(write_back, row))]
    if _is_perhaps_rewritten(write_back, rows, others):
        found = [(row, post) for row, post in found if not may_be_of_any(others, row)]
    shift = timedelta(days=days_apart)
    exact = [(row, post) for row, post in found if row.paid_on == write_back.paid_on - shift]
    near = [(row, post) for row, post in found if not _is_exactly_of_another(row, others, shift)]
    return next(iter(exact or near), None)


def _is_exactly_of_another(row: PsaPayment, others: Sequence[WriteBack], shift: timedelta) -> bool:
    return any(
        row.paid_on == other.paid_on - shift and post_that_may_have_made(other, row)
        for other in others
    )


def _is_perhaps_rewritten(
    write_back: WriteBack, rows: Sequence[PsaPayment], others: Sequence[WriteBack]
) -> bool:
    """Tell whether an equal payment is new that only somebody else can have made."""
    return any(
        row.amount_minor == write_back.amount_minor
        and not may_be_of_any([write_back, *others], row)
        for row in new_since_posts(write_back, rows)
    )


def may_be_of_any(write_backs: Iterable[WriteBack], row: PsaPayment) -> bool:
    """Tell whether one of the write-backs may still find its own in a payment."""
    return any(post_that_may_have_made(each, row) for each in write_backs)


def new_since_posts(write_back: WriteBack, rows: Sequence[PsaPayment]) -> list[PsaPayment]:
    """Return the unowned payments, by any member, that are new since an unproven post: it may
    have become one of them. Somebody may have edited ours, or another tool may have written it
    anew.

    After a proven post, only a copy of its amount may stand for it now.
    """
    posts = list(write_back.known_history.posts())
    return [
        row
        for row in rows
        if not row.is_credit
        and any(
            not post.had_listed(row.psa_payment_id)
            and (post.is_unproven or row.amount_minor == write_back.amount_minor)
            for post in posts
        )
    ]


def copies_of(write_back: WriteBack, rows: Sequence[PsaPayment]) -> list[PsaPayment]:
    """Return the unowned payments that may stand for ours, which is missing: all that are new
    since it was posted."""
    post = write_back.owning_post
    if post is None:
        return [row for row in rows if is_as_large(write_back, row)]
    return [row for row in rows if not row.is_credit and not post.had_listed(row.psa_payment_id)]


def surplus_by(
    write_backs: Sequence[WriteBack], rows: Sequence[PsaPayment], member: str
) -> list[PsaPayment]:
    """Return the payments by our members among the given ones.

    All of today's member count. Of a past one, which others may use, only those count that are
    new since a post of ours under its name.
    """
    return [
        row
        for row in rows
        if not row.is_credit
        and (
            is_same_member(row.applied_by, member)
            or any(_is_new_beside_posts(each, row) for each in write_backs)
        )
    ]


def _is_new_beside_posts(write_back: WriteBack, row: PsaPayment) -> bool:
    """Tell whether a payment is new since a post that went out under its name. Where lists leave
    names out, amount and day tell."""
    is_nameless = is_like(write_back, row, "")
    return any(
        (is_nameless or is_same_member(row.applied_by, post.member))
        and not post.had_listed(row.psa_payment_id)
        for post in write_back.known_history.posts()
        if post.member
    )


# --- the state of the invoice --------------------------------------------------------------------


def is_closed(invoice: PsaBalance) -> bool:
    return invoice.status is not None and invoice.status.is_closed


def is_locked(invoice: PsaBalance) -> bool:
    """Tell whether the invoice may refuse payments; only ConnectWise knows whether it does."""
    return is_closed(invoice) or invoice.is_batched


def obstacle_to(write_back: WriteBack, invoice: PsaBalance, rows: Sequence[PsaPayment]) -> Reason:
    """Return the reason to leave the payment unposted on this invoice as it stands, if any.

    Only ConnectWise knows whether a closed or batched invoice takes a payment, so it is asked.
    """
    unproven = len(write_back.unproven_posts)
    is_decided = write_back.decision is not None and write_back.decision.kind is DecisionKind.POST
    is_too_large = invoice.balance_minor < write_back.amount_minor
    obstacles = (
        (is_hidden(write_back, invoice, rows), Reason.PAYMENT_HIDDEN),
        (unproven >= MAX_POSTS and not is_decided, Reason.TOO_MANY_POSTS),
        (len(rows) > MAX_LISTED_PAYMENTS, Reason.TOO_MANY_PAYMENTS),
        (invoice.currency != write_back.currency, Reason.CURRENCY_DIFFERS),
        # A locked invoice was tried already, and the payment stayed out of sight.
        (bool(unproven) and is_locked(invoice) and not is_decided, Reason.INVOICE_LOCKED),
        (invoice.total_minor <= 0, Reason.NOTHING_OWED),
        (invoice.balance_minor <= 0, Reason.PAID_BY_HAND),
        (is_too_large, Reason.OVERPAYMENT),
    )
    return next((reason for stands, reason in obstacles if stands), Reason.NONE)


def is_hidden(write_back: WriteBack, invoice: PsaBalance, rows: Sequence[PsaPayment]) -> bool:
    """Tell whether the balance may show a lost post of ours that the list lacks: by at least our
    amount it is lower than the listed payments explain."""
    is_lost = any(write_back.known_history.posts())
    return is_lost and unexplained_minor(invoice, rows) >= write_back.amount_minor


def moved_by_amount(write_back: WriteBack, invoice: PsaBalance) -> bool:
    """Tell whether the balance went down by exactly our amount since our post was stated."""
    post = write_back.owning_post
    before_minor = post.balance_minor if post else None
    return (
        before_minor is not None and before_minor - invoice.balance_minor == write_back.amount_minor
    )


def is_settled(invoice: PsaBalance, rows: Sequence[PsaPayment]) -> bool:
    """Tell whether the balance is the total less the listed payments. A used credit memo's always
    differs."""
    return unexplained_minor(invoice, rows) == 0


def unexplained_minor(invoice: PsaBalance, rows: Sequence[PsaPayment]) -> int:
    """Return the amount by which the balance is below the total less the listed payments."""
    listed_minor = sum(row.amount_minor for row in rows)
    return invoice.total_minor - listed_minor - invoice.balance_minor


def lags(write_back: WriteBack, invoice: PsaBalance, rows: Sequence[PsaPayment]) -> bool:
    """Tell whether the invoice or its payments may still show the state before a request of ours.
    They may both lag, and then agree with each other."""
    return not is_settled(invoice, rows) or not _is_shown(write_back, rows)


def _is_shown(write_back: WriteBack, rows: Sequence[PsaPayment]) -> bool:
    """Tell whether the payment that a write-back owns is listed, or missing once reversed."""
    if write_back.psa_payment_id is None:
        return True
    is_there = find(rows, write_back.psa_payment_id) is not None
    return is_there is not (write_back.state is WriteBackState.REVERSED)


def read_back(write_back: WriteBack, rows: Sequence[PsaPayment]) -> Reason:
    """Return the fault found after a post: ours must be there as it was made, and as many payments
    as before besides."""
    row = find(rows, write_back.psa_payment_id)
    if row is None:
        return Reason.PAYMENT_GONE
    if not is_still_ours(write_back, row):
        return Reason.PAYMENT_CHANGED
    post = write_back.owning_post
    if post is not None and len(rows) <= len(post.listed_ids):
        return Reason.OTHERS_REPLACED
    return Reason.NONE


def refusal_reason(error: PermanentError, invoice: PsaBalance | None = None) -> Reason:
    """Return the reason that a person is told for a request that will fail again.

    ConnectWise keeps the cause of a refusal to itself; a locked invoice is the likeliest one, with
    any status that it answers.
    """
    is_refusal = isinstance(error, RefusedError | PermissionMissingError)
    if is_refusal and invoice is not None and is_locked(invoice):
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
