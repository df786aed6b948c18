"""Look into hints: each names a record that may have changed, and is never believed."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from bridge.connections.health import CONNECTION_ERRORS, ConnectionHealth
from bridge.domain.connection import Connection
from bridge.domain.errors import OutcomeUnknownError, RetryableError
from bridge.domain.hint import MAX_HINT_ATTEMPTS, Hint, HintReason
from bridge.domain.identity import RecordKind
from bridge.domain.mirrored_kinds import MirroredRecord, kind_of
from bridge.domain.work_messages import PdfRequest
from bridge.mirror.refresh import Refresher
from bridge.ports import ConnectionStore, HintQueue, PdfQueue, PsaGateway

MAX_ROUNDS = 5
MAX_DELAY_SECONDS = 900

_logger = logging.getLogger(__name__)


class HintProcessor:
    """Refreshes the records that hints name, and asks for the PDFs of invoices that changed."""

    def __init__(
        self,
        *,
        connections: ConnectionStore,
        gateway: PsaGateway,
        refresher: Refresher,
        hints: HintQueue,
        pdfs: PdfQueue,
        health: ConnectionHealth,
    ) -> None:
        self._connections = connections
        self._gateway = gateway
        self._refresher = refresher
        self._hints = hints
        self._pdfs = pdfs
        self._health = health

    def process(self, hints: Sequence[Hint]) -> tuple[Hint, ...]:
        """Look into all hints and return those that have to be delivered again.

        A hint that found ConnectWise out of reach is sent again with a growing delay; only when
        that has happened MAX_HINT_ATTEMPTS times is it returned, and so, in the end, parked where
        a person sees it. Hints of a connection that no longer syncs are dropped: connecting
        again starts with a full comparison. What fails for a reason that nobody foresaw is returned
        alone: it neither fails the others of its connection nor those of another.
        """
        groups: dict[tuple[str, RecordKind], list[Hint]] = defaultdict(list)
        for hint in hints:
            groups[hint.connection_id, hint.record_kind].append(hint)
        failed: list[Hint] = []
        for (connection_id, kind), group in groups.items():
            failed.extend(self._guarded(connection_id, kind, group))
        return tuple(failed)

    def _guarded(
        self, connection_id: str, kind: RecordKind, hints: Sequence[Hint]
    ) -> Sequence[Hint]:
        try:
            return self._process_group(connection_id, kind, hints)
        except Exception:
            # The boundary of one record of a batch: the queue counts and parks repeats.
            _logger.exception("hints failed", extra={"count": len(hints)})
        if len(hints) == 1:
            return hints
        alone = (self._guarded(connection_id, kind, [hint]) for hint in hints)
        return [failed for each in alone for failed in each]

    def _process_group(
        self, connection_id: str, kind: RecordKind, hints: Sequence[Hint]
    ) -> Sequence[Hint]:
        connection = self._connections.get(connection_id).value
        if connection is None or not connection.is_syncing:
            return ()
        try:
            contested = self._refresh(connection, kind, sorted({h.source_id for h in hints}))
        except CONNECTION_ERRORS as error:
            # The delta after the repair brings these records: its watermark stands still now.
            self._health.report_failure(connection, error)
            return ()
        except (RetryableError, OutcomeUnknownError) as error:
            _logger.info("hints wait", extra={"count": len(hints), "error": type(error).__name__})
            return self._send_again(hints, error)
        self._hints.send(
            [Hint(connection.connection_id, kind, i, HintReason.CONFLICT) for i in contested],
            delay_seconds=1,
        )
        return ()

    def _refresh(
        self, connection: Connection, kind: RecordKind, source_ids: Sequence[int]
    ) -> Sequence[int]:
        """Refresh until nobody else wrote in between; return what stayed contested."""
        psa = self._gateway.open(connection)
        for _ in range(MAX_ROUNDS):
            refreshed = self._refresher.refresh(connection, psa, kind, source_ids)
            self._request_pdfs(connection, refreshed.changed)
            source_ids = refreshed.contested
            if not source_ids:
                break
        return source_ids

    def _request_pdfs(self, connection: Connection, changed: Sequence[MirroredRecord]) -> None:
        """Have the PDFs of open invoices fetched afresh; others are fetched when asked for."""
        self._pdfs.send(
            [
                PdfRequest(connection.connection_id, kind_of(record).id_of(record))
                for record in changed
                if kind_of(record).wants_pdf(record)
            ]
        )

    def _send_again(self, hints: Sequence[Hint], error: Exception) -> Sequence[Hint]:
        exhausted = [h for h in hints if h.attempts + 1 >= MAX_HINT_ATTEMPTS]
        asked = getattr(error, "retry_after_seconds", None) or 0
        for hint in hints:
            if hint in exhausted:
                continue
            delay = max(int(asked), min(MAX_DELAY_SECONDS, 5 * 2**hint.attempts))
            again = replace(hint, reason=HintReason.RETRY, attempts=hint.attempts + 1)
            self._hints.send([again], delay_seconds=min(delay, MAX_DELAY_SECONDS))
        return exhausted
