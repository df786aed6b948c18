"""Write-backs take turns, so that each partner waits for his own ConnectWise alone."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Protocol

from bridge.connections.site_turns import SiteTurns, put_off_seconds
from bridge.connections.visit import Visit
from bridge.domain.errors import LeftAloneError, NoPlaceError
from bridge.domain.work_messages import WriteBackMessage
from bridge.domain.write_back import WriteBack
from bridge.log_fields import add_log_fields
from bridge.ports import Clock, LedgerStore, WriteBackQueue

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
        turns: SiteTurns,
        queue: WriteBackQueue,
        clock: Clock,
    ) -> None:
        self._driver = driver
        self._ledger = ledger
        self._turns = turns
        self._queue = queue
        self._clock = clock

    def drive(self, message: WriteBackMessage) -> None:
        """Have the message's write-back driven on, or put it off and leave ConnectWise alone.

        Of one that is due later the driver only brings the problem in step.
        """
        stored = self._ledger.get_write_back(message.connection_id, message.write_back_id)
        write_back = stored.value
        if write_back is None:
            return
        invoice_source_id = write_back.invoice_source_id
        add_log_fields(partner_id=write_back.partner_id, source_ids=(invoice_source_id,))
        ids = write_back.connection_id, write_back.write_back_id
        is_due = _is_due(write_back, self._clock.now())
        try:
            with self._turns.turn(write_back.partner_id, ids[0], asks_server=is_due) as turn:
                turn.visit = self._driver.drive(*ids)
        except NoPlaceError as error:
            self._put_off(write_back, message.times_put_off, error)
        except LeftAloneError:
            _logger.info("its server is left alone", extra={"connection_id": ids[0]})

    def _put_off(self, write_back: WriteBack, times: int, error: NoPlaceError) -> None:
        """Ask again a little later each time, and in the end leave it to the due time."""
        is_found_anyway = write_back.next_look_at is not None
        if times >= MAX_PUT_OFFS and is_found_anyway:
            return
        self._queue.send(
            write_back, delay_seconds=put_off_seconds(error, times), times_put_off=times + 1
        )


def _is_due(write_back: WriteBack, now: datetime) -> bool:
    return write_back.next_look_at is not None and write_back.next_look_at <= now
