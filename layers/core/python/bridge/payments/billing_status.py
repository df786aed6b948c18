"""A write-back sets the billing status of the invoice that it paid, and puts the old one back."""

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
    """The change sets the paid status on the held invoice, or puts back the one it replaced."""

    held: HeldWriteBack

    def settle(self, invoice: PsaBalance) -> Reason:
        """Set the paid status at a balance of zero; put the old one back at any other."""
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
        """Put the old status back if ours closed the invoice, which locks its payments. If that
        is refused, the deletion will be, too."""
        if not self._paid_statuses():
            return
        invoice = self.held.balance()
        replaced_status_id = self.replaced_status_id(invoice)
        if replaced_status_id is None or not is_closed(invoice):
            return
        with suppress(PermanentError):
            self._change(self.held.write_back, replaced_status_id, is_closed=True)

    def _change(self, intent: WriteBack, status_id: int, *, is_closed: bool) -> None:
        """State the change, and send it. Until a clear answer it may come at any time."""
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
        """Return when the last unclear change of the invoice's status is surely over, if that is
        still to come: until then it may undo the present status."""
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
        """Return the status that our paid status replaced, if the invoice still shows ours. It
        may have come with any payment of the invoice, and by an earlier preference."""
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
