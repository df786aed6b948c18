"""Due write-backs are woken each minute, a share of each partner's."""

from __future__ import annotations

from bridge.ports import Clock, LedgerStore, Measure, Metrics, SilenceStore, WriteBackQueue

MAX_DUE = 500
MAX_SILENCES = 1000


class DueWriteBacks:
    """A write-back is woken when its time comes, which also finds it if its message got lost.

    A silent server gets one message a minute, which serves as its probe.
    """

    def __init__(
        self,
        ledger: LedgerStore,
        silences: SilenceStore,
        queue: WriteBackQueue,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._silences = silences
        self._queue = queue
        self._metrics = metrics
        self._clock = clock

    def wake(self) -> int:
        silences = self._silences.list(limit=MAX_SILENCES)
        silent = frozenset(silence.connection_id for silence in silences)
        now = self._clock.now()
        due = self._ledger.list_due(now, limit=MAX_DUE, silent=silent)
        due_since = min(
            (each.next_look_at or now for each in due if each.connection_id not in silent),
            default=now,
        )
        self._metrics.note(Measure.OLDEST_DUE_WRITE_BACK, (now - due_since).total_seconds())
        for write_back in due:
            self._queue.send(write_back)
        return len(due)
