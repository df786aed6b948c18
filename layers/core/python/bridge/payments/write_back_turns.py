"""Write-backs take turns, so that each partner waits for his own ConnectWise alone."""

from __future__ import annotations

import logging
import math
import random
from datetime import datetime
from typing import Final, Protocol

from bridge.connections.silent_servers import Leave, SilentServers
from bridge.connections.visit import Visit
from bridge.domain.backoff import backoff_seconds
from bridge.domain.errors import BridgeError
from bridge.domain.work_messages import WriteBackMessage
from bridge.domain.write_back import Timings, WriteBack
from bridge.ports import Activity, Clock, LedgerStore, PartnerPlaces, Place, WriteBackQueue

PLACES: Final = 10
"""So many write-backs are driven at a time; the stacks limit the function to as many."""
PLACES_OF_A_PARTNER: Final = PLACES // 3

FIRST_PUT_OFF_SECONDS = 5.0
LONGEST_PUT_OFF_SECONDS = 60.0
MAX_PUT_OFFS = 5
"""After so many the message is dropped, and the write-back is found by its due time."""

_logger = logging.getLogger(__name__)


class Driver(Protocol):
    """A driver takes one write-back as far as it goes now."""

    def drive(self, connection_id: str, write_back_id: str) -> Visit:
        """Say whether ConnectWise was asked, and whether it answered."""
        ...


class WriteBackTurns:
    """A write-back takes its turn while its partner has a free place and its server answers.

    A write-back that is put off stays due in the ledger, so that the next wake-up finds it even
    when its message is lost.
    """

    def __init__(
        self,
        *,
        driver: Driver,
        ledger: LedgerStore,
        places: PartnerPlaces,
        servers: SilentServers,
        queue: WriteBackQueue,
        clock: Clock,
        timings: Timings,
    ) -> None:
        self._driver = driver
        self._ledger = ledger
        self._places = places
        self._servers = servers
        self._queue = queue
        self._clock = clock
        self._timings = timings

    def drive(self, message: WriteBackMessage) -> None:
        """Have the message's write-back driven on, or put it off and leave ConnectWise alone."""
        stored = self._ledger.get_write_back(message.connection_id, message.write_back_id)
        write_back = stored.value
        if write_back is None:
            return
        place = self._places.take(
            write_back.partner_id,
            Activity.WRITE_BACK,
            places=PLACES_OF_A_PARTNER,
            until=self._clock.now() + self._timings.attempt,
        )
        if place is None:
            self._put_off(write_back, message.times_put_off)
            return
        try:
            self._visit(write_back)
        except Exception:
            self._give_back(place)
            raise
        self._give_back(place)

    def _visit(self, write_back: WriteBack) -> None:
        """Have the write-back driven, unless it would ask a server that is left alone.

        Of one that is due later the driver only brings the problem in step.
        """
        connection_id = write_back.connection_id
        is_due = _is_due(write_back, self._clock.now())
        leave = self._servers.leave_to_ask(connection_id) if is_due else Leave(is_given=True)
        if not leave.is_given:
            _logger.info("its server is left alone", extra={"connection_id": connection_id})
            return
        visit = self._driver.drive(connection_id, write_back.write_back_id)
        self._servers.note(connection_id, leave, visit)

    def _put_off(self, write_back: WriteBack, times: int) -> None:
        """Ask again a little later each time, and in the end leave it to the due time."""
        is_found_anyway = write_back.next_look_at is not None
        if times >= MAX_PUT_OFFS and is_found_anyway:
            return
        seconds = backoff_seconds(
            min(times, MAX_PUT_OFFS),
            first_seconds=FIRST_PUT_OFF_SECONDS,
            jitter=random.random(),  # noqa: S311  # spreads messages, hides nothing
        )
        self._queue.send(
            write_back,
            delay_seconds=math.ceil(min(seconds, LONGEST_PUT_OFF_SECONDS)),
            times_put_off=times + 1,
        )

    def _give_back(self, place: Place) -> None:
        """Release the place; if that fails, it is free when its time is over."""
        try:
            self._places.release(place)
        except BridgeError:
            _logger.warning("a place is held until it is over", exc_info=True)


def _is_due(write_back: WriteBack, now: datetime) -> bool:
    return write_back.next_look_at is not None and write_back.next_look_at <= now
