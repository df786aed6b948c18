"""Runs are started here: one of a kind at a time on a connection, limited kinds only so often."""

from __future__ import annotations

from datetime import datetime, timedelta

from bridge.domain.connection import Connection
from bridge.domain.errors import BridgeError
from bridge.domain.identity import new_id
from bridge.domain.run import Run, RunKind, RunState
from bridge.domain.watermark import earlier_clock
from bridge.domain.window import FETCH_NEW_REACH, Window
from bridge.ports import Clock, RunQueue, RunStore


class RunStarter:
    """The starter stores a run and queues its first page."""

    def __init__(self, runs: RunStore, queue: RunQueue, clock: Clock) -> None:
        self._runs = runs
        self._queue = queue
        self._clock = clock

    def start(
        self,
        connection: Connection,
        kind: RunKind,
        *,
        since: datetime | None = None,
        window: Window | None = None,
        archive_is_approved: bool = False,
    ) -> Run:
        """Start a run and return it.

        Raises WindowTakenError when the window is used up and RunActiveError when a run of the
        kind is going on; both before anything is stored. When queueing fails, the run is
        withdrawn, the window is free again and the error is raised. A crash between storing and
        queueing leaves a run that the reconciler queues again.
        """
        run = Run(
            run_id=new_id(),
            connection_id=connection.connection_id,
            partner_id=connection.partner_id,
            kind=kind,
            state=RunState.QUEUED,
            created_at=self._clock.now(),
            since=since,
            archive_is_approved=archive_is_approved,
        )
        self._runs.start(run, window)
        try:
            self._queue.send(run)
        except BridgeError:
            self._runs.withdraw(run, window)
            raise
        return run


class ManualFetch:
    """A person starts two kinds of fetches here, from the dashboard."""

    def __init__(self, starter: RunStarter, clock: Clock) -> None:
        self._starter = starter
        self._clock = clock

    def start(self, connection: Connection, kind: RunKind) -> tuple[Run, Window]:
        """Take the window of this kind and start the run, or raise WindowTakenError.

        ``kind`` is FETCH_NEW (once an hour, the changes of the last hour) or FETCH_UNPAID
        (once in twelve hours, every unpaid invoice); source: connection guide, preferences. The
        hour is ConnectWise's own where its clock is behind.
        """
        now = self._clock.now()
        window = Window(connection.connection_id, kind, taken_at=now)
        server_now = earlier_clock(now, now, timedelta(seconds=connection.clock_seconds_ahead))
        since = server_now - FETCH_NEW_REACH if kind is RunKind.FETCH_NEW else None
        return self._starter.start(connection, kind, since=since, window=window), window
