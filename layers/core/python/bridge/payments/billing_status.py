"""The billing status of an invoice that a write-back paid, or whose payment it took out."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from bridge.domain.errors import PermanentError, RetryableError
from bridge.domain.platform_payment import Target
from bridge.domain.write_back import Outcome, Reason, WriteBack
from bridge.domain.write_back.changes import note_status, state_status
from bridge.payments.held_write_back import HeldWriteBack
from bridge.payments.payment_matching import is_closed
from bridge.ports import PsaBalance


@dataclass(slots=True)
class BillingStatusChange:
    """Sets the paid status on the invoice that is held, and puts back what that replaced."""

    held: HeldWriteBack

    def settle(self, invoice: PsaBalance) -> Reason:
        """Set the paid status when the balance is zero; put the old one back when it is not."""
        current = invoice.status.source_id if invoice.status else None
        wanted = self._wanted_status(invoice)
        if wanted is None or wanted == current:
            return Reason.NONE
        intent = self.held.write_back
        if intent.target is Target.POSTED:
            previous = self.replaced_status_id(invoice) or current
            intent = replace(intent, previous_status_id=previous, paid_status_id=wanted)
        try:
            self._change(intent, wanted, is_closed=is_closed(invoice))
        except PermanentError:
            return Reason.STATUS_REFUSED
        return Reason.NONE

    def reopen(self) -> None:
        """A paid status may have closed the invoice, which locks its payments: the status that it
        replaced comes back first. Where that is refused, the deletion will be too."""
        if not self._paid_statuses():
            return
        invoice = self.held.balance()
        replaced_status_id = self.replaced_status_id(invoice)
        if replaced_status_id is None or not is_closed(invoice):
            return
        with suppress(PermanentError):
            self._change(self.held.write_back, replaced_status_id, is_closed=True)

    def _change(self, intent: WriteBack, status_id: int, *, is_closed: bool) -> None:
        """State the change, and send it. Until there is a clear answer it may come at any time."""
        held = self.held
        held.state(state_status(intent, held.now))
        stated = held.write_back
        try:
            held.psa.set_status(stated.invoice_source_id, status_id, is_closed=is_closed)
        except PermanentError:
            held.write_back = note_status(stated, Outcome.REFUSED)
            raise
        except RetryableError:
            held.write_back = note_status(stated, Outcome.NOT_SENT)
            raise
        held.write_back = note_status(stated, Outcome.PROVEN)

    def changes_are_over_at(self) -> datetime | None:
        """Return when the last change of the invoice's status that had no clear answer cannot come
        any more, if that is still to be waited for: it may undo what stands there now."""
        stated = [
            each.status_unclear_at
            for each in (self.held.write_back, *self.held.others_of_invoice())
            if each.status_unclear_at is not None
        ]
        if not stated:
            return None
        over_at = self.held.timings.quarantine_end(max(stated))
        return over_at if over_at > self.held.now else None

    def _wanted_status(self, invoice: PsaBalance) -> int | None:
        if self.held.write_back.target is Target.POSTED:
            paid_status_id = self.held.connection.write_back.paid_status_id
            return paid_status_id if invoice.balance_minor == 0 else None
        return self.replaced_status_id(invoice) if invoice.balance_minor != 0 else None

    def replaced_status_id(self, invoice: PsaBalance) -> int | None:
        """Return what our paid status replaced, where the invoice still shows it. What the partner
        prefers today does not matter, nor with which payment of the invoice it came."""
        shown = invoice.status.source_id if invoice.status else None
        return next(
            (
                each.previous_status_id
                for each in self._paid_statuses()
                if each.paid_status_id == shown
            ),
            None,
        )

    def _paid_statuses(self) -> list[WriteBack]:
        """Return the write-backs of this invoice that set a paid status, this one first."""
        every = [self.held.write_back, *reversed(self.held.others_of_invoice())]
        return [each for each in every if each.paid_status_id is not None]
