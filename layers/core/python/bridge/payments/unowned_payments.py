"""What a person may say about payments by our API member that the bridge did not make."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.domain.errors import NotFoundError, NotPossibleError
from bridge.domain.identity import mirrored_id
from bridge.domain.mirrored_kinds import INVOICES
from bridge.domain.payment import PaymentKind
from bridge.domain.write_back import WriteBack
from bridge.ports import ConnectionStore, LedgerStore, PsaPayment, RecordStore


class UnownedPayments:
    """Somebody else uses our API member's keys, and a person knows of it."""

    def __init__(
        self, ledger: LedgerStore, records: RecordStore, connections: ConnectionStore
    ) -> None:
        self._ledger = ledger
        self._records = records
        self._connections = connections

    def disclaim(self, partner_id: str, connection_id: str, invoice_source_id: int) -> None:
        """Take every payment of an invoice that the mirror shows by our API member, and that no
        write-back owns, for somebody else's: it is neither adopted nor reported any more.

        Raises NotFoundError when the connection is not the partner's, and NotPossibleError while
        one of these may still turn out to be a post of ours whose answer was lost.
        """
        connection = self._connections.get(connection_id).value
        if connection is None or connection.partner_id != partner_id:
            raise NotFoundError("no such connection")
        invoice_id = mirrored_id(connection_id, invoice_source_id)
        invoice = self._records.get(INVOICES, partner_id, invoice_id).value
        member = connection.member_identifier.casefold()
        # Asked after the mirror: who posted what the mirror shows had stated it before.
        write_backs = self._ledger.write_backs_of_invoice(connection_id, invoice_source_id)
        if any(map(_may_find_its_own, write_backs)):
            raise NotPossibleError("under_way", "A payment of this invoice is not clear yet.")
        self._ledger.disclaim(
            connection_id,
            [
                payment.source_id
                for payment in (invoice.payments if invoice else ())
                if payment.kind is PaymentKind.MONEY and payment.applied_by.casefold() == member
            ],
        )


def _may_find_its_own(write_back: WriteBack) -> bool:
    """Tell whether a payment that a write-back posted may stand there without being its own."""
    is_unowned = write_back.psa_payment_id is None
    return write_back.posts > 0 and is_unowned and not write_back.has_ended


def first_unowned(
    ledger: LedgerStore, connection_id: str, rows: Sequence[PsaPayment]
) -> PsaPayment | None:
    """Return the first of some payments that is no write-back's, and that nobody disclaimed."""
    owners = ledger.owners(connection_id, [row.psa_payment_id for row in rows])
    return next((row for row in rows if row.psa_payment_id not in owners), None)
