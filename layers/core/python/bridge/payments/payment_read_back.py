"""An invoice is read back after a payment was made or removed, to prove that it is as meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bridge.domain.errors import NotFoundError
from bridge.domain.platform_payment import Target
from bridge.domain.write_back import Reason
from bridge.domain.write_back.changes import follow_up, with_lasting_reason
from bridge.domain.write_back.comparison import (
    note_listed_day,
    note_overpaid,
)
from bridge.payments.billing_status import BillingStatusChange
from bridge.payments.held_write_back import HeldWriteBack
from bridge.payments.payment_matching import (
    copies_of,
    find,
    is_as_large,
    lags,
    may_be_of_any,
    moved_by_amount,
    read_back,
)
from bridge.ports import PsaBalance, PsaPayment


@dataclass(slots=True)
class PaymentReadBack:
    """A read-back compares the held invoice with the intent, and sees to its status."""

    held: HeldWriteBack
    status: BillingStatusChange
    lists_always: bool = False
    """A balance that moved proves a payment, and a list its day and its member, too."""
    proven: PsaPayment | None = None
    """Our payment as it was listed, where all about it was right."""

    def follow_up(self) -> None:
        held = self.held
        began_at = held.now
        try:
            invoice = held.balance()
            rows = None if self._is_proven(invoice) else held.rows()
        except NotFoundError:
            held.save(follow_up(held.write_back, Reason.NONE), is_last=True)
            return
        if rows is not None and held.is_young and lags(held.write_back, invoice, rows):
            held.look_again()
            return
        held.shown_at = began_at
        reason = self._read(rows)
        if reason is Reason.PAYMENT_GONE:
            self._missing(rows or ())
            return
        reason = reason or self._overpayment(invoice)
        status_reason = self.status.settle(invoice)
        over_at = self.status.changes_are_over_at()
        if over_at is None:
            held.save(follow_up(held.write_back, reason or status_reason), is_last=True)
        else:
            held.save(replace(with_lasting_reason(held.write_back, reason), due_at=over_at))

    def _is_proven(self, invoice: PsaBalance) -> bool:
        """Tell whether the invoice is proof enough: its balance moved by exactly our amount, or,
        after a reversal, it shows another status than our paid one."""
        if self.held.write_back.target is Target.ABSENT:
            return self.status.replaced_status_id(invoice) is None
        return not self.lists_always and moved_by_amount(self.held.write_back, invoice)

    def _read(self, rows: Sequence[PsaPayment] | None) -> Reason:
        held = self.held
        found = Reason.NONE
        if rows is not None and held.write_back.target is Target.POSTED:
            found = read_back(held.write_back, rows)
            row = find(rows, held.write_back.psa_payment_id)
            held.write_back = note_listed_day(held.write_back, row.paid_on if row else None)
            self.proven = row if found is Reason.NONE else None
        return found or held.write_back.missing_reason

    def _overpayment(self, invoice: PsaBalance) -> Reason:
        """Tell whether somebody paid the invoice, too. An overpayment that a person has seen to is
        told again only when its amount changes."""
        held = self.held
        if held.write_back.target is not Target.POSTED:
            return Reason.NONE
        known_minor = held.write_back.overpaid_minor
        overpaid_minor = max(0, -invoice.balance_minor)
        held.write_back = note_overpaid(held.write_back, overpaid_minor)
        is_shown = held.write_back.reason is Reason.OVERPAYMENT
        is_new = overpaid_minor > 0 and (is_shown or overpaid_minor != known_minor)
        return Reason.OVERPAYMENT if is_new else Reason.NONE

    def _missing(self, rows: Sequence[PsaPayment]) -> None:
        """Let a person decide: ours is gone, and perhaps written anew by another tool."""
        held = self.held
        others = held.others_of_invoice()
        copies = [
            row
            for row in copies_of(held.write_back, held.unowned(rows))
            if is_as_large(held.write_back, row) and not may_be_of_any(others, row)
        ]
        reason = Reason.PAYMENT_REWRITTEN if copies else Reason.PAYMENT_GONE
        held.hand_over(reason, copies)
