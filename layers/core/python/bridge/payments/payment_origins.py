"""The ledger tells which payments in ConnectWise are the bridge's own work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from bridge.domain.connection import Connection
from bridge.domain.payment import Payment, PaymentKind
from bridge.domain.write_back import WriteBack
from bridge.ports import ConnectionStore, LedgerStore


def write_backs_behind(
    ledger: LedgerStore,
    connections: ConnectionStore,
    partner_id: str,
    payments: Iterable[Payment],
) -> Mapping[str, WriteBack]:
    """Return the partner's write-backs that own the payments, by the payments' ids.

    Each connection takes two reads in batches, for any number of payments.
    """
    by_connection: dict[str, dict[int, Payment]] = defaultdict(dict)
    for payment in payments:
        if payment.kind is PaymentKind.MONEY:
            by_connection[payment.connection_id][payment.source_id] = payment
    found: dict[str, WriteBack] = {}
    for connection_id, by_source_id in by_connection.items():
        connection = connections.get(connection_id).value
        if connection is not None and connection.partner_id == partner_id:
            found |= _owning(ledger, connection, by_source_id)
    return found


def _owning(
    ledger: LedgerStore, connection: Connection, payments: Mapping[int, Payment]
) -> dict[str, WriteBack]:
    """Return the owning write-backs that are the connection's own: a company that another partner
    had connected before may know that partner's, too."""
    owners = ledger.owners(connection.books, list(payments))
    write_backs = ledger.get_write_backs(connection.connection_id, frozenset(owners.values()))
    return {
        payments[source_id].payment_id: write_backs[owner_id]
        for source_id, owner_id in owners.items()
        if owner_id in write_backs
        and write_backs[owner_id].psa_payment_id == source_id
        and write_backs[owner_id].partner_id == connection.partner_id
    }
