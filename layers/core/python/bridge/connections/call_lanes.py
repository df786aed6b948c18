"""Bulk work makes several calls to ConnectWise at once, in lanes that all workers share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from bridge.ports import Activity, Clock, PartnerPlaces, Place

MORE_LANES: Final = 2
"""A connection has so many lanes beside the one that each of its workers has anyway."""


class CallLanes:
    """The lanes of one kind of work. Those of a worker that was killed are free after ``step``."""

    def __init__(self, places: PartnerPlaces, clock: Clock, *, step: timedelta) -> None:
        self._places = places
        self._clock = clock
        self._step = step

    @contextmanager
    def held(self, connection_id: str) -> Iterator[int]:
        """Hold the connection's free lanes, and tell how many calls may be made at once.

        It is one where other workers hold the lanes.
        """
        lanes = list(self._taken(connection_id))
        try:
            yield 1 + len(lanes)
        finally:
            for lane in lanes:
                self._places.release(lane)

    def _taken(self, connection_id: str) -> Iterator[Place]:
        until = self._clock.now() + self._step
        for _ in range(MORE_LANES):
            lane = self._places.take(connection_id, Activity.CALLS, places=MORE_LANES, until=until)
            if lane is None:
                return
            yield lane
