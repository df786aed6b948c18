"""A connection proves how its ConnectWise treats payments, before and with the first one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bridge.connections.owned_connections import OwnedConnections
from bridge.domain.connection import Connection, PaymentFacts
from bridge.domain.payment import Payment, PaymentKind
from bridge.domain.problem import ProblemCode
from bridge.domain.write_back import WriteBack
from bridge.ports import (
    Clock,
    LedgerStore,
    PaymentQuery,
    ProblemStore,
    PsaPayment,
    RecordStore,
)

PAYMENTS_LOOKED_AT = 100
MEMBER_SUBJECT = "connection/api_member"


class FirstContact:
    """First contact notes on a connection the facts that its payments show."""

    def __init__(
        self,
        *,
        ledger: LedgerStore,
        records: RecordStore,
        owned: OwnedConnections,
        problems: ProblemStore,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._records = records
        self._owned = owned
        self._problems = problems
        self._clock = clock

    def look(self, connection: Connection) -> Connection:
        """Learn from the mirrored payments, before the first write, whether lists show a payment's
        member, and whether our API member has payments of others; return the connection.

        A shared member is told to the partner: it should be one of its own.
        """
        facts = connection.payment_facts
        if facts.proven_at is not None or facts.shows_members is not None:
            return connection
        query = PaymentQuery(connection_id=connection.connection_id)
        page = self._records.list_payments(connection.partner_id, query, limit=PAYMENTS_LOOKED_AT)
        money = [payment for payment in page.items if payment.kind is PaymentKind.MONEY]
        if not money:
            return connection
        is_shared = self._is_shared(connection, money)
        if is_shared:
            report = connection.report(
                ProblemCode.MEMBER_SHARED,
                MEMBER_SUBJECT,
                "The API member has payments that the bridge did not make; give the bridge a "
                "member of its own.",
            )
            self._problems.report(report, self._clock.now())
        shows_members = any(payment.applied_by for payment in money)
        return self._note(
            connection,
            lambda known: replace(known, shows_members=shows_members, is_member_shared=is_shared),
        )

    def prove(self, connection: Connection, write_back: WriteBack, row: PsaPayment) -> Connection:
        """Note the facts of the first payment that was read back in full, its day included."""
        if connection.payment_facts.proven_at is not None or row.paid_on is None:
            return connection
        days_apart = (write_back.paid_on - row.paid_on).days
        return self._note(
            connection,
            lambda known: replace(
                known,
                shows_members=bool(row.applied_by),
                listed_days_apart=days_apart,
                proven_at=self._clock.now(),
            ),
        )

    def _is_shared(self, connection: Connection, money: list[Payment]) -> bool:
        member = connection.member_identifier.casefold()
        ids = [each.source_id for each in money if each.applied_by.casefold() == member]
        owners = self._ledger.owners(connection.books, ids)
        return any(each not in owners for each in ids)

    def _note(
        self, connection: Connection, change: Callable[[PaymentFacts], PaymentFacts]
    ) -> Connection:
        return self._owned.change(
            connection.partner_id,
            connection.connection_id,
            lambda known: replace(known, payment_facts=change(known.payment_facts)),
        )
