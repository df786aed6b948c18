"""Scheduled runs start here where something is to be done, and lost ones are queued again."""

from __future__ import annotations

from datetime import datetime, timedelta

from bridge.domain.connection import Connection, ConnectionState
from bridge.domain.errors import RunActiveError
from bridge.domain.run import DELTA_RUNS, RunKind
from bridge.ports import Clock, RunQueue, RunStore
from bridge.runs.quiet_look import QuietLook
from bridge.runs.start import RunStarter

STALLED_AFTER = timedelta(minutes=30)


class ScheduledRuns:
    """A schedule's run starts on a connection that has finished its first import."""

    def __init__(self, starter: RunStarter, look: QuietLook) -> None:
        self._starter = starter
        self._look = look

    def start(self, connection: Connection, kind: RunKind, *, until: datetime) -> int:
        """Start a run and return 1, or 0 where one of the kind is going on already or a look, which
        is over by then, shows that all is known."""
        if connection.state is ConnectionState.IMPORTING:
            return 0
        if kind in DELTA_RUNS and self._look.is_quiet(connection, kind, until=until):
            return 0
        try:
            self._starter.start(connection, kind)
        except RunActiveError:
            return 0
        return 1


class StalledRuns:
    """Runs whose message got lost on the way are queued again here."""

    def __init__(self, runs: RunStore, queue: RunQueue, clock: Clock) -> None:
        self._runs = runs
        self._queue = queue
        self._clock = clock

    def queue_again(self, connection: Connection) -> int:
        """Queue the connection's stalled runs, and return their number."""
        since = self._clock.now() - STALLED_AFTER
        stalled = self._runs.list_stalled(connection.connection_id, since)
        for run in stalled:
            self._queue.send(run)
        return len(stalled)
