"""The relay carries events from a table's stream to the event bus."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bridge.domain.errors import MalformedRecordError
from bridge.domain.events import DomainEvent
from bridge.ports import EventBus

_logger = logging.getLogger(__name__)


class StreamRelay:
    """A relay publishes the events of stream records in order."""

    def __init__(
        self, bus: EventBus, read_events: Callable[[Mapping[str, Any]], tuple[DomainEvent, ...]]
    ) -> None:
        self._bus = bus
        self._read_events = read_events

    def relay(self, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Publish, and return the first record that has to be delivered again, if any.

        An unreadable record is delivered again until the mapping's limit sends it to the failure
        destination; those before it are published by then.
        """
        for record in records:
            try:
                self._bus.publish(self._read_events(record))
            except MalformedRecordError:
                _logger.exception("unreadable stream record")
                return _from(record)
            except Exception:
                # The boundary of one record of a batch: go on from here at the next delivery.
                _logger.exception("events not published")
                return _from(record)
        return {"batchItemFailures": []}


def _from(record: Mapping[str, Any]) -> dict[str, Any]:
    number = record["dynamodb"]["SequenceNumber"]
    return {"batchItemFailures": [{"itemIdentifier": number}]}
