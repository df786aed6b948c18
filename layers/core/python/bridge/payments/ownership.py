"""Whose a payment in ConnectWise is: each has one owner at most."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.payment_ports import LedgerStore, PsaPayment


def first_unowned(
    ledger: LedgerStore, connection_id: str, rows: Sequence[PsaPayment]
) -> PsaPayment | None:
    """Return the first of some payments that is no write-back's, and that nobody disclaimed."""
    owners = ledger.owners(connection_id, [row.psa_payment_id for row in rows])
    return next((row for row in rows if row.psa_payment_id not in owners), None)
