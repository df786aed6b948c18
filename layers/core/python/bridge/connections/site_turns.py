"""Work for a connection takes its turn: it holds a place of its partner and spares silent servers.

A partner has a few places for each kind of work, however many connections he makes, so that his
slow server holds up his own work alone. A silent server is asked less and less.
"""

from __future__ import annotations

import logging
import math
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bridge.connections.silent_servers import Leave, SilentServers
from bridge.connections.visit import Visit, visit_that_ended_with
from bridge.domain.backoff import backoff_seconds
from bridge.domain.errors import BridgeError, LeftAloneError, NoPlaceError, NotItsTurnError
from bridge.domain.work_messages import LONGEST_DELAY_SECONDS
from bridge.ports import Activity, Clock, PartnerPlaces, Place

PLACES: Final = 10
"""So many workers of a kind work at a time; the stacks limit each function to as many."""
PLACES_OF_A_PARTNER: Final = PLACES // 3

STEP_SECONDS: Final = 60.0
"""A worker asks a server for so long at most, and gives its place back."""
STEP_LIFE: Final = timedelta(seconds=90)
"""A worker of steps lives so long at most, as it stores what came at the end; its place is over
then."""

FIRST_PUT_OFF_SECONDS: Final = 5.0
LONGEST_PUT_OFF_SECONDS: Final = 60.0
_DOUBLINGS = 5

_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Turn:
    """A turn tells, when it ends, what became of the visit.

    Until its holder notes it, the error that ends it tells; an end without an error is an answer.
    """

    visit: Visit | None = None


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
        """Hold a turn. The holder may note in it how the server behaved.

        Raises NoPlaceError or LeftAloneError, with the wait, before anything was asked.
        """
        place = self._take_place(partner_id)
        try:
            leave = self._leave_to_ask(connection_id) if asks_server else Leave(is_given=True)
            turn = Turn()
            try:
                yield turn
            except Exception as error:
                self._note(connection_id, leave, turn.visit or visit_that_ended_with(error))
                raise
            self._note(connection_id, leave, turn.visit or Visit.ANSWERED)
        except Exception:
            self._give_back(place)
            raise
        self._give_back(place)

    def _take_place(self, partner_id: str) -> Place:
        place = self._places.take(
            partner_id,
            self._activity,
            places=PLACES_OF_A_PARTNER,
            until=self._clock.now() + self._step,
        )
        if place is None:
            raise NoPlaceError("no place is free", retry_after_seconds=FIRST_PUT_OFF_SECONDS)
        return place

    def _leave_to_ask(self, connection_id: str) -> Leave:
        leave = self._servers.leave_to_ask(connection_id)
        if not leave.is_given:
            raise LeftAloneError(
                "its server is left alone", retry_after_seconds=leave.wait.total_seconds()
            )
        return leave

    def _note(self, connection_id: str, leave: Leave, visit: Visit) -> None:
        """Note the visit; if that fails, the next one tells the same."""
        try:
            self._servers.note(connection_id, leave, visit)
        except BridgeError:
            _logger.warning("a visit stays unnoted", exc_info=True)

    def _give_back(self, place: Place) -> None:
        """Release the place; if that fails, it is free when its time is over."""
        try:
            self._places.release(place)
        except BridgeError:
            _logger.warning("a place is held until it is over", exc_info=True)


def put_off_seconds(error: NotItsTurnError, times: int) -> int:
    """Return how long a message waits in its queue, after it was put off so often in a row.

    For a place that is a little longer each time, up to LONGEST_PUT_OFF_SECONDS; for a server that
    is left alone, as long as it is.
    """
    if isinstance(error, LeftAloneError):
        left_alone = max(1, math.ceil(error.retry_after_seconds or 0))
        return min(left_alone, LONGEST_DELAY_SECONDS)
    seconds = backoff_seconds(
        min(times, _DOUBLINGS),
        first_seconds=FIRST_PUT_OFF_SECONDS,
        jitter=random.random(),  # noqa: S311  # spreads messages, hides nothing
    )
    return math.ceil(min(seconds, LONGEST_PUT_OFF_SECONDS))
