"""The sums of unpaid invoices are made anew from their list each time."""

from __future__ import annotations

from bridge.connections.minute_shares import MINUTE, MinuteShares
from bridge.domain.errors import ShareUsedUpError
from bridge.domain.invoice import Invoice
from bridge.domain.receivables import Outstanding, sum_outstanding
from bridge.ports import Activity, Clock, InvoiceQuery, OutstandingStore, RecordStore

MAX_SUMMED = 20_000
"""So many unpaid invoices are summed at most, those that are due longest first."""
_PAGE_SIZE = 1_000


class OutstandingSums:
    """The sums are made anew when they are asked for, at most once a minute for each partner."""

    def __init__(
        self, records: RecordStore, sums: OutstandingStore, shares: MinuteShares, clock: Clock
    ) -> None:
        self._records = records
        self._sums = sums
        self._shares = shares
        self._clock = clock

    def read(self, partner_id: str) -> Outstanding:
        """Return the sums, a minute old at most but for the seconds that summing takes.

        Raises ShareUsedUpError while another request makes a partner's first sums.
        """
        kept = self._sums.get(partner_id)
        if kept and self._clock.now() - kept.summed_at < MINUTE:
            return kept
        try:
            self._shares.take(partner_id, Activity.OUTSTANDING_SUMS)
        except ShareUsedUpError:
            if kept is None:
                raise
            return kept
        return self._sum(partner_id)

    def _sum(self, partner_id: str) -> Outstanding:
        now = self._clock.now()
        invoices: list[Invoice] = []
        cursor = None
        for _ in range(MAX_SUMMED // _PAGE_SIZE):
            page = self._records.list_invoices(
                partner_id, InvoiceQuery(is_unpaid=True), limit=_PAGE_SIZE, cursor=cursor
            )
            invoices += page.items
            cursor = page.next_cursor
            if cursor is None:
                break
        outstanding = sum_outstanding(partner_id, invoices, now=now, is_complete=cursor is None)
        self._sums.save(outstanding)
        return outstanding
