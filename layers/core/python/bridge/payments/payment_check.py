"""The check goes through the write-backs of all connections, to heal and to compare them."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby

from bridge.domain.connection import Connection
from bridge.domain.customer import ArchiveReason
from bridge.domain.errors import BridgeError
from bridge.domain.invoice import Invoice
from bridge.domain.mirrored_kinds import INVOICES
from bridge.domain.problem import Problem, ProblemCode, name_of_subject
from bridge.domain.write_back import WriteBack, WriteBackState
from bridge.payments.owner_move import OwnerMove
from bridge.payments.payment_matching import (
    is_as_large,
    is_still_ours,
    mirrored_row,
    surplus_by,
)
from bridge.payments.payment_reconciler import (
    RECONSIDERED,
    PaymentReconciler,
    overpaid_anew,
    surplus_report,
)
from bridge.ports import (
    NO_OWNER,
    Clock,
    ConnectionStore,
    LedgerStore,
    PsaPayment,
    RecordStore,
    syncing_connections,
)

PAGE_SIZE = 100
MAX_PAGES = 10_000
MIN_SECONDS_PER_INVOICE = 30.0
"""ConnectWise is asked about one more invoice only while so much time is left."""
ASKED_DAILY_FOR = timedelta(days=60)
"""So long after something was collected for an invoice ConnectWise itself is asked about it, once a
day."""

_S = WriteBackState
_LEFT_TO_PEOPLE = frozenset({_S.DONE_BY_HAND, _S.CANCELLED})
_STANDING = frozenset({_S.CONFIRMED, _S.REVERSED_BY_HAND})
_Place = tuple[Connection, int]

_logger = logging.getLogger(__name__)


class PaymentCheck:
    """The check tries waiting write-backs again, and compares the written ones.

    The mirror is in step with ConnectWise and holds every invoice's payments, so it is asked
    first; ConnectWise itself is asked at once about invoices on which the two disagree, and once a
    day about all that were paid lately, since a change of payments may leave the invoice as it is.
    When time runs out, the rest comes with the next start: the order is another one each time.
    """

    def __init__(
        self,
        *,
        ledger: LedgerStore,
        records: RecordStore,
        connections: ConnectionStore,
        reconciler: PaymentReconciler,
        owner_move: OwnerMove,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._records = records
        self._connections = connections
        self._reconciler = reconciler
        self._owner_move = owner_move
        self._clock = clock

    def retry_all(self) -> int:
        """Try write-backs again whose obstacle seems gone, and return their number."""
        healed = 0
        for connection in self._in_any_order():
            known = self._reconciler.open_problems(connection)
            for write_back, problem in self._troubled(connection, known):
                if self._is_out_of_time():
                    return healed
                _guarded(partial(self._reconciler.keep_in_step, write_back, known))
                healed += _guarded(partial(self._reconciler.heal, write_back, problem))
        return healed

    def compare_all(self) -> int:
        """Compare all invoices; return the number that ConnectWise itself was asked about."""
        asked = 0
        now = self._clock.now()
        in_turn: list[_Place] = []
        for connection in self._in_any_order():
            at_once: list[_Place] = []
            for write_backs, is_suspicious in self._looked_at(connection):
                place = connection, write_backs[0].invoice_source_id
                if is_suspicious:
                    at_once.append(place)
                elif _has_its_turn(write_backs, now):
                    in_turn.append(place)
            asked += self._ask(at_once)
        return asked + self._ask(in_turn)

    def _looked_at(self, connection: Connection) -> Iterator[tuple[Sequence[WriteBack], bool]]:
        """Yield each invoice's write-backs, and whether the mirror or a problem makes them
        suspicious, for at most half of the time that is left: the other half is for asking."""
        known = self._reconciler.open_problems(connection)
        least_seconds = self._clock.remaining_seconds() / 2
        moves_owners, is_moved = self._owner_move.is_due(connection), True
        for write_backs in self._invoices(connection):
            if self._is_out_of_time(least_seconds):
                return
            if moves_owners:
                is_moved &= _guarded(partial(self._owner_move.move, connection, write_backs)) > 0
            for write_back in write_backs:
                _guarded(partial(self._reconciler.keep_in_step, write_back, known))
            look = partial(self._look_at, connection, write_backs, known)
            yield write_backs, _guarded(look) > 0
        if moves_owners and is_moved:
            _guarded(partial(self._owner_move.finish, connection))

    def _invoices(self, connection: Connection) -> Iterator[list[WriteBack]]:
        """Yield the write-backs of one invoice after the other."""
        for _, group in groupby(self._write_backs(connection), lambda w: w.invoice_source_id):
            yield list(group)

    def _ask(self, places: Sequence[_Place]) -> int:
        """Ask in another order each time, so that every invoice comes early at times."""
        asked = 0
        for connection, invoice_source_id in random.sample(places, len(places)):
            if self._is_out_of_time():
                break
            asked += _guarded(partial(self._reconciler.reconcile, connection, invoice_source_id))
        return asked

    def _look_at(
        self, connection: Connection, write_backs: Sequence[WriteBack], known: Mapping[str, Problem]
    ) -> bool:
        """Have a payment read back whose invoice is overpaid anew; tell whether ConnectWise is to
        be asked about the invoice."""
        first = write_backs[0]
        invoice = self._records.get(INVOICES, first.partner_id, first.invoice_id).value
        overpaid = overpaid_anew(write_backs, invoice) if invoice else None
        if overpaid is not None:
            self._reconciler.read_back(overpaid)
            return True
        surplus = surplus_report(connection, first.invoice_source_id)
        return surplus.problem_id in known or self._disagree(connection, write_backs, invoice)

    def _in_any_order(self) -> list[Connection]:
        connections = list(syncing_connections(self._connections))
        return random.sample(connections, len(connections))

    def _is_out_of_time(self, least_seconds: float = 0.0) -> bool:
        if self._clock.remaining_seconds() >= max(least_seconds, MIN_SECONDS_PER_INVOICE):
            return False
        _logger.warning("no time for all payments; the rest comes with the next start")
        return True

    def _troubled(
        self, connection: Connection, known: Mapping[str, Problem]
    ) -> Iterator[tuple[WriteBack, Problem]]:
        """Yield the write-backs with an open problem; each that waits for a person has one."""
        for problem in known.values():
            if problem.code is ProblemCode.PAYMENT_NOT_WRITTEN:
                write_back_id = name_of_subject(problem.subject)
                found = self._ledger.get_write_back(connection.connection_id, write_back_id)
                if found.value is not None:
                    yield found.value, problem

    def _disagree(
        self, connection: Connection, write_backs: Sequence[WriteBack], invoice: Invoice | None
    ) -> bool:
        """Tell whether the mirror differs from the payments that we own on one invoice, or did
        before. An invoice that is kept out of the mirror is shown as it was then."""
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
        return as_made != owned.keys() or self._shows_surplus(connection, write_backs, rows)

    def _shows_surplus(
        self, connection: Connection, write_backs: Sequence[WriteBack], rows: Sequence[PsaPayment]
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
        owners = self._ledger.owners(connection.books, surplus) if surplus else {}
        return any(owners.get(each) != NO_OWNER for each in surplus)

    def _write_backs(self, connection: Connection) -> Iterator[WriteBack]:
        cursor = None
        for _ in range(MAX_PAGES):
            page = self._ledger.list_write_backs(
                connection.connection_id, limit=PAGE_SIZE, cursor=cursor
            )
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return


def _is_persons(write_back: WriteBack, row: PsaPayment | None) -> bool:
    """Tell whether a payment of ours became a person's: somebody edited it. One that is as we made
    it came back, though the write-back had ended without it."""
    is_left = write_back.state in _LEFT_TO_PEOPLE
    return is_left and (row is None or not is_still_ours(write_back, row))


def _has_its_turn(write_backs: Sequence[WriteBack], now: datetime) -> bool:
    """Tell whether an invoice's hour of the day has come, and it was paid for lately."""
    is_recent = any(now - each.created_at < ASKED_DAILY_FOR for each in write_backs)
    return is_recent and write_backs[0].invoice_source_id % 24 == now.hour


def _is_deleted(invoice: Invoice) -> bool:
    """Tell whether ConnectWise deleted the invoice, and its payments with it."""
    archive = invoice.archive
    return archive is not None and archive.reason is ArchiveReason.DELETED_IN_CONNECTWISE


def _guarded(work: Callable[[], object]) -> int:
    """Do one invoice's work; a failure is logged and the others go on."""
    try:
        return int(work() is not False)
    except BridgeError as error:
        _logger.warning("payment check failed: %s", type(error).__name__)
        return 0
