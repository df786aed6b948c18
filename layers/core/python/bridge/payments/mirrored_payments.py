"""An invoice's payments in the mirror are held against those that the bridge owns."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.domain.connection import Connection
from bridge.domain.customer import ArchiveReason
from bridge.domain.invoice import Invoice
from bridge.domain.write_back import WriteBack, WriteBackState
from bridge.payments.payment_matching import (
    is_as_large,
    is_still_ours,
    mirrored_row,
    surplus_by,
)
from bridge.payments.payment_reconciler import RECONSIDERED
from bridge.ports import NO_OWNER, LedgerStore, PsaPayment

_S = WriteBackState
_LEFT_TO_PEOPLE = frozenset({_S.DONE_BY_HAND, _S.CANCELLED})
_STANDING = frozenset({_S.CONFIRMED, _S.REVERSED_BY_HAND})


def disagree(
    ledger: LedgerStore,
    connection: Connection,
    write_backs: Sequence[WriteBack],
    invoice: Invoice | None,
) -> bool:
    """Tell whether the mirror differs from the payments that we own on one invoice, or did before.

    An invoice that is kept out of the mirror is shown as it was then.
    """
    is_there = invoice is not None and not _is_deleted(invoice)
    rows = [mirrored_row(each) for each in (invoice.payments if invoice and is_there else ())]
    if any(w.reason in RECONSIDERED for w in write_backs):
        return True
    owned = {w.psa_payment_id: w for w in write_backs if w.state is _S.CONFIRMED}
    as_made = {
        row.psa_payment_id
        for row in rows
        if row.psa_payment_id in owned and is_as_large(owned[row.psa_payment_id], row)
    }
    listed = {row.psa_payment_id for row in rows}
    reversed_ids = {w.psa_payment_id for w in write_backs if w.state is _S.REVERSED_BY_HAND}
    if not reversed_ids <= listed:
        return True
    return as_made != owned.keys() or _shows_surplus(ledger, connection, write_backs, rows)


def _shows_surplus(
    ledger: LedgerStore,
    connection: Connection,
    write_backs: Sequence[WriteBack],
    rows: Sequence[PsaPayment],
) -> bool:
    """Tell whether the mirror shows unowned payments by our members, disclaimed ones aside."""
    listed = {row.psa_payment_id: row for row in rows}
    known = {
        w.psa_payment_id
        for w in write_backs
        if w.state in _STANDING or _is_persons(w, listed.get(w.psa_payment_id or 0))
    }
    ours = surplus_by(write_backs, rows, connection.member_identifier)
    surplus = [row.psa_payment_id for row in ours if row.psa_payment_id not in known]
    owners = ledger.owners(connection.books, surplus) if surplus else {}
    return any(owners.get(each) != NO_OWNER for each in surplus)


def _is_persons(write_back: WriteBack, row: PsaPayment | None) -> bool:
    """Tell whether a payment of ours became a person's: somebody edited it. One that is as we made
    it came back, though the write-back had ended without it."""
    is_left = write_back.state in _LEFT_TO_PEOPLE
    return is_left and (row is None or not is_still_ours(write_back, row))


def _is_deleted(invoice: Invoice) -> bool:
    """Tell whether ConnectWise deleted the invoice, and its payments with it."""
    archive = invoice.archive
    return archive is not None and archive.reason is ArchiveReason.DELETED_IN_CONNECTWISE
