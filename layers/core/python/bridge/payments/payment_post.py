"""A payment is brought into ConnectWise: by a look, and by one post at a time at most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.domain.errors import (
    BridgeError,
    CredentialsRejectedError,
    NotFoundError,
    PermanentError,
    PermissionMissingError,
    RefusedError,
    RetryableError,
)
from bridge.domain.write_back import DecisionKind, Reason, StatedAttempt, WriteBack
from bridge.domain.write_back.changes import (
    call_off,
    confirm,
    delay,
    note_unclear,
    note_unsent,
    refuse,
    state_post,
)
from bridge.payments.held_write_back import HeldWriteBack
from bridge.payments.payment_gate import PaymentGate
from bridge.payments.payment_matching import (
    best_match,
    find,
    is_hidden,
    is_like,
    is_same_member,
    is_still_ours,
    lags,
    may_have_made,
    new_since_posts,
    obstacle_to,
    post_that_may_have_made,
    refusal_reason,
    unexplained_minor,
)
from bridge.ports import PostedPayment, PsaBalance, PsaPayment


@dataclass(slots=True)
class PaymentPost:
    """The post brings in the held payment, unless it stands there or a person must decide."""

    held: HeldWriteBack
    gate: PaymentGate

    def bring_in(self) -> None:
        write_back = self.held.write_back
        if write_back.psa_payment_id is not None:
            # An owned payment stands there, or a person decides: a post beside it is forbidden.
            return
        try:
            rows = self.held.rows()
            if self.is_found(rows) or self._is_adopted(rows) or self.must_wait(rows):
                return
            before = self.held.balance()
        except NotFoundError:
            self.held.hand_over(Reason.INVOICE_GONE)
            return
        self._post_unless_hindered(before, rows)

    # --- the listed payments --------------------------------------------------------------------

    def is_found(self, rows: Sequence[PsaPayment]) -> bool:
        """Own the payment that an earlier post of ours made, if it stands there."""
        write_back = self.held.write_back
        for post in write_back.known_history.posts():
            known = find(rows, post.psa_payment_id) if post.psa_payment_id else None
            if known is not None and self._is_free_for_us(known):
                self._own_again(known, post)
                return True
        if not write_back.unproven_posts:
            return False
        match = best_match(
            write_back,
            self.held.unowned(rows),
            self.held.others_of_invoice(),
            days_apart=self.held.connection.payment_facts.listed_days_apart or 0,
        )
        if match is not None:
            self._own(*match)
        return match is not None

    def _is_free_for_us(self, row: PsaPayment) -> bool:
        owners = self.held.ledger.owners(self.held.connection.books, [row.psa_payment_id])
        own_id = self.held.write_back.write_back_id
        return owners.get(row.psa_payment_id, own_id) == own_id

    def _own_again(self, row: PsaPayment, post: StatedAttempt) -> None:
        """Own the payment that a post is known to have made, or show that somebody edited it: it
        stands there, so another post is forbidden."""
        if is_still_ours(self.held.write_back, row):
            self._own(row, post)
        else:
            self.held.hand_over(Reason.PAYMENT_CHANGED, [row])

    def _own(self, row: PsaPayment, post: StatedAttempt) -> None:
        self._confirm(
            confirm(
                self.held.write_back,
                row.psa_payment_id,
                self.held.now,
                applied_by=row.applied_by,
                stated_at=post.stated_at,
                was_found=True,
            )
        )

    def _is_adopted(self, rows: Sequence[PsaPayment]) -> bool:
        """Carry out a person's decision that a payment of the same amount stands for ours."""
        decision = self.held.write_back.decision
        if decision is None or decision.kind is not DecisionKind.ADOPT:
            return False
        row = find(self.held.unowned(rows), decision.psa_payment_id)
        if row is None or row.amount_minor != self.held.write_back.amount_minor:
            self.held.hand_over(Reason.PAYMENT_REWRITTEN, self._new_rows(rows))
            return True
        post = post_that_may_have_made(self.held.write_back, row)
        adopted = confirm(
            self.held.write_back,
            row.psa_payment_id,
            self.held.now,
            applied_by=row.applied_by,
            stated_at=post.stated_at if post else None,
            is_foreign=post is None,
        )
        self._confirm(adopted)
        return True

    def _confirm(self, confirmed: WriteBack) -> None:
        """Store the payment as ours, and give up the one that it replaces, if it is still ours."""
        self.held.save(confirmed, own=confirmed.psa_payment_id, disown=self._replaced_by(confirmed))
        self.held.has_written = True

    def _replaced_by(self, confirmed: WriteBack) -> int | None:
        """Return the payment of ours that another one now stands for."""
        own = confirmed.psa_payment_id
        known = {post.psa_payment_id or own for post in confirmed.known_history.posts()} - {own}
        if not known:
            return None
        owners = self.held.ledger.owners(self.held.connection.books, [*filter(None, known)])
        ours = (each for each in owners if owners[each] == confirmed.write_back_id)
        return next(ours, None)

    # --- obstacles to a post --------------------------------------------------------------------

    def must_wait(self, rows: Sequence[PsaPayment]) -> bool:
        """Tell whether a post, or calling it off, has to wait, and store the next step.

        Until the quarantine of an unproven post is over, its payment may still come into view, and
        so may that of a refused one for a moment. After it, a payment that is new since the post
        goes to a person.
        """
        just_refused = self.held.write_back.is_just_refused(self.held.now, self.held.timings)
        if self.held.is_quarantined or just_refused:
            self.held.look_again()
            return True
        new = self._new_rows(rows)
        if not new:
            return False
        others = self.held.others_of_invoice()
        if all(any(_waits_for(other, row) for other in others) for row in new):
            # Another write-back of ours is about to find its own.
            self.held.retry_later()
            return True
        self.held.hand_over(self._reason_of(new), new)
        return True

    def _new_rows(self, rows: Sequence[PsaPayment]) -> list[PsaPayment]:
        write_back = self.held.write_back
        unowned = self.held.unowned(rows)
        if any(write_back.known_history.posts()):
            return new_since_posts(write_back, unowned)
        members = {self.held.connection.member_identifier, self.held.psa.member_identifier}
        equal = [
            row
            for row in unowned
            if may_have_made(write_back, row)
            or any(is_like(write_back, row, name) for name in members)
        ]
        return equal or self.gate.rows_to_explain(self.held, unowned)

    def _reason_of(self, new: Sequence[PsaPayment]) -> Reason:
        posts = list(self.held.write_back.known_history.posts())
        if not posts:
            return Reason.LOOKS_WRITTEN
        members = {post.member for post in posts}
        is_ours = any(is_same_member(row.applied_by, name) for row in new for name in members)
        return Reason.PAYMENT_CHANGED if is_ours else Reason.PAYMENT_REWRITTEN

    def balance_lags(self, invoice: PsaBalance, rows: Sequence[PsaPayment]) -> bool:
        """Tell whether another payment of ours may still be missing from list or balance: until
        it shows, the amount that is left to pay is unknown."""
        now, timings = self.held.now, self.held.timings
        young = (each for each in self.held.others_of_invoice() if each.is_young(now, timings))
        return any(lags(other, invoice, rows) for other in young)

    # --- the post -------------------------------------------------------------------------------

    def _post_unless_hindered(self, before: PsaBalance, rows: Sequence[PsaPayment]) -> None:
        write_back = self.held.write_back
        is_look = write_back.decision is not None and write_back.decision.kind is DecisionKind.LOOK
        if self.balance_lags(before, rows):
            self.held.look_again()
        elif write_back.is_called_off and not is_hidden(write_back, before, rows):
            self.held.save(call_off(write_back, self.held.now))
        elif obstacle := obstacle_to(write_back, before, rows):
            self.held.hand_over(obstacle)
        elif is_look:
            self.held.hand_over(write_back.reason or Reason.TOO_MANY_POSTS)
        elif not self.gate.holds_back_post(self.held):
            self._post(before, rows)

    def _post(self, before: PsaBalance, rows: Sequence[PsaPayment]) -> None:
        """State the intent, send once, and store the outcome as far as it is known."""
        held = self.held
        intent = state_post(
            held.write_back,
            held.now,
            held.timings,
            member=held.psa.member_identifier,
            balance_minor=before.balance_minor,
            listed_ids=[row.psa_payment_id for row in rows],
        )
        held.state(intent, extend_until=held.timings.quarantine_end(held.now))
        try:
            posted = held.psa.post_payment(
                intent.invoice_source_id,
                amount_minor=intent.amount_minor,
                currency=intent.currency,
                paid_on=intent.paid_on,
            )
        except RetryableError:
            held.save(delay(note_unsent(intent), held.now, held.timings))
        except PermanentError as error:
            if self._is_taken(error, rows, before):
                self._note_unclear()
            else:
                words = error.words if isinstance(error, RefusedError) else ""
                held.save(refuse(intent, refusal_reason(error, before), words))
        except BridgeError:
            self._note_unclear()
        else:
            self._keep_answer(posted)

    def _is_taken(
        self, refusal: PermanentError, rows: Sequence[PsaPayment], before: PsaBalance
    ) -> bool:
        """Tell whether a post that was refused may have taken effect all the same: a proxy may
        have sent it twice, and the refusal is that of the second request. Where others have our
        API member's keys, a person says whose a payment is that stands there now."""
        held = self.held
        if held.connection.payment_facts.is_member_shared:
            return False
        try:
            listed, invoice = held.rows(), held.balance()
        except (CredentialsRejectedError, PermissionMissingError) as denial:
            # The lack of keys or rights that forbids to look forbade the post, too.
            return type(denial) is not type(refusal)
        except (RetryableError, PermanentError):
            return True
        hidden_minor = unexplained_minor(invoice, listed) - unexplained_minor(before, rows)
        is_hidden_now = hidden_minor >= held.write_back.amount_minor
        return is_hidden_now or any(
            may_have_made(held.write_back, row) for row in held.unowned(listed)
        )

    def _note_unclear(self) -> None:
        """Store that the outcome is unproven, and look once: most requests whose answer was lost
        took effect, and one list settles it."""
        held = self.held
        held.save(note_unclear(held.write_back, held.now, held.timings))
        try:
            self.is_found(self.held.rows())
        except RetryableError:
            self.held.is_unanswered = True
        except PermanentError:
            # The next look comes in seconds, and says more.
            return

    def _keep_answer(self, posted: PostedPayment) -> None:
        """Keep the answer: it is stored with what the invoice shows next."""
        write_back = self.held.write_back
        post = write_back.unproven_posts[0]
        if post.had_listed(posted.psa_payment_id):
            # The answer names a payment of before, which leaves the outcome unproven.
            self.held.save(note_unclear(write_back, self.held.now, self.held.timings))
            return
        confirmed = confirm(
            write_back,
            posted.psa_payment_id,
            self.held.now,
            applied_by=posted.applied_by,
            stated_at=post.stated_at,
            is_exact=posted.amount_minor == write_back.amount_minor,
        )
        self.held.keep(confirmed, own=posted.psa_payment_id, disown=self._replaced_by(confirmed))


def _waits_for(other: WriteBack, row: PsaPayment) -> bool:
    """Tell whether another write-back, still under way, may find its own payment in this one."""
    is_going_on = not other.has_ended and not other.needs_person
    return is_going_on and post_that_may_have_made(other, row) is not None
