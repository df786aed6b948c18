"""The reconciler's jobs: those of the mirror and those of payments, by their names."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from bridge.payments.sweeping import DueWriteBacks, PaymentSweep
from bridge.sync.reconciling import Job, Reconciler


class PaymentJob(StrEnum):
    """``due_write_backs``: wake those whose time has come. ``heal_write_backs``: try again what
    the world has healed. ``payments``: compare what we own with what ConnectWise shows."""

    DUE_WRITE_BACKS = "due_write_backs"
    HEAL_WRITE_BACKS = "heal_write_backs"
    PAYMENTS = "payments"


_PAYMENT_JOBS = {job.value: job for job in PaymentJob}


class ReconcilerJobs:
    """Does one job for all connections."""

    def __init__(self, mirror: Reconciler, due: DueWriteBacks, sweep: PaymentSweep) -> None:
        self._mirror = mirror
        self._due = due
        self._sweep = sweep

    def do(self, name: str) -> Mapping[str, int]:
        """Return what was counted, for the log. Raises ValueError for a name that is no job's."""
        payment_job = _PAYMENT_JOBS.get(name)
        return self._mirror.do(Job(name)) if payment_job is None else self._do(payment_job)

    def _do(self, job: PaymentJob) -> Mapping[str, int]:
        match job:
            case PaymentJob.DUE_WRITE_BACKS:
                return {"woken": self._due.wake()}
            case PaymentJob.HEAL_WRITE_BACKS:
                return {"tried_again": self._sweep.heal_all()}
            case PaymentJob.PAYMENTS:
                return {"compared": self._sweep.compare_all()}
