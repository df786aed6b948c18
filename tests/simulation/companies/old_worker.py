"""A worker of the release before: what it reads, holds, posts and adopts.

It keeps the protocol of ``payments/attempt.py`` of that release, without billing statuses. It sees
a stored write-back through the fields of its time, and drops the others when it saves one. It
holds leases and owners under the connection alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bridge.domain.connection import Connection
from bridge.domain.errors import (
    BridgeError,
    ConflictError,
    LeaseTakenError,
    NotFoundError,
    PermanentError,
    RetryableError,
)
from bridge.domain.platform_payment import Target
from bridge.domain.write_back import Books, Lease, Reason, Timings, WriteBack
from bridge.domain.write_back import WriteBackState as S
from bridge.payments.payment_matching import find, is_closed, lags, refusal_reason
from bridge.ports import Clock, PsaBalance, PsaPayment, PsaPayments
from bridge.wiring import use_cases
from tests.simulation.companies.old_items import (
    DISCONNECTED_RETRY,
    FIRST_WAIT,
    IN_FLIGHT,
    MAX_DELETIONS,
    MAX_POSTS,
    as_read,
    delayed,
    followed_up,
    is_drivable,
    is_like,
    manual,
    rejected,
    reversed_,
)
from tests.simulation.wiring import Wiring


class OldWorker:
    """Drives one write-back as far as it goes now."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._ledger = wiring.ledger
        self._clock: Clock = wiring.clock
        self._problems = use_cases.write_back_problems(wiring)

    def drive(self, connection_id: str, write_back_id: str) -> None:
        stored = self._ledger.get_write_back(connection_id, write_back_id)
        if stored.value is None:
            return
        item, now = as_read(stored.value), self._clock.now()
        if not is_drivable(item, now):
            self._problems.show(item)
            return
        connection = self._wiring.connections.get(connection_id).value
        if connection is None or not connection.is_syncing:
            self._wait_for_person(item, stored.version, Reason.DISCONNECTED)
            return
        if not connection.member_identifier:
            self._wait_for_person(item, stored.version, Reason.MEMBER_UNKNOWN)
            return
        try:
            lease = self._ledger.take_lease(
                books=Books(connection_id),
                invoice_source_id=item.invoice_source_id,
                holder_id=write_back_id,
                now=now,
                until=now + self._wiring.timings.attempt,
            )
        except LeaseTakenError as error:
            self._save(replace(item, due_at=error.until), stored.version)
            return
        except ConflictError:
            return
        psa = self._wiring.gateway.open_payments(connection)
        self._run(OldAttempt(self._wiring, psa, connection, lease, item, stored.version))

    def _run(self, attempt: OldAttempt) -> None:
        try:
            attempt.advance()
        except ConflictError:
            return
        if attempt.item.state not in IN_FLIGHT:
            self._ledger.release_lease(attempt.lease)
        self._problems.show(attempt.item)

    def _wait_for_person(self, item: WriteBack, version: int, reason: Reason) -> None:
        later = self._clock.now() + DISCONNECTED_RETRY
        is_unsent = item.state is S.PENDING
        waiting = manual(item, reason) if is_unsent else replace(item, reason=reason, due_at=later)
        if self._save(waiting, version):
            self._problems.show(waiting)

    def _save(self, item: WriteBack, version: int) -> bool:
        try:
            self._ledger.save_write_back(item, expected_version=version)
        except ConflictError:
            return False
        return True


@dataclass
class OldAttempt:
    """One hold on a write-back and its invoice."""

    wiring: Wiring
    psa: PsaPayments
    connection: Connection
    lease: Lease
    item: WriteBack
    version: int

    @property
    def timings(self) -> Timings:
        return self.wiring.timings

    @property
    def now(self) -> datetime:
        return self.wiring.clock.now()

    @property
    def member(self) -> str:
        return self.item.posted_as or self.connection.member_identifier

    def advance(self) -> None:
        try:
            if self.item.target is Target.POSTED:
                self._bring_in()
            else:
                self._take_out()
            arrived = S.CONFIRMED if self.item.target is Target.POSTED else S.REVERSED
            if self.item.wants_follow_up and self.item.state is arrived:
                self._follow_up()
        except RetryableError:
            self._save(delayed(self.item, self.now))
        except PermanentError as error:
            self._give_to_person(refusal_reason(error))

    def _give_to_person(self, reason: Reason) -> None:
        if self.item.state in IN_FLIGHT:
            later = self.now + self.timings.quarantine
            self._save(replace(self.item, reason=reason, due_at=later))
        else:
            self._save(manual(self.item, reason))

    # --- bringing it in --------------------------------------------------------------------------

    def _bring_in(self) -> None:
        item = self.item
        if item.psa_payment_id is not None:
            return
        try:
            rows = self._rows()
            mine = self._unowned([row for row in rows if self._is_like(row)])
            if mine is not None:
                self._confirm(mine.psa_payment_id)
                return
            if item.posts > 0 and self._stands_changed(rows):
                return
            before = self.psa.read_balance(item.invoice_source_id)
        except NotFoundError:
            self._save(manual(item, Reason.INVOICE_GONE))
            return
        self._post_unless_hindered(before, rows)

    def _post_unless_hindered(self, before: PsaBalance, rows: Sequence[PsaPayment]) -> None:
        item = self.item
        if any(lags(other, before, rows) for other in self._others() if self._is_young(other)):
            self._save(replace(item, due_at=self.now + FIRST_WAIT))
        elif item.is_called_off and not self._is_hidden(before, rows):
            self._save(reversed_(replace(item, target=Target.ABSENT), self.now))
        elif obstacle := self._obstacle(before, rows):
            self._save(manual(item, obstacle))
        else:
            self._post(before, rows)

    def _is_hidden(self, before: PsaBalance, rows: Sequence[PsaPayment]) -> bool:
        listed = sum(row.amount_minor for row in rows)
        unexplained = before.total_minor - listed - before.balance_minor
        return self.item.posts > 0 and unexplained >= self.item.amount_minor

    def _obstacle(self, before: PsaBalance, rows: Sequence[PsaPayment]) -> Reason:
        is_locked = before.is_batched or (self.item.posts > 0 and is_closed(before))
        checks = (
            (self.item.posts >= MAX_POSTS, Reason.TOO_MANY_POSTS),
            (self._is_hidden(before, rows), Reason.PAYMENT_REWRITTEN),
            (is_locked, Reason.INVOICE_LOCKED),
            (before.balance_minor <= 0, Reason.PAID_BY_HAND),
            (before.balance_minor < self.item.amount_minor, Reason.OVERPAYMENT),
        )
        return next((reason for stands, reason in checks if stands), Reason.NONE)

    def _post(self, before: PsaBalance, rows: Sequence[PsaPayment]) -> None:
        ids = [row.psa_payment_id for row in rows]
        intent = replace(
            self.item,
            state=S.POSTING,
            intent_at=self.now,
            posts=self.item.posts + 1,
            due_at=self.now + self.timings.quarantine,
            balance_before_minor=before.balance_minor,
            rows_before=len(ids),
            newest_before=max(ids, default=0),
            posted_as=self.connection.member_identifier,
        )
        self._save(intent, extend_until=intent.due_at)
        try:
            posted = self.psa.post_payment(
                intent.invoice_source_id,
                amount_minor=intent.amount_minor,
                currency=intent.currency,
                paid_on=intent.paid_on,
            )
        except RetryableError:
            unsent = replace(intent, state=S.PENDING, intent_at=None, posts=intent.posts - 1)
            self._save(delayed(unsent, self.now))
        except PermanentError as error:
            self._save(rejected(intent, refusal_reason(error, before)))
        except BridgeError:
            self._save(replace(intent, state=S.UNCLEAR))
        else:
            self._confirm(posted.psa_payment_id, applied_by=posted.applied_by)

    def _confirm(self, psa_payment_id: int, *, applied_by: str = "") -> None:
        confirmed = replace(
            self.item,
            state=S.CONFIRMED,
            psa_payment_id=psa_payment_id,
            due_at=self.now,
            reason=Reason.NONE,
            wants_follow_up=True,
            waits=0,
            posted_as=applied_by or self.member,
        )
        self._save(confirmed, own=psa_payment_id)

    def _stands_changed(self, rows: Sequence[PsaPayment]) -> bool:
        newest = self.item.newest_before or 0
        moving = [o for o in self._others() if o.state in (S.POSTING, S.UNCLEAR)]
        candidates = [
            row
            for row in rows
            if not row.is_credit and row.psa_payment_id > newest
            if not any(is_like(other, row, self.member) for other in moving)
        ]
        found = self._unowned(candidates)
        if found is None:
            return False
        is_ours = found.applied_by.casefold() == self.member.casefold()
        reason = Reason.PAYMENT_CHANGED if is_ours else Reason.PAYMENT_REWRITTEN
        self._save(manual(self.item, reason))
        return True

    # --- taking it out ---------------------------------------------------------------------------

    def _take_out(self) -> None:
        item = self.item
        was_stated = item.posts > 0 or item.intent_at is not None
        if item.psa_payment_id is None and was_stated:
            rows = self._rows()
            mine = self._unowned([row for row in rows if self._is_like(row)])
            if mine is not None:
                self._confirm(mine.psa_payment_id)
            elif self._stands_changed(rows) or self._stands_hidden(rows):
                return
        if self.item.psa_payment_id is None:
            self._save(reversed_(self.item, self.now))
        elif self.item.state is not S.REVERSED:
            self._delete(self.item.psa_payment_id)

    def _delete(self, psa_payment_id: int) -> None:
        row = find(self._rows(), psa_payment_id)
        if row is None:
            self._vanished()
            return
        if not self._is_like(row):
            self._save(manual(self.item, Reason.PAYMENT_CHANGED))
            return
        if self.item.deletions >= MAX_DELETIONS:
            self._save(manual(self.item, Reason.REFUSED))
            return
        intent = replace(
            self.item,
            state=S.REVERSING,
            intent_at=self.now,
            deletions=self.item.deletions + 1,
            due_at=self.now + self.timings.quarantine,
        )
        self._save(intent, extend_until=intent.due_at)
        try:
            self.psa.delete_payment(intent.invoice_source_id, psa_payment_id)
        except NotFoundError:
            self._vanished()
        except RetryableError:
            undone = replace(intent, state=S.CONFIRMED, deletions=intent.deletions - 1)
            self._save(delayed(undone, self.now))
        except PermanentError as error:
            self._save(manual(intent, refusal_reason(error)))
        except BridgeError:
            return
        else:
            self._save(reversed_(intent, self.now))

    def _vanished(self) -> None:
        """Ours is not listed: not yet, or not any more."""
        if self.item.state is S.REVERSING or not self._is_young(self.item):
            self._save(reversed_(self.item, self.now))
        else:
            self._save(replace(self.item, due_at=self.now + FIRST_WAIT))

    def _stands_hidden(self, rows: Sequence[PsaPayment]) -> bool:
        invoice = self.psa.read_balance(self.item.invoice_source_id)
        if any(lags(other, invoice, rows) for other in self._others() if self._is_young(other)):
            self._save(replace(self.item, due_at=self.now + FIRST_WAIT))
            return True
        is_hidden = self._is_hidden(invoice, rows)
        if is_hidden:
            self._save(manual(self.item, Reason.PAYMENT_REWRITTEN))
        return is_hidden

    # --- what follows ----------------------------------------------------------------------------

    def _follow_up(self) -> None:
        try:
            invoice = self.psa.read_balance(self.item.invoice_source_id)
            rows = self._rows()
        except NotFoundError:
            self._save(followed_up(self.item, Reason.NONE))
            return
        if self._is_young(self.item) and lags(self.item, invoice, rows):
            self._save(replace(self.item, due_at=self.now + FIRST_WAIT))
            return
        is_missing = find(rows, self.item.psa_payment_id) is None
        if self.item.target is Target.POSTED and is_missing:
            self._save(manual(self.item, Reason.PAYMENT_GONE))
            return
        self._save(followed_up(self.item, Reason.NONE))

    # --- what it sees and stores -----------------------------------------------------------------

    def _rows(self) -> tuple[PsaPayment, ...]:
        return self.psa.list_payments(self.item.invoice_source_id, self.item.currency)

    def _is_like(self, row: PsaPayment) -> bool:
        return is_like(self.item, row, self.member)

    def _unowned(self, rows: Sequence[PsaPayment]) -> PsaPayment | None:
        books = Books(self.connection.connection_id)
        owners = self.wiring.ledger.owners(books, [row.psa_payment_id for row in rows])
        return next((row for row in rows if row.psa_payment_id not in owners), None)

    def _others(self) -> list[WriteBack]:
        own = self.item
        every = self.wiring.ledger.write_backs_of_invoice(own.connection_id, own.invoice_source_id)
        return [as_read(each) for each in every if each.write_back_id != own.write_back_id]

    def _is_young(self, item: WriteBack) -> bool:
        return item.intent_at is not None and self.now - item.intent_at < self.timings.quarantine

    def _save(
        self, item: WriteBack, *, extend_until: datetime | None = None, own: int | None = None
    ) -> None:
        self.version = self.wiring.ledger.save_write_back(
            item,
            expected_version=self.version,
            holding=self.lease,
            extend_until=extend_until,
            own_psa_payment_id=own,
        )
        self.item = item
