"""Each job's name leads here to the use case that does it for one connection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from bridge.connections.callback_keeper import CallbackKeeper
from bridge.connections.job_step import JobStep, StepEnd
from bridge.domain.job import Job
from bridge.domain.run import RunKind
from bridge.payments.payment_check import PaymentCheck
from bridge.runs.schedule import ScheduledRuns, StalledRuns


class ConnectionJobs:
    """A step of any job is done here for its connection."""

    def __init__(
        self,
        *,
        scheduled_runs: ScheduledRuns,
        stalled_runs: StalledRuns,
        callbacks: CallbackKeeper,
        payment_check: PaymentCheck,
    ) -> None:
        self._scheduled_runs = scheduled_runs
        self._stalled_runs = stalled_runs
        self._callbacks = callbacks
        self._steps: Mapping[Job, Callable[[JobStep], StepEnd]] = {
            Job.INVOICE_DELTA: self._delta,
            Job.CUSTOMERS: partial(self._run, RunKind.CUSTOMERS),
            Job.SWEEP: partial(self._run, RunKind.SWEEP),
            Job.CALLBACKS: self._keep_callbacks,
            Job.HEAL_WRITE_BACKS: payment_check.retry,
            Job.PAYMENTS: payment_check.compare,
            Job.RESTING_PAYMENTS: payment_check.look_at_resting,
        }

    def do(self, job: Job, step: JobStep) -> StepEnd:
        """Do the step, and say where the next one goes on."""
        return self._steps[job](step)

    def _delta(self, step: JobStep) -> StepEnd:
        """Queue the runs again that got stuck, and take changed invoices."""
        queued = self._stalled_runs.queue_again(step.connection)
        return StepEnd(queued + self._start(RunKind.INVOICES, step))

    def _run(self, kind: RunKind, step: JobStep) -> StepEnd:
        return StepEnd(self._start(kind, step))

    def _start(self, kind: RunKind, step: JobStep) -> int:
        return self._scheduled_runs.start(step.connection, kind, until=step.until)

    def _keep_callbacks(self, step: JobStep) -> StepEnd:
        return StepEnd(visit=self._callbacks.keep(step.connection))
