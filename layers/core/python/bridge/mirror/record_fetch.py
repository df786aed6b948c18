"""A person has one record fetched from ConnectWise again, at a bounded rate."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from bridge.connections.minute_shares import MinuteShares
from bridge.connections.owned_connections import OwnedConnections
from bridge.domain.errors import NotFoundError, NotPossibleError, ShareUsedUpError
from bridge.domain.hint import Hint, HintReason
from bridge.domain.invoice import Invoice
from bridge.domain.mirrored_kinds import MirroredRecord, kind_of
from bridge.ports import Activity, Clock, HintQueue


class RecordFetch:
    """A fetch is a hint about the record, which is read and compared like after a callback."""

    def __init__(
        self, owned: OwnedConnections, hints: HintQueue, shares: MinuteShares, clock: Clock
    ) -> None:
        self._owned = owned
        self._hints = hints
        self._shares = shares
        self._clock = clock

    def ask_for_payments(self, invoice: Invoice) -> None:
        """Have the payments of an invoice read that somebody opens, where they are still to come.

        While the partner's fetches are used up, or the connection rests, the payments come in
        their turn.
        """
        if invoice.payments_complete:
            return
        with suppress(NotPossibleError, NotFoundError, ShareUsedUpError):
            self.ask(invoice)

    def ask(self, record: MirroredRecord) -> datetime:
        """Have the record fetched, and return the time of asking.

        Raises NotPossibleError for a record of the platform and for a connection that stopped
        syncing, and ShareUsedUpError once the partner's fetches of this minute are used up.
        """
        if record.connection_id is None or record.source_id is None:
            raise NotPossibleError("platform_record", "it was made on the platform")
        connection = self._owned.get_syncing(record.partner_id, record.connection_id)
        self._shares.take(record.partner_id, Activity.RECORD_FETCH)
        now = self._clock.now()
        hint = Hint(
            connection.connection_id,
            kind_of(record).record_kind,
            record.source_id,
            HintReason.SEARCH,
            partner_id=record.partner_id,
            came_at=now,
        )
        self._hints.send([hint], delay_seconds=0)
        return now
