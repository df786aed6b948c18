"""Schedules start runs here, and queue runs again whose message got lost."""

from __future__ import annotations

import logging
from datetime import timedelta

from bridge.domain.connection import ConnectionState
from bridge.domain.errors import BridgeError, RunActiveError
from bridge.domain.run import RunKind
from bridge.ports import (
    Clock,
    ConnectionStore,
    RunQueue,
    RunStore,
    syncing_connections,
)
from bridge.runs.start import RunStarter

STALLED_AFTER = timedelta(minutes=30)
_logger = logging.getLogger(__name__)


class ScheduledRuns:
    """One run of a kind is started on every connection that has finished its first import."""

    def __init__(self, connections: ConnectionStore, starter: RunStarter) -> None:
        self._connections = connections
        self._starter = starter

    def start(self, kind: RunKind) -> int:
        """Start the runs and return their number; a connection with one going on is passed over.

        After one connection's failure the others go on.
        """
        started = 0
        for connection in syncing_connections(self._connections):
            if connection.state is ConnectionState.IMPORTING:
                continue
            try:
                self._starter.start(connection, kind)
            except RunActiveError:
                continue
            except BridgeError as error:
                _logger.warning(
                    "run not started",
                    extra={
                        "connection_id": connection.connection_id,
                        "kind": kind.value,
                        "error": type(error).__name__,
                    },
                )
                continue
            started += 1
        return started


class StalledRuns:
    """Runs whose message got lost on the way are queued again here."""

    def __init__(self, runs: RunStore, queue: RunQueue, clock: Clock) -> None:
        self._runs = runs
        self._queue = queue
        self._clock = clock

    def queue_again(self) -> int:
        stalled = self._runs.list_stalled(self._clock.now() - STALLED_AFTER)
        for run in stalled:
            self._queue.send(run)
        return len(stalled)
