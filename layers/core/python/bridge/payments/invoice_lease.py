"""One worker's hold on one write-back and its invoice.

What a step needs from the past is in the ledger, never in a worker's memory, so a worker may die
between any two lines and the next one goes on from what was stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bridge.domain.connection import Connection
from bridge.domain.errors import NotFoundError
from bridge.domain.write_back import FIRST_WAIT, Lease, Timings, WriteBack
from bridge.payments.payment_matching import is_like
from bridge.payments.unowned_payments import first_unowned
from bridge.ports import Clock, LedgerStore, PsaPayment, PsaPayments


@dataclass(slots=True)
class Hold:
    """What a worker may do with the write-back it holds, and what is stored about it at each
    moment."""

    ledger: LedgerStore
    psa: PsaPayments
    connection: Connection
    lease: Lease
    clock: Clock
    timings: Timings
    write_back: WriteBack
    version: int
    has_written: bool = False

    @property
    def ids(self) -> dict[str, str]:
        return {
            "connection_id": self.connection.connection_id,
            "write_back_id": self.write_back.write_back_id,
        }

    def retry_later(self) -> None:
        """Look again, each time later."""
        self._save(self.write_back.delayed(self.clock.now()))

    def let_go(self) -> None:
        """Release the invoice, unless a request of ours may still take effect on it."""
        if not self.write_back.may_be_in_flight:
            self.ledger.release_lease(self.lease)

    def _rows(self) -> tuple[PsaPayment, ...]:
        return self.psa.list_payments(self.write_back.invoice_source_id, self.write_back.currency)

    def _rows_if_there(self) -> tuple[PsaPayment, ...]:
        """An invoice that is gone took its payments along."""
        try:
            return self._rows()
        except NotFoundError:
            return ()

    def _unowned_match(self, rows: Sequence[PsaPayment]) -> PsaPayment | None:
        """Find a payment that is like ours, made by our API member, and nobody's yet."""
        return self._unowned([row for row in rows if is_like(self.write_back, row, self._member)])

    def _unowned(self, rows: Sequence[PsaPayment]) -> PsaPayment | None:
        return first_unowned(self.ledger, self.connection.connection_id, rows)

    def _others_of_invoice(self) -> list[WriteBack]:
        own = self.write_back
        every = self.ledger.write_backs_of_invoice(own.connection_id, own.invoice_source_id)
        return [each for each in every if each.write_back_id != own.write_back_id]

    @property
    def _member(self) -> str:
        """The API member that posted it, who may have been another one than today's."""
        return self.write_back.posted_as or self.connection.member_identifier

    def _is_young(self, write_back: WriteBack) -> bool:
        """ConnectWise may not show yet what was stated last."""
        intent_at = write_back.intent_at
        return intent_at is not None and self.clock.now() - intent_at < self.timings.quarantine

    def _look_again(self) -> None:
        self._save(replace(self.write_back, due_at=self.clock.now() + FIRST_WAIT))

    def _state(self, intent: WriteBack, *, extend_until: datetime | None = None) -> None:
        """Store what is about to be sent, as the one who still holds invoice and write-back: a
        worker that was overtaken ends here, before the wire."""
        self._save(intent, extend_until=extend_until)
        self.has_written = True

    def _save(
        self,
        write_back: WriteBack,
        *,
        extend_until: datetime | None = None,
        own: int | None = None,
    ) -> None:
        self.version = self.ledger.save_write_back(
            write_back,
            expected_version=self.version,
            holding=self.lease,
            extend_until=extend_until,
            own_psa_payment_id=own,
        )
        self.write_back = write_back
