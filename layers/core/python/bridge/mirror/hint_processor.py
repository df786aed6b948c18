"""Hints are processed here: each names a record that may have changed and is fetched again."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from bridge.connections.health import CONNECTION_ERRORS, ConnectionHealth
from bridge.domain.connection import Connection
from bridge.domain.errors import (
    BridgeError,
    OutcomeUnknownError,
    RetryableError,
    TooMuchTogetherError,
)
from bridge.domain.hint import MAX_HINT_ATTEMPTS, Hint, HintReason
from bridge.domain.identity import RecordKind
from bridge.domain.mirrored_kinds import MirroredRecord, kind_of
from bridge.domain.work_messages import PdfRequest
from bridge.mirror.refresh import Refresher
from bridge.mirror.refreshed import LOOKS_AFTER_SECONDS, Refreshed
from bridge.ports import ConnectionStore, HintQueue, PdfQueue, PsaGateway

MAX_REFRESHES = 5
MAX_DELAY_SECONDS = 900

_logger = logging.getLogger(__name__)


class HintProcessor:
    """Records that hints name are refreshed here, and PDFs of changed invoices requested."""

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
        """Process all hints and return those to be delivered again.

        A hint that found ConnectWise out of reach is sent again with a growing delay; after
        MAX_HINT_ATTEMPTS times it is returned, and so, in the end, parked where a person sees
        it. Hints of a connection that stopped syncing are dropped: connecting again starts with
        a full comparison. A hint that fails for an unforeseen reason is returned alone; the
        others go on.
        """
        groups: dict[tuple[str, RecordKind], list[Hint]] = defaultdict(list)
        for hint in hints:
            groups[hint.connection_id, hint.record_kind].append(hint)
        failed: list[Hint] = []
        for (connection_id, kind), group in groups.items():
            failed.extend(self._process_or_isolate(connection_id, kind, group))
        return tuple(failed)

    def _process_or_isolate(
        self, connection_id: str, kind: RecordKind, hints: Sequence[Hint]
    ) -> Sequence[Hint]:
        """Process a group, and each hint alone if the group fails; return those that failed."""
        try:
            return self._process_group(connection_id, kind, hints)
        except Exception:
            # The boundary of one record of a batch: the queue counts and parks repeats.
            _logger.exception("hints failed", extra={"count": len(hints)})
        if len(hints) == 1:
            return hints
        alone = (self._process_or_isolate(connection_id, kind, [hint]) for hint in hints)
        return [failed for each in alone for failed in each]

    def _process_group(
        self, connection_id: str, kind: RecordKind, hints: Sequence[Hint]
    ) -> Sequence[Hint]:
        connection = self._connections.get(connection_id).value
        if connection is None or not connection.is_syncing:
            return ()
        try:
            refreshed = self._refresh(connection, kind, sorted({h.source_id for h in hints}))
        except CONNECTION_ERRORS as error:
            # The delta run after the repair brings these records: its watermark stays until then.
            self._health.report_failure(connection, error)
            return ()
        except TooMuchTogetherError as error:
            if len(hints) > 1:
                alone = (self._process_group(connection_id, kind, [hint]) for hint in hints)
                return [failed for each in alone for failed in each]
            return self._send_again(hints, error)
        except (RetryableError, OutcomeUnknownError) as error:
            _logger.info("hints wait", extra={"count": len(hints), "error": type(error).__name__})
            exhausted = self._send_again(hints, error)
            # What changed in an outage is brought by the next runs: their watermark stays until
            # then, and the comparison reads what moved without a trace.
            is_out = exhausted and self._health.confirm_outage(
                connection, self._gateway.open(connection)
            )
            return () if is_out else exhausted
        self._hints.send(
            [
                Hint(connection.connection_id, kind, i, HintReason.CONFLICT)
                for i in refreshed.contested
            ],
            delay_seconds=1,
        )
        self._look_again(hints, refreshed)
        return ()

    def _look_again(self, hints: Sequence[Hint], refreshed: Refreshed) -> None:
        """Send hints for records whose parts disagree, a few times after they changed.

        A look that finds a change is one of these few, so that looks end whatever is found.
        """
        changed = refreshed.unsettled_changes
        looks: dict[int, Hint] = {}
        for hint in hints:
            if hint.source_id not in refreshed.unsettled:
                continue
            if hint.reason is HintReason.UNSETTLED:
                made = hint.attempts
            elif hint.source_id in changed:
                made = 0
            else:
                continue
            if made < len(LOOKS_AFTER_SECONDS):
                again = replace(hint, reason=HintReason.UNSETTLED, attempts=made + 1)
                looks.setdefault(hint.source_id, again)
        for hint in looks.values():
            self._hints.send([hint], delay_seconds=LOOKS_AFTER_SECONDS[hint.attempts - 1])

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
            ]
        )

    def _send_again(self, hints: Sequence[Hint], error: BridgeError) -> Sequence[Hint]:
        """Send hints again with a growing delay; return those whose attempts are used up."""
        exhausted = [h for h in hints if h.attempts + 1 >= MAX_HINT_ATTEMPTS]
        asked_seconds = error.retry_after_seconds or 0
        for hint in hints:
            if hint in exhausted:
                continue
            delay = max(int(asked_seconds), min(MAX_DELAY_SECONDS, 5 * 2**hint.attempts))
            is_look = hint.reason is HintReason.UNSETTLED
            reason = HintReason.UNSETTLED if is_look else HintReason.RETRY
            again = replace(hint, reason=reason, attempts=hint.attempts + 1)
            self._hints.send([again], delay_seconds=min(delay, MAX_DELAY_SECONDS))
        return exhausted
