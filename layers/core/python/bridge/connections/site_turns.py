"""Work for a connection takes its turn: it holds a place of its partner and spares silent servers.

A partner has a few places for each kind of work, however many connections he makes, so that his
slow server holds up his own work alone. A server that did not answer is asked less and less.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bridge.connections.silent_servers import Leave, SilentServers
from bridge.connections.visit import Visit
from bridge.domain.errors import BridgeError, LeftAloneError, NoPlaceError
from bridge.ports import Activity, Clock, PartnerPlaces, Place

PLACES: Final = 10
"""So many workers of a kind work at a time; the stacks limit each function to as many."""
PLACES_OF_A_PARTNER: Final = PLACES // 3
NO_PLACE_SECONDS = 5.0

_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Turn:
    """A turn tells, when it ends, what became of the visit."""

    visit: Visit = Visit.UNASKED


class SiteTurns:
    """One kind of work takes its turns here.

    ``step`` is the longest time that one turn takes; the place of a worker that was killed is free
    when it is over.
    """

    def __init__(
        self,
        *,
        places: PartnerPlaces,
        servers: SilentServers,
        clock: Clock,
        activity: Activity,
        step: timedelta,
    ) -> None:
        self._places = places
        self._servers = servers
        self._clock = clock
        self._activity = activity
        self._step = step

    @contextmanager
    def turn(
        self, partner_id: str, connection_id: str, *, asks_server: bool = True
    ) -> Iterator[Turn]:
        """Hold a turn. The holder notes in it how the server behaved.

        Raises NoPlaceError or LeftAloneError, with the wait, before anything was asked.
        """
        place = self._places.take(
            partner_id,
            self._activity,
            places=PLACES_OF_A_PARTNER,
            until=self._clock.now() + self._step,
        )
        if place is None:
            raise NoPlaceError("no place is free", retry_after_seconds=NO_PLACE_SECONDS)
        try:
            leave = self._leave_to_ask(connection_id) if asks_server else Leave(is_given=True)
            turn = Turn()
            try:
                yield turn
            finally:
                self._servers.note(connection_id, leave, turn.visit)
        finally:
            self._give_back(place)

    def _leave_to_ask(self, connection_id: str) -> Leave:
        leave = self._servers.leave_to_ask(connection_id)
        if not leave.is_given:
            raise LeftAloneError(
                "its server is left alone", retry_after_seconds=leave.wait.total_seconds()
            )
        return leave

    def _give_back(self, place: Place) -> None:
        """Release the place; if that fails, it is free when its time is over."""
        try:
            self._places.release(place)
        except BridgeError:
            _logger.warning("a place is held until it is over", exc_info=True)
