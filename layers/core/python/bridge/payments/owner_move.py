"""The owners of ConnectWise payments are moved to the proven company here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bridge.connections.owned_connections import OwnedConnections
from bridge.domain.connection import Connection
from bridge.domain.identity import RecordKind
from bridge.domain.problem import ProblemCode, record_subject
from bridge.domain.write_back import WriteBack
from bridge.payments.unowned_payments import owned_among
from bridge.ports import Clock, LedgerStore, ProblemStore


class OwnerMove:
    """The move keeps by the company each owner that the release before kept by the connection, and
    compares it with the owners of the company's other connections."""

    def __init__(
        self,
        ledger: LedgerStore,
        owned: OwnedConnections,
        problems: ProblemStore,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._owned = owned
        self._problems = problems
        self._clock = clock

    def is_due(self, connection: Connection) -> bool:
        is_moved = connection.company_key in ("", connection.owners_moved_to)
        compared = set(connection.owners_compared_with)
        return not is_moved or not compared.issuperset(connection.company_connections)

    def move(self, connection: Connection, write_backs: Sequence[WriteBack]) -> None:
        """Move the owners of one invoice to a company that was proven; a payment with two owners,
        be it by another connection of the company, is shown to a person."""
        owners = owned_among(self._ledger, connection, write_backs)
        invoice_source_ids = {each.invoice_source_id for each in write_backs}
        disputed = self._ledger.disputed(connection.books, owners)
        if connection.company_key:
            clear = {each: owners[each] for each in owners if each not in disputed}
            disputed += self._ledger.move_owners(connection.books, clear)
        if not disputed:
            return
        listed = ", ".join(map(str, disputed[:10]))
        for source_id in invoice_source_ids:
            self._problems.report(
                connection.report(
                    ProblemCode.PAYMENT_DISPUTED,
                    record_subject(RecordKind.INVOICE, source_id),
                    f"Two payments of the platform claim the same payments there: {listed}.",
                ),
                self._clock.now(),
            )

    def finish(self, connection: Connection) -> None:
        """Note that every owner was moved, which ends the search for them."""
        self._owned.change(
            connection.partner_id,
            connection.connection_id,
            lambda known: replace(
                known,
                owners_moved_to=connection.company_key,
                owners_compared_with=connection.company_connections,
            ),
        )
