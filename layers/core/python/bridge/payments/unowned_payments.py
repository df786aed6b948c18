"""A person may disclaim payments by our API member that others made."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.domain.connection import Connection
from bridge.domain.errors import NotFoundError, NotPossibleError
from bridge.domain.identity import mirrored_id
from bridge.domain.mirrored_kinds import INVOICES
from bridge.domain.write_back import Books, ShownPayment, WriteBack
from bridge.payments.payment_matching import may_have_made, mirrored_row, shown, surplus_by
from bridge.ports import ConnectionStore, LedgerStore, PsaPayment, RecordStore


class UnownedPayments:
    """Unowned payments come from somebody else with our API member's keys; a person knows."""

    def __init__(
        self, ledger: LedgerStore, records: RecordStore, connections: ConnectionStore
    ) -> None:
        self._ledger = ledger
        self._records = records
        self._connections = connections

    def surplus(
        self, partner_id: str, connection_id: str, invoice_source_id: int
    ) -> tuple[ShownPayment, ...]:
        """Return the unowned payments of an invoice that the mirror shows by our API members.
        Raises NotFoundError for a connection of another partner."""
        connection = self._connection(partner_id, connection_id)
        invoice_id = mirrored_id(connection_id, invoice_source_id)
        invoice = self._records.get(INVOICES, partner_id, invoice_id).value
        write_backs = self._ledger.write_backs_of_invoice(connection_id, invoice_source_id)
        rows = [mirrored_row(payment) for payment in (invoice.payments if invoice else ())]
        ours = surplus_by(write_backs, rows, connection.member_identifier)
        return shown(unowned_among(self._ledger, connection.books, ours))

    def disclaim(
        self, partner_id: str, connection_id: str, invoice_source_id: int, psa_payment_id: int
    ) -> None:
        """Take one payment for somebody else's: adoptions and reports leave it out from now on.

        Raises NotFoundError for a connection of another partner or a payment outside the surplus,
        and NotPossibleError where a post of ours may have made it.
        """
        surplus = self.surplus(partner_id, connection_id, invoice_source_id)
        payment = next((each for each in surplus if each.psa_payment_id == psa_payment_id), None)
        if payment is None:
            raise NotFoundError("no such payment among those that the bridge did not make")
        connection = self._connection(partner_id, connection_id)
        self._refuse_if_ours(connection, invoice_source_id, payment)
        self._ledger.disclaim(connection.books, [psa_payment_id])

    def _refuse_if_ours(
        self, connection: Connection, invoice_source_id: int, payment: ShownPayment
    ) -> None:
        """Raise NotPossibleError if a post of ours may have made it, through any connection to the
        company. The ledger is asked after the list, since a post is stated before its payment is
        listed."""
        row = PsaPayment(
            payment.psa_payment_id, payment.amount_minor, payment.paid_on, payment.applied_by
        )
        write_backs = (
            write_back
            for each in (connection.connection_id, *connection.company_connections)
            for write_back in self._ledger.write_backs_of_invoice(each, invoice_source_id)
        )
        if any(may_have_made(write_back, row) for write_back in write_backs):
            raise NotPossibleError(
                "may_be_ours",
                "A post of the bridge may have made this payment; adopt it, or take it out in "
                "ConnectWise.",
            )

    def disclaim_shown(self, write_back: WriteBack) -> None:
        """Take the payments that a write-back shows for somebody else's.

        Raises NotPossibleError where a post of ours may have made one of them.
        """
        connection = self._connection(write_back.partner_id, write_back.connection_id)
        ids = [payment.psa_payment_id for payment in write_back.shown]
        owners = self._ledger.owners(connection.books, ids)
        unowned = [each for each in write_back.shown if each.psa_payment_id not in owners]
        for payment in unowned:
            self._refuse_if_ours(connection, write_back.invoice_source_id, payment)
        self._ledger.disclaim(connection.books, [each.psa_payment_id for each in unowned])

    def give_up(self, write_back: WriteBack) -> None:
        """Leave the payment that a write-back owns to the other one that claims it."""
        connection = self._connection(write_back.partner_id, write_back.connection_id)
        if write_back.psa_payment_id is not None:
            self._ledger.give_up(
                connection.books, write_back.psa_payment_id, write_back.write_back_id
            )

    def _connection(self, partner_id: str, connection_id: str) -> Connection:
        connection = self._connections.get(connection_id).value
        if connection is None or connection.partner_id != partner_id:
            raise NotFoundError("no such connection")
        return connection


def owned_among(
    ledger: LedgerStore, connection: Connection, write_backs: Sequence[WriteBack]
) -> dict[int, str]:
    """Return the owner of each payment that one of the write-backs owns and has yet to give up, by
    the connection's own key: the company's may lead to the owner by another connection."""
    ids = [each.psa_payment_id for each in write_backs if each.psa_payment_id is not None]
    owners = ledger.owners(Books(connection.connection_id), ids)
    ours = {each.write_back_id for each in write_backs}
    return {each: owner_id for each, owner_id in owners.items() if owner_id in ours}


def unowned_among(
    ledger: LedgerStore, books: Books, rows: Sequence[PsaPayment]
) -> list[PsaPayment]:
    """Return the payments of money that are unowned, disclaimed ones aside."""
    money = [row for row in rows if not row.is_credit]
    owners = ledger.owners(books, [row.psa_payment_id for row in money])
    return [row for row in money if row.psa_payment_id not in owners]
