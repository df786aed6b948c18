"""A payment is taken out of ConnectWise again: exactly ours, and only as we made it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.domain.errors import (
    BridgeError,
    NotFoundError,
    PermanentError,
    RefusedError,
    RetryableError,
)
from bridge.domain.write_back import MAX_DELETIONS, DecisionKind, Reason, WriteBackState
from bridge.domain.write_back.changes import (
    delay,
    note_deleted,
    note_deletion_unclear,
    note_undeleted,
    note_undeleted_by_refusal,
    reverse,
    state_deletion,
)
from bridge.payments.billing_status import BillingStatusChange
from bridge.payments.held_write_back import HeldWriteBack
from bridge.payments.payment_gate import PaymentGate
from bridge.payments.payment_matching import (
    copies_of,
    find,
    is_hidden,
    is_still_ours,
    may_be_of_any,
    refusal_reason,
)
from bridge.payments.payment_post import PaymentPost
from bridge.ports import NO_OWNER, PsaPayment

UNANSWERED = "Unanswered"
"""Our code for a deletion whose answers all stayed unclear."""

_S = WriteBackState


@dataclass(slots=True)
class PaymentReversal:
    """A reversal deletes the payment that the write-back owns, or proves that ours is absent."""

    held: HeldWriteBack
    post: PaymentPost
    status: BillingStatusChange
    gate: PaymentGate

    def take_out(self) -> None:
        write_back = self.held.write_back
        if write_back.state is _S.DONE_BY_HAND:
            self.held.hand_over(Reason.REVERSE_BY_HAND)
            return
        if write_back.psa_payment_id is None and (self._stands_adopted() or not self._is_clear()):
            return
        owned = self.held.write_back.psa_payment_id
        if owned is None:
            self._never_written()
        elif self.held.write_back.state is not _S.REVERSED:
            self._delete(owned)

    # --- before a payment is owned --------------------------------------------------------------

    def _stands_adopted(self) -> bool:
        """A person takes out the payment that he wanted to be adopted, since another made it."""
        write_back = self.held.write_back
        decision = write_back.decision
        if decision is None or decision.psa_payment_id is None or write_back.unproven_posts:
            return False
        row = find(self.held.rows_if_there(), decision.psa_payment_id)
        if row is not None:
            self.held.hand_over(Reason.REVERSE_BY_HAND, [row])
        return row is not None

    def _is_clear(self) -> bool:
        """Own the payment that a lost post made; tell whether ours is surely absent instead.

        A person looks at any other payment that the post may have become.
        """
        if not any(self.held.write_back.known_history.sent_posts()):
            return True
        rows = self.held.rows_if_there()
        if self.post.is_found(rows):
            return True
        return not self.post.must_wait(rows) and not self._stands_hidden(rows)

    def _stands_hidden(self, rows: Sequence[PsaPayment]) -> bool:
        """Tell whether the balance shows a payment of ours that the list lacks; see to it then."""
        try:
            invoice = self.held.balance()
        except NotFoundError:
            return False
        if self.post.balance_lags(invoice, rows):
            self.held.look_again()
            return True
        hides = is_hidden(self.held.write_back, invoice, rows)
        if hides:
            self.held.hand_over(Reason.PAYMENT_HIDDEN)
        return hides

    def _never_written(self) -> None:
        """End the reversal, as ours is absent. A payment that a person entered instead is theirs
        to take out, unless the partner lets it stand."""
        write_back = self.held.write_back
        was_by_hand = write_back.lasting_reason is Reason.PAID_BY_HAND
        found = [] if write_back.is_called_off or not was_by_hand else self._paid_by_others()
        if found:
            self.held.hand_over(Reason.REVERSE_BY_HAND, found)
        else:
            self._gone()

    def _paid_by_others(self) -> list[PsaPayment]:
        """Return the payments of somebody else that are large enough for ours."""
        amount_minor = self.held.write_back.amount_minor
        found = [
            row
            for row in self.held.rows_if_there()
            if not row.is_credit and row.amount_minor >= amount_minor
        ]
        owners = self.held.ledger.owners(
            self.held.connection.books, [row.psa_payment_id for row in found]
        )
        return [row for row in found if owners.get(row.psa_payment_id, NO_OWNER) == NO_OWNER]

    # --- the deletion ---------------------------------------------------------------------------

    def _delete(self, psa_payment_id: int) -> None:
        held = self.held
        rows = held.rows_if_there()
        row = find(rows, psa_payment_id)
        if row is None:
            self._vanished(rows)
            return
        if held.is_quarantined:
            held.look_again()
            return
        if held.write_back.is_foreign:
            held.hand_over(Reason.REVERSE_BY_HAND, [row])
            return
        if not is_still_ours(held.write_back, row):
            held.hand_over(Reason.PAYMENT_CHANGED, [row])
            return
        if held.is_disputed(psa_payment_id):
            held.hand_over(Reason.PAYMENT_DISPUTED, [row])
            return
        decision = held.write_back.decision
        is_decided = decision is not None and decision.kind is DecisionKind.DELETE
        if len(held.write_back.unproven_deletions) >= MAX_DELETIONS and not is_decided:
            self._give_up_deleting(RefusedError(UNANSWERED), [row])
            return
        if not self.gate.holds_back(held):
            self._send_deletion(psa_payment_id, row)

    def _send_deletion(self, psa_payment_id: int, row: PsaPayment) -> None:
        held = self.held
        self.status.reopen()
        intent = state_deletion(held.write_back, held.now, held.timings)
        held.state(intent, extend_until=intent.due_at)
        try:
            held.psa.delete_payment(intent.invoice_source_id, psa_payment_id)
        except NotFoundError:
            held.write_back = note_undeleted_by_refusal(held.write_back)
            self._vanished(held.rows_if_there())
        except RetryableError:
            held.save(delay(note_undeleted(intent), held.now, held.timings))
        except PermanentError as error:
            held.write_back = note_undeleted_by_refusal(held.write_back)
            self._give_up_deleting(error, [row])
        except BridgeError:
            held.save(note_deletion_unclear(held.write_back))
        else:
            held.write_back = note_deleted(held.write_back)
            self._gone()

    def _give_up_deleting(self, error: PermanentError, rows: Sequence[PsaPayment]) -> None:
        """Leave the deletion to a person; a locked invoice may also be unlocked for it."""
        words = error.words if isinstance(error, RefusedError) else ""
        self.held.hand_over(refusal_reason(error, self.held.balance()), rows, words)

    def _vanished(self, rows: Sequence[PsaPayment]) -> None:
        """Look again for a payment that the list lacks, hand over a copy, or take it as gone.

        Before we deleted it, or while our deletion was lost, another tool may have written it
        anew.
        """
        held = self.held
        others = held.others_of_invoice()
        copies = [
            row
            for row in copies_of(held.write_back, held.unowned(rows))
            if not may_be_of_any(others, row)
        ]
        if held.is_quarantined or (held.is_young and held.write_back.state is not _S.REVERSING):
            held.look_again()
        elif copies:
            held.hand_over(Reason.PAYMENT_REWRITTEN, copies)
        else:
            self._gone()

    def _gone(self) -> None:
        """Ours is out; a payment that a person entered beside it is a person's to take out."""
        found = self._paid_by_others() if self.held.write_back.was_done_by_hand else []
        if found:
            self.held.hand_over(Reason.REVERSE_BY_HAND, found)
        else:
            self.held.save(reverse(self.held.write_back, self.held.now))
