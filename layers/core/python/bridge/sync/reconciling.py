"""The scheduled jobs that keep the mirror true when callbacks do not."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from bridge.domain.run import RunKind
from bridge.sync.scheduling import CallbackKeeper, ScheduledRuns, StalledRuns


class Job(StrEnum):
    """``invoice_delta``: what changed, and runs that got stuck. ``sweep``: compare everything.
    ``callbacks``: registrations as they should be."""

    INVOICE_DELTA = "invoice_delta"
    SWEEP = "sweep"
    CALLBACKS = "callbacks"


class Reconciler:
    """Does one job for all connections."""

    def __init__(
        self, scheduled_runs: ScheduledRuns, stalled_runs: StalledRuns, callbacks: CallbackKeeper
    ) -> None:
        self._scheduled_runs = scheduled_runs
        self._stalled_runs = stalled_runs
        self._callbacks = callbacks

    def do(self, job: Job) -> Mapping[str, int]:
        """Return what was counted, for the log."""
        match job:
            case Job.INVOICE_DELTA:
                return {
                    "queued_again": self._stalled_runs.queue_again(),
                    "started": self._scheduled_runs.start(RunKind.INVOICES),
                }
            case Job.SWEEP:
                return {"started": self._scheduled_runs.start(RunKind.SWEEP)}
            case Job.CALLBACKS:
                return {"kept": self._callbacks.keep_all()}
