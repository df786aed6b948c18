"""The sums of unpaid invoices are made anew from their list each time."""

from __future__ import annotations

from bridge.connections.minute_shares import MINUTE, MinuteShares
from bridge.domain.errors import ShareUsedUpError
from bridge.domain.receivables import Outstanding, sum_outstanding
from bridge.figures.bounded_list import PAGE_SIZE, read_list
from bridge.ports import Activity, Clock, InvoiceQuery, OutstandingStore, RecordStore

MAX_SUMMED = 20_000
"""So many unpaid invoices are summed at most, those that are due longest first."""


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
        unpaid = InvoiceQuery(is_unpaid=True)
        found = read_list(
            lambda limit, cursor: self._records.list_invoices(
                partner_id, unpaid, limit=limit, cursor=cursor
            ),
            most=MAX_SUMMED,
            max_pages=MAX_SUMMED // PAGE_SIZE,
        )
        outstanding = sum_outstanding(
            partner_id, found.items, now=now, is_complete=found.is_complete
        )
        self._sums.save(outstanding)
        return outstanding
