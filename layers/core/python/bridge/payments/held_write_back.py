"""A worker holds one write-back and its invoice.

Each step takes the past from the ledger alone, so a worker may die between any two lines and the
next one goes on from the stored record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bridge.domain.connection import Connection
from bridge.domain.errors import NotFoundError
from bridge.domain.write_back import Lease, Reason, Timings, WriteBack
from bridge.domain.write_back.changes import delay, hand_over, look_again
from bridge.payments.payment_matching import shown
from bridge.payments.unowned_payments import unowned_among
from bridge.ports import Clock, LedgerStore, PsaBalance, PsaPayment, PsaPayments


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of ConnectWise proves a payment, and is stored with the result of the next look."""

    intent: WriteBack
    """The write-back as it is stored until then."""
    confirmed: WriteBack
    own: int | None
    disown: int | None

    def is_only_moved(self, stored: WriteBack) -> bool:
        """Tell whether only the platform's word on the payment is new since the intent."""
        then = self.intent
        as_then = replace(stored, target=then.target, is_called_off=then.is_called_off)
        return as_then == then

    def confirmed_as(self, stored: WriteBack) -> WriteBack:
        """Return the confirmed write-back with the platform's newest word on the payment."""
        moved = stored.target, stored.is_called_off
        return replace(self.confirmed, target=moved[0], is_called_off=moved[1])


@dataclass(slots=True)
class HeldWriteBack:
    """A held write-back is as stored at each moment; this worker has its invoice's lease."""

    ledger: LedgerStore
    psa: PsaPayments
    connection: Connection
    lease: Lease
    clock: Clock
    timings: Timings
    write_back: WriteBack
    version: int
    has_written: bool = False
    """Something was sent to ConnectWise that may have changed the invoice."""
    is_unanswered: bool = False
    """ConnectWise's server kept silent at a look that followed a post."""
    answer: Answer | None = None
    """An answer that the next step stores."""
    has_let_go: bool = False
    shown_at: datetime | None = None
    """When a read began that shows what this visit changed."""

    @property
    def ids(self) -> dict[str, str]:
        return {
            "connection_id": self.connection.connection_id,
            "write_back_id": self.write_back.write_back_id,
        }

    @property
    def now(self) -> datetime:
        return self.clock.now()

    @property
    def is_quarantined(self) -> bool:
        """Tell whether a request of ours may still take effect or come into view: until then a
        look may only confirm."""
        return self.write_back.is_quarantined(self.now, self.timings)

    @property
    def is_young(self) -> bool:
        """Tell whether ConnectWise may still show the state before the last attempt."""
        return self.write_back.is_young(self.now, self.timings)

    # --- looks at ConnectWise and the ledger ----------------------------------------------------

    def rows(self) -> tuple[PsaPayment, ...]:
        return self.psa.list_payments(self.write_back.invoice_source_id, self.write_back.currency)

    def rows_if_there(self) -> tuple[PsaPayment, ...]:
        """Return the payments: an empty list for an invoice that is gone and took them along."""
        try:
            return self.rows()
        except NotFoundError:
            return ()

    def balance(self) -> PsaBalance:
        return self.psa.read_balance(self.write_back.invoice_source_id)

    def unowned(self, rows: Sequence[PsaPayment]) -> list[PsaPayment]:
        """Return the payments of money that are unowned, disclaimed ones aside."""
        return unowned_among(self.ledger, self.connection.books, rows)

    def is_disputed(self, psa_payment_id: int) -> bool:
        """Tell whether another write-back owns a payment, too."""
        owners = {psa_payment_id: self.write_back.write_back_id}
        return bool(self.ledger.disputed(self.connection.books, owners))

    def others_of_invoice(self) -> list[WriteBack]:
        own = self.write_back
        every = self.ledger.write_backs_of_invoice(own.connection_id, own.invoice_source_id)
        return [each for each in every if each.write_back_id != own.write_back_id]

    # --- stored changes -------------------------------------------------------------------------

    def save(
        self,
        write_back: WriteBack,
        *,
        extend_until: datetime | None = None,
        own: int | None = None,
        disown: int | None = None,
        is_last: bool = False,
    ) -> None:
        """Store the write-back while this worker still holds it. Raises ConflictError else.

        The payment of a kept answer becomes its own in the same step, and the last step of a visit
        releases the invoice as :meth:`let_go` does.
        """
        answer = self.answer
        self.version = self.ledger.save_write_back(
            write_back,
            expected_version=self.version,
            holding=self.lease,
            extend_until=extend_until,
            own_psa_payment_id=answer.own if answer else own,
            disown_psa_payment_id=answer.disown if answer else disown,
            releases=is_last and self._may_release(write_back),
        )
        self.write_back, self.answer = write_back, None
        self.has_let_go = is_last and self._may_release(write_back)

    def keep(self, confirmed: WriteBack, *, own: int | None, disown: int | None) -> None:
        """Go on with an answer of ConnectWise; the next step stores it, whichever that is.

        The worker that dies before leaves a stated attempt behind, whose payment a look finds.
        """
        self.answer = Answer(self.write_back, confirmed, own, disown)
        self.write_back = confirmed

    def store_answer(self) -> bool:
        """Store a kept answer alone, after the payment was returned while it was posted.

        Return False if none is kept, or the write-back moved in another way. Raises ConflictError.
        """
        answer, ids = self.answer, self.ids
        if answer is None:
            return False
        stored = self.ledger.get_write_back(ids["connection_id"], ids["write_back_id"])
        if stored.value is None or not answer.is_only_moved(stored.value):
            return False
        self.version = stored.version
        self.save(answer.confirmed_as(stored.value))
        return True

    def state(self, intent: WriteBack, *, extend_until: datetime | None = None) -> None:
        """Store an intent: a worker that was overtaken ends here, before the wire."""
        self.save(intent, extend_until=extend_until)
        self.has_written = True

    def look_again(self) -> None:
        self.save(look_again(self.write_back, self.now, self.timings))

    def retry_later(self) -> None:
        self.save(delay(self.write_back, self.now, self.timings))

    def hand_over(self, reason: Reason, rows: Sequence[PsaPayment] = (), refusal: str = "") -> None:
        """Leave it to a person, once every request of ours is over."""
        if self.is_quarantined:
            self.look_again()
        else:
            self.save(hand_over(self.write_back, reason, shown(rows), refusal))

    def let_go(self) -> None:
        """Release the invoice, unless a request of ours may still take effect on it."""
        if not self.has_let_go and self._may_release(self.write_back):
            self.ledger.release_lease(self.lease)

    def _may_release(self, write_back: WriteBack) -> bool:
        is_over = not write_back.is_quarantined(self.now, self.timings)
        return is_over and not write_back.may_be_in_flight
