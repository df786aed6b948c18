"""A problem shows a person the trouble of a write-back, and goes when it is over."""

from __future__ import annotations

from bridge.domain.money import to_decimal
from bridge.domain.problem import ProblemCode, ProblemReport, ProblemState
from bridge.domain.write_back import Reason, WriteBack
from bridge.ports import Clock, LedgerStore, ProblemStore

MAX_LOOKS = 3

REASON_TEXTS: dict[Reason, str] = {
    Reason.INVOICE_GONE: "The invoice is not in ConnectWise any more.",
    Reason.INVOICE_LOCKED: "ConnectWise refuses it; the invoice is closed or batched there.",
    Reason.OVERPAYMENT: "More was paid than is open on the invoice in ConnectWise.",
    Reason.CURRENCY_DIFFERS: "The payment's currency is not the invoice's in ConnectWise.",
    Reason.RIGHT_MISSING: (
        "The API member's security role may not change payments: grant it all columns of Finance > "
        "Accounting Interface and of Finance > Invoicing."
    ),
    Reason.CREDENTIALS_REJECTED: "ConnectWise does not accept the connection's keys.",
    Reason.REFUSED: "ConnectWise refused the payment.",
    Reason.STATUS_REFUSED: "The payment is written; ConnectWise refused the billing status.",
    Reason.MEMBER_UNKNOWN: "The API member's name is unknown; verify the connection.",
    Reason.DISCONNECTED: "The connection is not active.",
    Reason.REVERSE_BY_HAND: "It seems entered by hand; see whether that is to be taken out.",
    Reason.OTHERS_REPLACED: "ConnectWise replaced another payment of this invoice by ours.",
    Reason.TOO_MANY_POSTS: "No post of this payment ever showed; look into ConnectWise first.",
    Reason.PAID_BY_HAND: "The invoice is already paid in ConnectWise.",
    Reason.PAYMENT_GONE: "Our payment was removed in ConnectWise; it is not posted again.",
    Reason.PAYMENT_REWRITTEN: "Another payment stands in place of ours, perhaps a copy of it.",
    Reason.PAYMENT_CHANGED: "Our payment was changed in ConnectWise; it is left alone.",
    Reason.LATE_EFFECT: "What we posted stands there after all, though this had ended.",
    Reason.DELETION_IGNORED: (
        "ConnectWise answers that it deleted our payment, and it still stands there; take it out "
        "there, or reverse it in the books."
    ),
    Reason.REVERSED_TWICE: (
        "The payment is out of sight in ConnectWise, and was reversed in the books, too; if it is "
        "gone there, take that entry back."
    ),
    Reason.PAYMENT_DISPUTED: (
        "Another payment of the platform claims the same payment in ConnectWise; it is not "
        "deleted. Find out whose it is, and see to ours by hand."
    ),
    Reason.PAYMENT_HIDDEN: "The balance is lower than the listed payments make it; see why.",
    Reason.POSSIBLE_DUPLICATE: (
        "A payment like this one was recorded before; say whether both are meant."
    ),
    Reason.LOOKS_WRITTEN: (
        "An equal payment stands there, by our API member or without a name; find out whose it is."
    ),
    Reason.NOTHING_OWED: "Nothing is owed on a credit.",
    Reason.TOO_MANY_PAYMENTS: "The invoice has more payments than the bridge can tell apart.",
    Reason.STOPPED: "Writing is stopped; nothing is posted or deleted until it is allowed again.",
    Reason.UNREADABLE: "What ConnectWise shows of the invoice or its payments cannot be read.",
    Reason.NO_ANSWER: "ConnectWise has not answered as needed for a while; we go on trying.",
    Reason.OUR_FAULT: "The bridge failed at it; it is tried again every hour, and we are told.",
}


def write_back_subject(write_back: WriteBack) -> str:
    return f"write_back/{write_back.write_back_id}"


def write_back_report(write_back: WriteBack) -> ProblemReport:
    """Return the report that shows a person the write-back's reason."""
    return ProblemReport(
        write_back.partner_id,
        write_back.connection_id,
        ProblemCode.PAYMENT_NOT_WRITTEN,
        write_back_subject(write_back),
        reason_text(write_back),
    )


def reason_text(write_back: WriteBack) -> str:
    """Return the text of the write-back's reason, with the amounts of an overpayment, or the
    entry that reversed it."""
    text = REASON_TEXTS.get(write_back.reason, "")
    if write_back.reason is Reason.REVERSED_TWICE and write_back.hand_reference:
        return f"{text} The entry is {write_back.hand_reference}."
    if write_back.reason is Reason.OVERPAYMENT and write_back.overpaid_minor:
        ours = to_decimal(write_back.amount_minor, write_back.currency)
        too_much = to_decimal(write_back.overpaid_minor, write_back.currency)
        code = write_back.currency.code
        return f"{text} Ours is {ours} {code}; {too_much} {code} too much was paid."
    return text


class WriteBackProblems:
    """A write-back has one problem at most: open while a reason stands, resolved after it.

    It is opened and closed here alone.
    """

    def __init__(self, problems: ProblemStore, clock: Clock) -> None:
        self._problems = problems
        self._clock = clock

    def show(self, write_back: WriteBack) -> None:
        """Bring the problem list in step with the write-back."""
        now = self._clock.now()
        report = write_back_report(write_back)
        if write_back.reason is Reason.NONE:
            self._problems.resolve(write_back.partner_id, report.problem_id, now)
        else:
            self._problems.report(report, now)

    def keep_in_step(self, write_back: WriteBack) -> None:
        """Show a write-back whose last writer ran out of time. A trouble that is shown already
        keeps its count, by which its next try is due."""
        report = write_back_report(write_back)
        known = self._problems.get(report.partner_id, report.problem_id)
        told = known.detail if known and known.state is ProblemState.OPEN else ""
        if told != report.detail:
            self.show(write_back)

    def show_stored(self, ledger: LedgerStore, connection_id: str, write_back_id: str) -> None:
        """Show a write-back as stored, and again when it moved while it was shown."""
        shown = None
        for _ in range(MAX_LOOKS):
            stored = ledger.get_write_back(connection_id, write_back_id).value
            if stored is None or stored.reason is shown:
                return
            self.show(stored)
            shown = stored.reason
