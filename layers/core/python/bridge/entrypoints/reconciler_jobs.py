"""Scheduled jobs keep mirror and payments true when callbacks and messages get lost."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from bridge.connections.callback_keeper import CallbackKeeper
from bridge.domain.run import RunKind
from bridge.payments.due_write_backs import DueWriteBacks
from bridge.payments.payment_check import PaymentCheck
from bridge.runs.schedule import ScheduledRuns, StalledRuns


class Job(StrEnum):
    """A schedule starts a job by its name."""

    INVOICE_DELTA = "invoice_delta"
    """Takes changed invoices, and queues runs again that got stuck."""
    SWEEP = "sweep"
    """Compares every record."""
    CALLBACKS = "callbacks"
    """Puts callback registrations in order."""
    DUE_WRITE_BACKS = "due_write_backs"
    """Wakes write-backs whose time has come."""
    HEAL_WRITE_BACKS = "heal_write_backs"
    """Tries write-backs again whose obstacle is gone."""
    PAYMENTS = "payments"
    """Compares our payments with those that ConnectWise shows."""


class ReconcilerJobs:
    """Each job is done for all connections."""

    def __init__(
        self,
        *,
        scheduled_runs: ScheduledRuns,
        stalled_runs: StalledRuns,
        callbacks: CallbackKeeper,
        due: DueWriteBacks,
        payment_check: PaymentCheck,
    ) -> None:
        self._scheduled_runs = scheduled_runs
        self._stalled_runs = stalled_runs
        self._callbacks = callbacks
        self._due = due
        self._payment_check = payment_check

    def do(self, name: str) -> Mapping[str, int]:
        """Do the named job; return counts for the log. Raises ValueError for any other name."""
        match Job(name):
            case Job.INVOICE_DELTA:
                return {
                    "queued_again": self._stalled_runs.queue_again(),
                    "started": self._scheduled_runs.start(RunKind.INVOICES),
                }
            case Job.SWEEP:
                return {"started": self._scheduled_runs.start(RunKind.SWEEP)}
            case Job.CALLBACKS:
                return {"kept": self._callbacks.keep_all()}
            case Job.DUE_WRITE_BACKS:
                return {"woken": self._due.wake()}
            case Job.HEAL_WRITE_BACKS:
                return {"tried_again": self._payment_check.retry_all()}
            case Job.PAYMENTS:
                return {"compared": self._payment_check.compare_all()}
