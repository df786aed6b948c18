"""Measures are noted for the person on call."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol


class Measure(StrEnum):
    """A measure is one thing that alarms and the runbook lean on."""

    CALLBACK_TO_VISIBLE = "CallbackToVisible"
    """Seconds from a callback's arrival until the mirror is in step with it."""
    PAYMENT_TO_CONNECTWISE = "PaymentToConnectWise"
    """Seconds from the recording of a payment until ConnectWise is seen to show it."""
    OLDEST_DUE_WRITE_BACK = "OldestDueWriteBack"
    """Seconds for which the write-back that is longest due has been due. Those of a server that is
    silent are left out: they wait for it, and not for us."""
    OPEN_PROBLEMS = "OpenProblems"
    """Open problems of one connection; the sum of a quarter of an hour is that of all."""
    RUN_SUCCEEDED = "RunSucceeded"
    RUN_FAILED = "RunFailed"
    RUN_CANCELLED = "RunCancelled"
    TICK = "Tick"
    """The start of a job; there is a metric for each."""
    API_FAULT = "ApiFault"
    """An answer that tells a fault of ours, as against one of the partner's own server."""

    @property
    def is_in_seconds(self) -> bool:
        return self in _IN_SECONDS


_IN_SECONDS = frozenset(
    {
        Measure.CALLBACK_TO_VISIBLE,
        Measure.PAYMENT_TO_CONNECTWISE,
        Measure.OLDEST_DUE_WRITE_BACK,
    }
)


class Metrics(Protocol):
    def note(self, measure: Measure, value: float = 1, *, of: str = "", **names: str) -> None:
        """Note one value. ``of`` parts a measure into a few metrics, such as one for each job.

        ``names`` tell whose it is: fields to search by, and no dimensions, since each value of a
        dimension costs as a metric of its own.
        """
        ...
