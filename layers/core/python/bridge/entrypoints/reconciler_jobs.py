"""Schedules and messages keep mirror and payments true when callbacks and messages get lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.domain.work_messages import JobMessage, TickMessage
from bridge.entrypoints.job_ticks import JobTicks
from bridge.entrypoints.job_worker import JobWorker
from bridge.payments.due_write_backs import DueWriteBacks

DUE_WRITE_BACKS = "due_write_backs"
"""Each minute it wakes the write-backs of all connections whose time has come."""


class ReconcilerJobs:
    """An event starts jobs of many connections; a message is one connection's job."""

    def __init__(self, *, ticks: JobTicks, worker: JobWorker, due: DueWriteBacks) -> None:
        self._ticks = ticks
        self._worker = worker
        self._due = due

    def start(self, event: Mapping[str, Any]) -> Mapping[str, int]:
        """Start the event's jobs, and return counts for the log.

        All but the due write-backs is a tick's: see :meth:`JobTicks.start`. Raises ValueError for
        an unknown name.
        """
        if event.get("job") == DUE_WRITE_BACKS:
            return {"woken": self._due.wake()}
        return {"sent": self._ticks.start(event)}

    def work(self, message: JobMessage | TickMessage) -> None:
        """Do a step of one connection's job, or go on with a tick."""
        if isinstance(message, TickMessage):
            self._ticks.go_on(message)
        else:
            self._worker.work(message)
