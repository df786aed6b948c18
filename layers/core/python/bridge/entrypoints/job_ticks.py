"""A tick lists connections by pages, and sends each one's jobs for its moment."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import Any

from bridge.domain.job import Job, Tick, scheduled_tick
from bridge.domain.work_messages import LONGEST_DELAY_SECONDS, JobMessage, TickMessage
from bridge.ports import (
    Clock,
    ConnectionStore,
    JobQueue,
    Measure,
    Metrics,
    SyncingConnection,
)

MIN_SECONDS_FOR_PAGE = 20.0
"""One more page is done only while so much time is left; a message goes on with the rest."""

_logger = logging.getLogger(__name__)


class JobTicks:
    """A tick only sends messages; each connection's work is a worker's."""

    def __init__(
        self, connections: ConnectionStore, queue: JobQueue, metrics: Metrics, clock: Clock
    ) -> None:
        self._connections = connections
        self._queue = queue
        self._metrics = metrics
        self._clock = clock

    def start(self, event: Mapping[str, Any]) -> int:
        """Send the jobs that an event names; return their number.

        ``{"jobs": ["callbacks", "payments"], "part": 2}`` is a schedule's: the jobs of that part of
        the connections, each at its moment. Where the part is left out, it follows from the time.
        ``{"job": "sweep"}`` is a person's: every connection, at once. Raises ValueError for any
        other name.
        """
        now = self._clock.now()
        if "job" in event:
            return self.send(Tick((Job(event["job"]),), now.replace(microsecond=0)))
        jobs = [Job(name) for name in event["jobs"]]
        sent = self.send(scheduled_tick(jobs, event.get("part"), now))
        for job in jobs:
            self._metrics.note(Measure.TICK, of=job.value)
        return sent

    def send(self, tick: Tick, cursor: str | None = None) -> int:
        """Send the jobs of the tick, from this page of the connections on; return their number."""
        sent = 0
        while True:
            page = self._connections.list_syncing(cursor)
            planned = [each for connection in page.items for each in self._plan(tick, connection)]
            self._queue.send(planned)
            sent += len(planned)
            cursor = page.next_cursor
            if cursor is None:
                return sent
            if self._clock.remaining_seconds() < MIN_SECONDS_FOR_PAGE:
                _logger.info("a tick goes on with a message", extra={"sent": sent})
                self._queue.go_on(TickMessage(tick, cursor))
                return sent

    def go_on(self, message: TickMessage) -> int:
        return self.send(message.tick, message.cursor)

    def _plan(self, tick: Tick, connection: SyncingConnection) -> list[tuple[JobMessage, int]]:
        """Return the connection's messages with their delays in seconds."""
        now = self._clock.now()
        ids = connection.connection_id, connection.partner_id
        planned = [JobMessage(*ids, job, at) for job, at in tick.chosen(connection.connection_id)]
        waits = [(each.planned_at - now).total_seconds() for each in planned]
        delays = [min(max(0, math.ceil(wait)), LONGEST_DELAY_SECONDS) for wait in waits]
        return list(zip(planned, delays, strict=True))
