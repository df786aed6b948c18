"""One worker's hold on one write-back. ``domain.write_back`` says why each step is there.

What a step needs from the past is in the ledger, never in a worker's memory, so a worker may die
between any two lines and the next one goes on from what was stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bridge.domain.connection import Connection
from bridge.domain.errors import (
    BridgeError,
    ConflictError,
    CredentialsRejectedError,
    MalformedRecordError,
    NotFoundError,
    PermanentError,
    PermissionMissingError,
    RetryableError,
)
from bridge.domain.platform_payment import Target
from bridge.domain.write_back import (
    MAX_POSTS,
    MAYBE_SENT_STATES,
    Lease,
    Reason,
    Timings,
    WriteBack,
    WriteBackState,
)
from bridge.payment_ports import (
    LedgerStore,
    PostedPayment,
    PsaBalance,
    PsaPayment,
    PsaPayments,
)
from bridge.ports import Clock

RETRY_AFTER = timedelta(minutes=1)

_S = WriteBackState


@dataclass(slots=True)
class Attempt:
    """One worker's hold on one write-back, with what is stored about it at each moment."""

    ledger: LedgerStore
    psa: PsaPayments
    connection: Connection
    lease: Lease
    clock: Clock
    timings: Timings
    write_back: WriteBack
    version: int
    has_written: bool = False

    @property
    def ids(self) -> dict[str, str]:
        return {
            "connection_id": self.connection.connection_id,
            "write_back_id": self.write_back.write_back_id,
        }

    @property
    def _may_be_in_flight(self) -> bool:
        """A request of ours may still take effect."""
        return self.write_back.state in (*MAYBE_SENT_STATES, _S.REVERSING)

    def run(self) -> None:
        if self.write_back.target is Target.POSTED:
            self._bring_in()
        else:
            self._take_out()
        if self.write_back.wants_follow_up and self.write_back.is_at_target:
            self._follow_up()

    def retry_later(self) -> None:
        """Look again soon, and never before what was sent is over."""
        soon = self.clock.now() + RETRY_AFTER
        due_at = max(soon, self.write_back.due_at or soon) if self._may_be_in_flight else soon
        self._save(replace(self.write_back, due_at=due_at))

    def give_to_person(self, reason: Reason) -> None:
        """A read was refused. What may have been sent stays unclear, and is asked for later."""
        if self._may_be_in_flight:
            later = self.clock.now() + self.timings.quarantine
            self._save(replace(self.write_back, reason=reason, due_at=later))
        else:
            self._save(self.write_back.manual(reason))

    def let_go(self) -> None:
        """Release the invoice, unless a request of ours may still take effect on it."""
        if not self._may_be_in_flight:
            self.ledger.release_lease(self.lease)

    # --- bringing the payment in -----------------------------------------------------------------

    def _bring_in(self) -> None:
        if self.write_back.state is _S.CONFIRMED:
            return
        try:
            rows = self._rows()
            mine = self._unowned_match(rows)
            if mine is not None:
                self._confirm(mine.psa_payment_id)
                return
            before = self.psa.read_balance(self.write_back.invoice_source_id)
        except NotFoundError:
            self._save(self.write_back.manual(Reason.INVOICE_GONE))
            return
        obstacle = _obstacle(self.write_back, before)
        if obstacle is not Reason.NONE:
            self._save(self.write_back.manual(obstacle))
            return
        self._post(before, rows)

    def _post(self, before: PsaBalance, rows: Sequence[PsaPayment]) -> None:
        """State the intent, send once, and store what is known about the outcome."""
        intent = self.write_back.posting(
            self.clock.now(), self.timings, balance_minor=before.balance_minor, rows=len(rows)
        )
        self._save(intent, extend_until=intent.due_at)
        self.has_written = True
        try:
            posted = self.psa.post_payment(
                intent.invoice_source_id,
                amount_minor=intent.amount_minor,
                currency=intent.currency,
                paid_on=intent.paid_on,
            )
        except RetryableError:
            self._save(intent.not_sent(self.clock.now() + RETRY_AFTER))
        except PermanentError as error:
            self._save(intent.rejected(refusal_reason(error)))
        except BridgeError:
            self._save(intent.unclear())
        else:
            self._confirm_posted(posted)

    def _confirm_posted(self, posted: PostedPayment) -> None:
        """The payment may have been returned while it was posted; where it stands holds anyway."""
        try:
            self._confirm(posted.psa_payment_id, is_exact=self._is_exact(posted))
        except ConflictError:
            intent = self.write_back
            ids = (intent.connection_id, intent.write_back_id)
            stored = self.ledger.get_write_back(*ids)
            if stored.value is None or replace(stored.value, target=intent.target) != intent:
                raise
            self.write_back, self.version = stored.value, stored.version
            self._confirm(posted.psa_payment_id, is_exact=self._is_exact(posted))

    def _is_exact(self, posted: PostedPayment) -> bool:
        return posted.amount_minor == self.write_back.amount_minor

    def _confirm(self, psa_payment_id: int, *, is_exact: bool = True) -> None:
        """The payment is there and ours. What still follows is stored with it.

        After an amount that is not known to be ours, no balance proves anything.
        """
        confirmed = self.write_back.confirmed(psa_payment_id, self.clock.now())
        if not is_exact:
            confirmed = replace(confirmed, balance_before_minor=None)
        self._save(confirmed, own=psa_payment_id)
        self.has_written = True

    # --- taking it out again ---------------------------------------------------------------------

    def _take_out(self) -> None:
        if self.write_back.state is _S.DONE_BY_HAND:
            self._save(self.write_back.manual(Reason.REVERSE_BY_HAND))
            return
        if self.write_back.psa_payment_id is None and self.write_back.was_ever_stated:
            mine = self._unowned_match(self._rows_if_there())
            if mine is not None:
                self._confirm(mine.psa_payment_id)
        if self.write_back.psa_payment_id is None:
            self._gone()
        elif self.write_back.state is not _S.REVERSED:
            self._delete(self.write_back.psa_payment_id)

    def _delete(self, psa_payment_id: int) -> None:
        """Delete exactly the payment that we own, and only while it is still what we made."""
        rows = self._rows_if_there()
        row = _find(rows, psa_payment_id)
        if row is None:
            self._vanished(rows)
            return
        if not self._is_like_mine(row):
            self._save(self.write_back.manual(Reason.PAYMENT_CHANGED))
            return
        self._reopen()
        intent = self.write_back.reversing(self.clock.now(), self.timings)
        self._save(intent, extend_until=intent.due_at)
        self.has_written = True
        try:
            self.psa.delete_payment(intent.invoice_source_id, psa_payment_id)
        except NotFoundError:
            self._gone()
        except RetryableError:
            self._save(replace(intent, state=_S.CONFIRMED, due_at=self.clock.now() + RETRY_AFTER))
        except PermanentError as error:
            self._save(intent.manual(refusal_reason(error)))
        except BridgeError:
            return
        else:
            self._gone()

    def _vanished(self, rows: Sequence[PsaPayment]) -> None:
        """Ours is not there. Unless we deleted it, another tool may have written it anew."""
        copies = [row for row in rows if self._is_as_large(row)]
        if self.write_back.state is _S.REVERSING or self._unowned(copies) is None:
            self._gone()
        else:
            self._save(self.write_back.manual(Reason.PAYMENT_REWRITTEN))

    def _gone(self) -> None:
        self._save(self.write_back.reversed(self.clock.now()))

    def _reopen(self) -> None:
        """A paid status may have closed the invoice, which locks its payments: the status that it
        replaced comes back first. Where that is refused, the deletion will be too."""
        previous_status_id = self._previous_status_id()
        if previous_status_id is None:
            return
        invoice = self.psa.read_balance(self.write_back.invoice_source_id)
        if not self._shows_paid(invoice) or not invoice.status or not invoice.status.is_closed:
            return
        self.has_written = True
        with suppress(PermanentError):
            self.psa.set_status(
                self.write_back.invoice_source_id, previous_status_id, is_closed=True
            )

    # --- what follows ----------------------------------------------------------------------------

    def _follow_up(self) -> None:
        """Read the invoice back, compare it with what was meant, and see to its status."""
        try:
            invoice = self.psa.read_balance(self.write_back.invoice_source_id)
            rows = None if self._is_proven(invoice) else self._rows()
        except NotFoundError:
            self._save(self.write_back.followed_up(Reason.NONE))
            return
        if rows is not None and self._lags(invoice, rows):
            self._save(replace(self.write_back, due_at=self.clock.now() + RETRY_AFTER))
            return
        reason = Reason.NONE if rows is None else self._read_back(rows)
        if reason is Reason.PAYMENT_GONE:
            self._save(replace(self.write_back.manual(reason), wants_follow_up=False))
            return
        status_reason = self._set_status(invoice)
        self._save(self.write_back.followed_up(reason or status_reason))

    def _is_proven(self, invoice: PsaBalance) -> bool:
        """A balance that moved by exactly our amount is proof enough; after a reversal, so is a
        status that is not the paid one."""
        if self.write_back.target is Target.ABSENT:
            return not self._shows_paid(invoice)
        before = self.write_back.balance_before_minor
        return before is not None and before - invoice.balance_minor == self.write_back.amount_minor

    def _lags(self, invoice: PsaBalance, rows: Sequence[PsaPayment]) -> bool:
        """Tell whether ConnectWise may only not show yet what was just done."""
        intent_at = self.write_back.intent_at
        if intent_at is None or self.clock.now() - intent_at >= self.timings.quarantine:
            return False
        is_there = _find(rows, self.write_back.psa_payment_id) is not None
        paid_minor = sum(row.amount_minor for row in rows)
        is_settled = invoice.balance_minor == invoice.total_minor - paid_minor
        return not is_settled or is_there is not (self.write_back.target is Target.POSTED)

    def _read_back(self, rows: Sequence[PsaPayment]) -> Reason:
        """Ours must be there as we made it, and as many as there were besides."""
        if self.write_back.target is Target.ABSENT:
            return Reason.NONE
        row = _find(rows, self.write_back.psa_payment_id)
        if row is None:
            return Reason.PAYMENT_GONE
        if not self._is_like_mine(row):
            return Reason.PAYMENT_CHANGED
        rows_before = self.write_back.rows_before
        if rows_before is not None and len(rows) <= rows_before:
            return Reason.OTHERS_REPLACED
        return Reason.NONE

    def _set_status(self, invoice: PsaBalance) -> Reason:
        """Set the paid status when the balance is zero; put the old one back when it is not."""
        current = invoice.status.source_id if invoice.status else None
        wanted = self._wanted_status(invoice)
        if wanted is None or wanted == current:
            return Reason.NONE
        if self.write_back.target is Target.POSTED:
            self._save(replace(self.write_back, previous_status_id=current))
        self.has_written = True
        try:
            self.psa.set_status(
                self.write_back.invoice_source_id,
                wanted,
                is_closed=invoice.status is not None and invoice.status.is_closed,
            )
        except PermanentError:
            return Reason.STATUS_REFUSED
        return Reason.NONE

    def _wanted_status(self, invoice: PsaBalance) -> int | None:
        paid_status_id = self.connection.write_back.paid_status_id
        if self.write_back.target is Target.POSTED:
            return paid_status_id if invoice.balance_minor == 0 else None
        if invoice.balance_minor != 0 and self._shows_paid(invoice):
            return self._previous_status_id()
        return None

    def _shows_paid(self, invoice: PsaBalance) -> bool:
        paid_status_id = self.connection.write_back.paid_status_id
        return invoice.status is not None and invoice.status.source_id == paid_status_id

    def _previous_status_id(self) -> int | None:
        """Return what our paid status replaced, whichever payment of the invoice it came with."""
        if self.write_back.previous_status_id is not None:
            return self.write_back.previous_status_id
        others = self.ledger.write_backs_of_invoice(
            self.write_back.connection_id, self.write_back.invoice_source_id
        )
        known = [other.previous_status_id for other in others]
        return next((each for each in reversed(known) if each is not None), None)

    # --- shared ----------------------------------------------------------------------------------

    def _rows(self) -> tuple[PsaPayment, ...]:
        return self.psa.list_payments(self.write_back.invoice_source_id, self.write_back.currency)

    def _rows_if_there(self) -> tuple[PsaPayment, ...]:
        """An invoice that is gone took its payments along."""
        try:
            return self._rows()
        except NotFoundError:
            return ()

    def _unowned_match(self, rows: Sequence[PsaPayment]) -> PsaPayment | None:
        """Find a payment that is like ours, made by our API member, and nobody's yet."""
        return self._unowned([row for row in rows if self._is_like_mine(row)])

    def _unowned(self, rows: Sequence[PsaPayment]) -> PsaPayment | None:
        owners: Mapping[int, str] = self.ledger.owners(
            self.connection.connection_id, [row.psa_payment_id for row in rows]
        )
        return next((row for row in rows if row.psa_payment_id not in owners), None)

    def _is_like_mine(self, row: PsaPayment) -> bool:
        member = self.connection.member_identifier
        return row.applied_by.casefold() == member.casefold() and self._is_as_large(row)

    def _is_as_large(self, row: PsaPayment) -> bool:
        """Tell whether a payment is ours by amount and day, whoever made it."""
        return (
            not row.is_credit
            and row.amount_minor == self.write_back.amount_minor
            and row.paid_on == self.write_back.paid_on
        )

    def _save(
        self,
        write_back: WriteBack,
        *,
        extend_until: datetime | None = None,
        own: int | None = None,
    ) -> None:
        self.version = self.ledger.save_write_back(
            write_back,
            expected_version=self.version,
            holding=self.lease,
            extend_until=extend_until,
            own_psa_payment_id=own,
        )
        self.write_back = write_back


def _find(rows: Sequence[PsaPayment], psa_payment_id: int | None) -> PsaPayment | None:
    return next((row for row in rows if row.psa_payment_id == psa_payment_id), None)


def _obstacle(write_back: WriteBack, invoice: PsaBalance) -> Reason:
    """Tell why the payment must not be posted on this invoice as it stands, if so."""
    if write_back.posts >= MAX_POSTS:
        return Reason.TOO_MANY_POSTS
    if invoice.currency.code != write_back.currency.code:
        return Reason.CURRENCY_DIFFERS
    if invoice.is_batched:
        return Reason.INVOICE_LOCKED
    if invoice.balance_minor <= 0:
        return Reason.PAID_BY_HAND
    if invoice.balance_minor < write_back.amount_minor:
        return Reason.OVERPAYMENT
    return Reason.NONE


def refusal_reason(error: PermanentError) -> Reason:
    """Return what a person is told about something that will fail again."""
    if isinstance(error, PermissionMissingError):
        return Reason.RIGHT_MISSING
    if isinstance(error, CredentialsRejectedError):
        return Reason.CREDENTIALS_REJECTED
    if isinstance(error, NotFoundError):
        return Reason.INVOICE_GONE
    if isinstance(error, MalformedRecordError):
        return Reason.UNREADABLE
    return Reason.REFUSED
