"""One worker's hold on one write-back. ``domain.write_back`` says why each step is there.

What a step needs from the past is in the ledger, never in a worker's memory, so a worker may die
between any two lines and the next one goes on from what was stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bridge.domain.connection import Connection
from bridge.domain.errors import (
    BridgeError,
    CredentialsRejectedError,
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
from bridge.payment_ports import LedgerStore, PsaBalance, PsaPayment, PsaPayments
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

    def run(self) -> None:
        if self.write_back.target is Target.POSTED:
            self._bring_in()
        else:
            self._take_out()
        if self.write_back.wants_follow_up:
            self._follow_up()

    def retry_later(self) -> None:
        """Nothing was sent since the last step was stored: look again soon, or when it is due."""
        if self.write_back.state not in (*MAYBE_SENT_STATES, _S.REVERSING):
            self._save(replace(self.write_back, due_at=self.clock.now() + RETRY_AFTER))

    def give_to_person(self, reason: Reason) -> None:
        """A read was refused. What may have been sent stays unclear, and is asked for later."""
        if self.write_back.state in (*MAYBE_SENT_STATES, _S.REVERSING):
            self._save(replace(self.write_back, due_at=self.clock.now() + self.timings.quarantine))
        else:
            self._save(self.write_back.manual(reason))

    def let_go(self) -> None:
        """Release the invoice, unless a request of ours may still take effect on it."""
        if self.write_back.state not in (*MAYBE_SENT_STATES, _S.REVERSING):
            self.ledger.release_lease(self.lease)

    # --- bringing the payment in -----------------------------------------------------------------

    def _bring_in(self) -> None:
        if self.write_back.state is _S.CONFIRMED:
            return
        rows = self._rows()
        mine = self._unowned_match(rows)
        if mine is not None:
            self._confirm(mine.psa_payment_id)
            return
        try:
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
            psa_payment_id = self.psa.post_payment(
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
            self._confirm(psa_payment_id)

    def _confirm(self, psa_payment_id: int) -> None:
        """The payment is there and ours. What still follows is stored with it."""
        self._save(self.write_back.confirmed(psa_payment_id, self.clock.now()), own=psa_payment_id)
        self.has_written = True

    # --- taking it out again ---------------------------------------------------------------------

    def _take_out(self) -> None:
        state = self.write_back.state
        if state is _S.DONE_BY_HAND:
            self._save(self.write_back.manual(Reason.REVERSE_BY_HAND))
            return
        if state in MAYBE_SENT_STATES:
            mine = self._unowned_match(self._rows())
            if mine is not None:
                self._confirm(mine.psa_payment_id)
        if self.write_back.psa_payment_id is None:
            self._gone()
        elif self.write_back.state is not _S.REVERSED:
            self._delete(self.write_back.psa_payment_id)

    def _delete(self, psa_payment_id: int) -> None:
        """Delete exactly the payment that we own, and only while it is still what we made."""
        row = {r.psa_payment_id: r for r in self._rows()}.get(psa_payment_id)
        if row is None:
            self._gone()
            return
        if not self._is_like_mine(row):
            self._save(self.write_back.manual(Reason.PAYMENT_CHANGED))
            return
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

    def _gone(self) -> None:
        self._save(self.write_back.reversed(self.clock.now()))

    # --- what follows ----------------------------------------------------------------------------

    def _follow_up(self) -> None:
        """Read the invoice back, compare it with what was meant, and see to its status."""
        try:
            invoice = self.psa.read_balance(self.write_back.invoice_source_id)
        except NotFoundError:
            self._save(self.write_back.followed_up(Reason.NONE))
            return
        reason = self._read_back(invoice)
        if reason is Reason.PAYMENT_GONE:
            self._save(replace(self.write_back.manual(reason), wants_follow_up=False))
            return
        status_reason = self._set_status(invoice)
        self._save(self.write_back.followed_up(reason or status_reason))

    def _read_back(self, invoice: PsaBalance) -> Reason:
        """A balance that moved by exactly our amount is proof enough. Otherwise the rows are
        read: ours must be there, and as many as there were besides."""
        before = self.write_back.balance_before_minor
        if self.write_back.state is not _S.CONFIRMED or before is None:
            return Reason.NONE
        if before - invoice.balance_minor == self.write_back.amount_minor:
            return Reason.NONE
        rows = self._rows()
        if self.write_back.psa_payment_id not in {row.psa_payment_id for row in rows}:
            return Reason.PAYMENT_GONE
        if len(rows) <= (self.write_back.rows_before or 0):
            return Reason.OTHERS_REPLACED
        return Reason.NONE

    def _set_status(self, invoice: PsaBalance) -> Reason:
        """Set the paid status when the balance is zero; put the old one back when it is not."""
        current = invoice.status.source_id if invoice.status else None
        wanted = self._wanted_status(invoice, current)
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

    def _wanted_status(self, invoice: PsaBalance, current: int | None) -> int | None:
        paid_status_id = self.connection.write_back.paid_status_id
        if self.write_back.target is Target.POSTED:
            return paid_status_id if invoice.balance_minor == 0 else None
        if invoice.balance_minor != 0 and current == paid_status_id:
            return self.write_back.previous_status_id
        return None

    # --- shared ----------------------------------------------------------------------------------

    def _rows(self) -> tuple[PsaPayment, ...]:
        return self.psa.list_payments(self.write_back.invoice_source_id, self.write_back.currency)

    def _unowned_match(self, rows: Sequence[PsaPayment]) -> PsaPayment | None:
        """Find a payment that is like ours, made by our API member, and nobody's yet."""
        alike = [row for row in rows if self._is_like_mine(row)]
        owners: Mapping[int, str] = self.ledger.owners(
            self.connection.connection_id, [row.psa_payment_id for row in alike]
        )
        return next((row for row in alike if row.psa_payment_id not in owners), None)

    def _is_like_mine(self, row: PsaPayment) -> bool:
        return (
            not row.is_credit
            and row.applied_by.casefold() == self.connection.member_identifier.casefold()
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
    """Return what a person is told about a sure refusal."""
    if isinstance(error, PermissionMissingError):
        return Reason.RIGHT_MISSING
    if isinstance(error, CredentialsRejectedError):
        return Reason.CREDENTIALS_REJECTED
    if isinstance(error, NotFoundError):
        return Reason.INVOICE_GONE
    return Reason.REFUSED
