"""One connection's hints are worked off here, in its partner's turn."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from bridge.connections.health import CONNECTION_ERRORS, ConnectionHealth
from bridge.connections.site_turns import SiteTurns, Turn, put_off_seconds
from bridge.connections.visit import Visit, visit_that_ended_with
from bridge.domain.connection import Connection
from bridge.domain.errors import (
    BridgeError,
    NotItsTurnError,
    OutcomeUnknownError,
    RetryableError,
    TooMuchTogetherError,
)
from bridge.domain.hint import (
    HINT_LIFE,
    MAX_HINT_ATTEMPTS,
    Hint,
    HintedRecord,
    HintReason,
    hinted_records,
)
from bridge.domain.identity import RecordKind
from bridge.domain.mirrored_kinds import MirroredRecord, kind_of
from bridge.domain.read_mark import SETTLING
from bridge.domain.work_messages import LONGEST_DELAY_SECONDS, PdfRequest
from bridge.log_fields import log_fields
from bridge.mirror.record_reads import RecordRead, RecordReads, seconds_until
from bridge.mirror.refresh import Refresher
from bridge.mirror.refreshed import LOOKS_AFTER_SECONDS, Refreshed
from bridge.ports import Clock, ConnectionStore, HintQueue, Measure, Metrics, PdfQueue, PsaGateway

HINT_STEP = timedelta(seconds=60)
"""A worker of hints lives so long; its places and claims are free then."""
MAX_REFRESHES = 5
FIRST_RETRY_SECONDS = 5

_logger = logging.getLogger(__name__)


class ConnectionHints:
    """The records that hints of one connection name are refreshed here.

    PDFs of changed invoices are requested. Workers use one object at the same time.
    """

    def __init__(
        self,
        *,
        connections: ConnectionStore,
        gateway: PsaGateway,
        refresher: Refresher,
        reads: RecordReads,
        turns: SiteTurns,
        hints: HintQueue,
        pdfs: PdfQueue,
        health: ConnectionHealth,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._connections = connections
        self._gateway = gateway
        self._refresher = refresher
        self._reads = reads
        self._turns = turns
        self._hints = hints
        self._pdfs = pdfs
        self._health = health
        self._metrics = metrics
        self._clock = clock

    def work_off(self, connection_id: str, hints: Sequence[Hint]) -> Sequence[Hint]:
        """Read the hinted records, or put them off; return the hints to be delivered again.

        Hints of a connection that stopped syncing are dropped: connecting again starts with a
        full comparison.
        """
        connection = self._connections.get(connection_id).value
        if connection is None or not connection.is_syncing:
            return ()
        with log_fields(partner_id=connection.partner_id, connection_id=connection_id):
            records = hinted_records(hints, connection.partner_id, self._clock.now())
            begun = self._reads.begin(connection_id, records)
            for hint, delay_seconds in begun.waiting:
                self._hints.send([hint], delay_seconds=delay_seconds)
            return self._take_turn(connection, begun.reads) if begun.reads else ()

    def _take_turn(self, connection: Connection, reads: Sequence[RecordRead]) -> Sequence[Hint]:
        try:
            with self._turns.turn(connection.partner_id, connection.connection_id) as turn:
                return self._read_all(connection, reads, turn)
        except NotItsTurnError as error:
            self._reads.give_up(reads)
            return self._put_off([read.record for read in reads], error)

    def _read_all(
        self, connection: Connection, reads: Sequence[RecordRead], turn: Turn
    ) -> Sequence[Hint]:
        by_kind: dict[RecordKind, list[RecordRead]] = defaultdict(list)
        for read in reads:
            by_kind[read.record.hint.record_kind].append(read)
        failed: list[Hint] = []
        for kind, of_kind in by_kind.items():
            failed += self._read_or_isolate(connection, kind, of_kind, turn)
        return failed

    def _read_or_isolate(
        self, connection: Connection, kind: RecordKind, reads: Sequence[RecordRead], turn: Turn
    ) -> Sequence[Hint]:
        """Read records, and each alone if that fails; return the hints of those that failed."""
        source_ids = tuple(read.source_id for read in reads)
        with log_fields(record_kind=kind.value, source_ids=source_ids):
            try:
                return self._read(connection, kind, reads, turn)
            except Exception as error:
                # The boundary of one record of a batch: the queue counts and parks repeats.
                _logger.exception("hints failed", extra={"count": len(reads)})
                turn.visit = visit_that_ended_with(error)
        if len(reads) == 1:
            self._reads.give_up(reads)
            return reads[0].record.hints
        return self._read_each(connection, kind, reads, turn)

    def _read_each(
        self, connection: Connection, kind: RecordKind, reads: Sequence[RecordRead], turn: Turn
    ) -> Sequence[Hint]:
        alone = (self._read_or_isolate(connection, kind, [read], turn) for read in reads)
        return [failed for each in alone for failed in each]

    def _read(
        self, connection: Connection, kind: RecordKind, reads: Sequence[RecordRead], turn: Turn
    ) -> Sequence[Hint]:
        try:
            refreshed = self._refresh(connection, kind, [read.source_id for read in reads])
        except CONNECTION_ERRORS as error:
            # The delta run after the repair brings these records: its watermark stays until then.
            turn.visit = visit_that_ended_with(error)
            self._reads.give_up(reads)
            self._health.report_failure(connection, error)
            return ()
        except (RetryableError, OutcomeUnknownError) as error:
            turn.visit = visit_that_ended_with(error)
            if isinstance(error, TooMuchTogetherError) and len(reads) > 1:
                return self._read_each(connection, kind, reads, turn)
            self._reads.give_up(reads)
            return self._send_again(connection, [read.record for read in reads], error)
        turn.visit = Visit.ANSWERED
        self._settle(connection, kind, reads, refreshed)
        _logger.info("hints done", extra={"count": len(reads)})
        return ()

    def _refresh(
        self, connection: Connection, kind: RecordKind, source_ids: Sequence[int]
    ) -> Refreshed:
        """Refresh records, contested ones repeatedly; some may still be contested at the end."""
        psa = self._gateway.open(connection)
        total = Refreshed()
        for _ in range(MAX_REFRESHES):
            refreshed = self._refresher.refresh(connection, psa, kind, source_ids)
            self._request_pdfs(connection, refreshed.changed)
            source_ids = refreshed.contested
            total = replace(total + refreshed, contested=source_ids)
            if not source_ids:
                break
        return total

    def _request_pdfs(self, connection: Connection, changed: Sequence[MirroredRecord]) -> None:
        """Request the PDFs of changed open invoices; other PDFs are fetched when a person asks."""
        self._pdfs.send(
            [
                PdfRequest(connection.connection_id, kind_of(record).id_of(record))
                for record in changed
                if kind_of(record).wants_pdf(record)
            ],
            partner_id=connection.partner_id,
        )

    # --- after a read ----------------------------------------------------------------------------

    def _settle(
        self,
        connection: Connection,
        kind: RecordKind,
        reads: Sequence[RecordRead],
        refreshed: Refreshed,
    ) -> None:
        """End the reads, and send hints for records that are to be read again."""
        contested = set(refreshed.contested)
        self._reads.give_up(read for read in reads if read.source_id in contested)
        done = [read for read in reads if read.source_id not in contested]
        self._reads.finish(done)
        place = (connection.connection_id, kind)
        self._hints.send(
            [
                Hint(*place, each, HintReason.CONFLICT, partner_id=connection.partner_id)
                for each in refreshed.contested
            ],
            delay_seconds=1,
        )
        changed = {record.source_id for record in refreshed.changed}
        for read in done:
            is_changed = read.source_id in changed
            is_unsettled = read.source_id in refreshed.unsettled
            if not (is_unsettled and self._look_again(read.record.hint, is_changed=is_changed)):
                self._read_again(read, is_changed=is_changed)
            if is_changed:
                self._measure(read.record)

    def _look_again(self, hint: Hint, *, is_changed: bool) -> bool:
        """Send a hint for a record whose parts disagree, a few times after it changed.

        A look that finds a change is one of these few, so that looks end in any case. A callback
        about an unchanged record has the last look alone.
        """
        if hint.reason is HintReason.UNSETTLED:
            made = hint.attempts
        elif is_changed:
            made = 0
        elif hint.reason is HintReason.CALLBACK:
            made = len(LOOKS_AFTER_SECONDS) - 1
        else:
            return False
        if made >= len(LOOKS_AFTER_SECONDS):
            return False
        delay_seconds = LOOKS_AFTER_SECONDS[made]
        due_at = self._clock.now() + timedelta(seconds=delay_seconds)
        again = replace(hint, reason=HintReason.UNSETTLED, attempts=made + 1, came_at=due_at)
        self._hints.send([again], delay_seconds=delay_seconds)
        return True

    def _read_again(self, read: RecordRead, *, is_changed: bool) -> None:
        """Send a callback once more whose change ConnectWise may be about to show.

        A change that a read finds after a rest is the one that was called for.
        """
        hint = read.record.hint
        is_found = is_changed and read.is_alone
        if hint.reason is HintReason.CALLBACK and read.is_early and not is_found:
            delay_seconds = seconds_until(read.record.came_at + SETTLING, self._clock.now())
            self._hints.send([hint], delay_seconds=min(delay_seconds, LONGEST_DELAY_SECONDS))

    def _measure(self, record: HintedRecord) -> None:
        """Note how long a change that ConnectWise called for took to be seen."""
        hint = record.hint
        if hint.reason is HintReason.CALLBACK:
            waited = self._clock.now() - record.came_at
            self._metrics.note(
                Measure.CALLBACK_TO_VISIBLE,
                waited.total_seconds(),
                partner_id=hint.partner_id,
                connection_id=hint.connection_id,
            )

    # --- later -----------------------------------------------------------------------------------

    def _put_off(self, records: Iterable[HintedRecord], error: NotItsTurnError) -> Sequence[Hint]:
        """Send hints again that wait for a turn; return those that waited for days."""
        now = self._clock.now()
        given_up: list[Hint] = []
        for record in records:
            if now - record.came_at >= HINT_LIFE:
                given_up += record.hints
                continue
            times = record.hint.times_put_off
            again = replace(record.hint, times_put_off=times + 1)
            self._hints.send([again], delay_seconds=put_off_seconds(error, times))
        return given_up

    def _send_again(
        self, connection: Connection, records: Sequence[HintedRecord], error: BridgeError
    ) -> Sequence[Hint]:
        """Send hints again with a growing delay; return those whose attempts are used up.

        The next runs bring the changes of an outage: their watermark stays until then, and the
        comparison reads records that moved without a trace.
        """
        _logger.info("hints wait", extra={"count": len(records), "error": type(error).__name__})
        exhausted: list[Hint] = []
        asked_seconds = int(error.retry_after_seconds or 0)
        for record in records:
            hint = record.hint
            if hint.attempts + 1 >= MAX_HINT_ATTEMPTS:
                exhausted += record.hints
                continue
            delay = max(asked_seconds, FIRST_RETRY_SECONDS << hint.attempts)
            is_look = hint.reason is HintReason.UNSETTLED
            reason = HintReason.UNSETTLED if is_look else HintReason.RETRY
            again = replace(hint, reason=reason, attempts=hint.attempts + 1, times_put_off=0)
            self._hints.send([again], delay_seconds=min(delay, LONGEST_DELAY_SECONDS))
        is_out = exhausted and self._health.confirm_outage(
            connection, self._gateway.open(connection)
        )
        return () if is_out else exhausted
