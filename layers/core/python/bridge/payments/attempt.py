"""The steps of one write-back. ``domain.write_back`` says why each of them is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bridge.domain.errors import (
    BridgeError,
    ConflictError,
    NotFoundError,
    PermanentError,
    RefusedError,
    RetryableError,
)
from bridge.domain.platform_payment import Target
from bridge.domain.write_back import (
    MAX_DELETIONS,
    Reason,
    WriteBack,
    WriteBackState,
)
from bridge.payments.billing_status import StatusHold
from bridge.payments.payment_matching import (
    copies_of,
    find,
    is_hidden,
    is_like,
    lags,
    may_be_copies_of,
    may_be_posts_of,
    moved_by_amount,
    obstacle_to,
    read_back,
    refusal_reason,
)
from bridge.ports import NO_OWNER, PostedPayment, PsaBalance, PsaPayment

MAX_STATUS_RETRIES = 5

_S = WriteBackState


@dataclass(slots=True)
class Attempt(StatusHold):
    """Brings one payment in, or takes it out again, and sees to what follows."""

    def run(self) -> None:
        if self.write_back.target is Target.POSTED:
            self._bring_in()
        else:
            self._take_out()
        if self.write_back.wants_follow_up and self.write_back.is_at_target:
            self._follow_up()

    def retry_status(self) -> None:
        """A change of status got no clear answer. It may be made again, but not for ever: some
        installations answer so for an invoice that is locked."""
        if self.write_back.waits < MAX_STATUS_RETRIES:
            self.retry_later()
        elif self.write_back.is_at_target:
            self._save(self.write_back.followed_up(Reason.STATUS_REFUSED))
        else:
            self._save(self.write_back.manual(Reason.INVOICE_LOCKED))

    def give_to_person(self, reason: Reason) -> None:
        """A read was refused. What may have been sent stays unclear, and is asked for later."""
        if self.write_back.may_be_in_flight:
            later = self.clock.now() + self.timings.quarantine
            self._save(replace(self.write_back, reason=reason, due_at=later))
        else:
            self._save(self.write_back.manual(reason))

    # --- bringing the payment in -----------------------------------------------------------------

    def _bring_in(self) -> None:
        if self.write_back.psa_payment_id is not None:
            # What is owned stands there, or a person decides: it is never posted beside itself.
            return
        try:
            rows = self._rows()
            mine = self._unowned_match(rows)
            if mine is not None:
                self._confirm(mine.psa_payment_id)
                return
            if self.write_back.posts > 0 and self._stands_changed(rows):
                return
            before = self.psa.read_balance(self.write_back.invoice_source_id)
        except NotFoundError:
            self._save(self.write_back.manual(Reason.INVOICE_GONE))
            return
        self._post_unless_hindered(before, rows)

    def _post_unless_hindered(self, before: PsaBalance, rows: Sequence[PsaPayment]) -> None:
        if self._balance_lags(before, rows):
            self._look_again()
        elif self.write_back.is_called_off and not is_hidden(self.write_back, before, rows):
            self._save(self.write_back.called_off(self.clock.now()))
        elif obstacle := obstacle_to(self.write_back, before, rows):
            self._save(self.write_back.manual(obstacle))
        else:
            self._post(before, rows)

    def _balance_lags(self, invoice: PsaBalance, rows: Sequence[PsaPayment]) -> bool:
        """Another payment of ours may not be listed or taken from the balance yet, and what it
        leaves to pay is not known before."""
        young = filter(self._is_young, self._others_of_invoice())
        return any(lags(other, invoice, rows) for other in young)

    def _post(self, before: PsaBalance, rows: Sequence[PsaPayment]) -> None:
        """State the intent, send once, and store what is known about the outcome."""
        intent = self.write_back.posting(
            self.clock.now(),
            self.timings,
            member=self.connection.member_identifier,
            balance_minor=before.balance_minor,
            listed_ids=[row.psa_payment_id for row in rows],
        )
        self._state(intent, extend_until=intent.due_at)
        try:
            posted = self.psa.post_payment(
                intent.invoice_source_id,
                amount_minor=intent.amount_minor,
                currency=intent.currency,
                paid_on=intent.paid_on,
            )
        except RetryableError:
            self._save(intent.not_sent().delayed(self.clock.now()))
        except PermanentError as error:
            self._save(intent.rejected(refusal_reason(error, before)))
        except BridgeError:
            self._save(intent.unclear())
        else:
            self._confirm_posted(posted)

    def _confirm_posted(self, posted: PostedPayment) -> None:
        """The payment may have been returned while it was posted; where it stands holds anyway."""
        try:
            self._confirm_answer(posted)
        except ConflictError:
            intent = self.write_back
            ids = (intent.connection_id, intent.write_back_id)
            stored = self.ledger.get_write_back(*ids)
            if stored.value is None or not _has_only_moved(intent, stored.value):
                raise
            self.write_back, self.version = stored.value, stored.version
            self._confirm_answer(posted)

    def _confirm_answer(self, posted: PostedPayment) -> None:
        is_exact = posted.amount_minor == self.write_back.amount_minor
        self._confirm(posted.psa_payment_id, applied_by=posted.applied_by, is_exact=is_exact)

    def _confirm(self, psa_payment_id: int, *, applied_by: str = "", is_exact: bool = True) -> None:
        """The payment is there and ours. What still follows is stored with it.

        After an amount that is not known to be ours, no balance proves anything.
        """
        confirmed = self.write_back.confirmed(psa_payment_id, self.clock.now())
        confirmed = replace(confirmed, posted_as=applied_by or self._member)
        if not is_exact:
            confirmed = replace(confirmed, balance_before_minor=None)
        self._save(confirmed, own=psa_payment_id)
        self.has_written = True

    def _stands_changed(self, rows: Sequence[PsaPayment]) -> bool:
        """After a post whose answer was lost: leave it to a person when something stands there
        that may have come of it. Nothing is posted beside it, and nothing of others deleted."""
        others = self._others_of_invoice()
        found = self._unowned(may_be_posts_of(self.write_back, rows, self._member, others))
        if found is None:
            return False
        is_ours = found.applied_by.casefold() == self._member.casefold()
        reason = Reason.PAYMENT_CHANGED if is_ours else Reason.PAYMENT_REWRITTEN
        self._save(self.write_back.manual(reason))
        return True

    # --- taking it out again ---------------------------------------------------------------------

    def _take_out(self) -> None:
        if self.write_back.state is _S.DONE_BY_HAND:
            self._save(self.write_back.manual(Reason.REVERSE_BY_HAND))
            return
        is_lost = self.write_back.psa_payment_id is None and self.write_back.was_ever_stated
        if is_lost and not self._may_post_again():
            return
        if self.write_back.psa_payment_id is None:
            self._never_written()
        elif self.write_back.state is not _S.REVERSED:
            self._delete(self.write_back.psa_payment_id)

    def _may_post_again(self) -> bool:
        """Own what came of a lost post. What else may have come of it, a person looks at."""
        rows = self._rows_if_there()
        mine = self._unowned_match(rows)
        if mine is not None:
            self._confirm(mine.psa_payment_id)
            return True
        return not self._stands_changed(rows) and not self._stands_hidden(rows)

    def _stands_hidden(self, rows: Sequence[PsaPayment]) -> bool:
        """Leave it to a person when the balance shows a payment of ours that the list does not."""
        try:
            invoice = self.psa.read_balance(self.write_back.invoice_source_id)
        except NotFoundError:
            return False
        if self._balance_lags(invoice, rows):
            self._look_again()
            return True
        hides = is_hidden(self.write_back, invoice, rows)
        if hides:
            self._save(self.write_back.manual(Reason.PAYMENT_REWRITTEN))
        return hides

    def _never_written(self) -> None:
        """Nothing of ours stands there. What a person entered instead, a person takes out, unless
        the partner lets it stand."""
        was_by_hand = self.write_back.lasting_reason is Reason.PAID_BY_HAND
        if was_by_hand and not self.write_back.is_called_off and self._is_paid_by_others():
            self._save(self.write_back.manual(Reason.REVERSE_BY_HAND))
        else:
            self._gone()

    def _is_paid_by_others(self) -> bool:
        """Tell whether somebody else's payment stands there that is large enough for ours."""
        amount_minor = self.write_back.amount_minor
        found = [
            row.psa_payment_id
            for row in self._rows_if_there()
            if not row.is_credit and row.amount_minor >= amount_minor
        ]
        owners = self.ledger.owners(self.connection.connection_id, found)
        return any(owners.get(psa_payment_id, NO_OWNER) == NO_OWNER for psa_payment_id in found)

    def _delete(self, psa_payment_id: int) -> None:
        """Delete exactly the payment that we own, and only while it is still what we made."""
        rows = self._rows_if_there()
        row = find(rows, psa_payment_id)
        if row is None:
            self._vanished(rows)
            return
        if not is_like(self.write_back, row, self._member):
            self._save(self.write_back.manual(Reason.PAYMENT_CHANGED))
            return
        if self.write_back.deletions >= MAX_DELETIONS:
            self._give_up_deleting(RefusedError("Unanswered"))
            return
        self._reopen()
        intent = self.write_back.reversing(self.clock.now(), self.timings)
        self._state(intent, extend_until=intent.due_at)
        try:
            self.psa.delete_payment(intent.invoice_source_id, psa_payment_id)
        except NotFoundError:
            self._vanished(self._rows_if_there())
        except RetryableError:
            self._save(intent.not_deleted().delayed(self.clock.now()))
        except PermanentError as error:
            self._give_up_deleting(error)
        except BridgeError:
            return
        else:
            self._gone()

    def _give_up_deleting(self, error: PermanentError) -> None:
        """A person takes the payment out; a locked invoice may also be unlocked again."""
        invoice = self.psa.read_balance(self.write_back.invoice_source_id)
        self._save(self.write_back.manual(refusal_reason(error, invoice)))

    def _vanished(self, rows: Sequence[PsaPayment]) -> None:
        """Ours is not listed: not yet, or not any more. Before we deleted it, or while our
        deletion was lost, another tool may have written it anew."""
        if self._unowned(may_be_copies_of(self.write_back, rows)) is not None:
            self._save(self.write_back.manual(Reason.PAYMENT_REWRITTEN))
        elif self.write_back.state is _S.REVERSING or not self._is_young(self.write_back):
            self._gone()
        else:
            self._look_again()

    def _gone(self) -> None:
        self._save(self.write_back.reversed(self.clock.now()))

    # --- what follows ----------------------------------------------------------------------------

    def _follow_up(self) -> None:
        """Read the invoice back, compare it with what was meant, and see to its status."""
        try:
            invoice = self.psa.read_balance(self.write_back.invoice_source_id)
            rows = None if self._is_proven(invoice) else self._rows()
        except NotFoundError:
            self._save(self.write_back.followed_up(Reason.NONE))
            return
        if (
            rows is not None
            and self._is_young(self.write_back)
            and lags(self.write_back, invoice, rows)
        ):
            self._look_again()
            return
        reason = self._read_back(rows)
        if reason is Reason.PAYMENT_GONE:
            self._missing(rows or ())
            return
        if self.write_back.target is Target.POSTED and invoice.balance_minor < 0:
            # Somebody paid it too, while ours was under way.
            reason = reason or Reason.OVERPAYMENT
        status_reason = self._set_status(invoice)
        over_at = self._status_changes_are_over_at()
        if over_at is None:
            self._save(self.write_back.followed_up(reason or status_reason))
        else:
            self._save(replace(self.write_back.with_lasting_reason(reason), due_at=over_at))

    def _missing(self, rows: Sequence[PsaPayment]) -> None:
        """Ours is gone: another tool wrote it anew, or a person decides."""
        copy = self._unowned(copies_of(self.write_back, rows))
        if copy is None:
            self._save(self.write_back.manual(Reason.PAYMENT_GONE))
        else:
            self._save(self.write_back.adopted(copy.psa_payment_id), own=copy.psa_payment_id)

    def _is_proven(self, invoice: PsaBalance) -> bool:
        """A balance that moved by exactly our amount is proof enough; after a reversal, so is a
        status that is not the paid one."""
        if self.write_back.target is Target.ABSENT:
            return self._replaced_status_id(invoice) is None
        return moved_by_amount(self.write_back, invoice)

    def _read_back(self, rows: Sequence[PsaPayment] | None) -> Reason:
        found = Reason.NONE
        if rows is not None and self.write_back.target is Target.POSTED:
            found = read_back(self.write_back, rows, self._member)
        return found or self.write_back.missing_reason


def _has_only_moved(intent: WriteBack, stored: WriteBack) -> bool:
    """Tell whether nothing but what the platform says of the payment is new since the intent."""
    as_then = replace(stored, target=intent.target, is_called_off=intent.is_called_off)
    return as_then == intent
