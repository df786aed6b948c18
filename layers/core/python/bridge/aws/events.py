"""Publish domain events on an EventBridge bus."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bridge.aws.backoff import MAX_ATTEMPTS, wait_after
from bridge.aws.errors import translated
from bridge.domain.errors import UnavailableError
from bridge.domain.events import DomainEvent
from bridge.ports import Clock

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

SOURCE = "connectwise.bridge"
MAX_BATCH = 10


class EventBridgeBus:
    """See :class:`bridge.ports.EventBus`. An event may be published twice with the same id."""

    def __init__(self, client: EventBridgeClient, bus_name: str, clock: Clock) -> None:
        self._client = client
        self._bus_name = bus_name
        self._clock = clock

    def publish(self, events: Sequence[DomainEvent]) -> None:
        """Raises UnavailableError when some were not taken after a few attempts."""
        for start in range(0, len(events), MAX_BATCH):
            self._publish_batch([self._entry(e) for e in events[start : start + MAX_BATCH]])

    def _publish_batch(self, entries: list[Any]) -> None:
        for attempt in range(MAX_ATTEMPTS):
            with translated("EventBridge"):
                answer = self._client.put_events(Entries=entries)
            # Results come in the order of the entries.
            results = zip(entries, answer["Entries"], strict=True)
            entries = [entry for entry, result in results if result.get("ErrorCode")]
            if not entries:
                return
            wait_after(attempt, self._clock)
        raise UnavailableError("EventBridge did not take all events")

    def _entry(self, event: DomainEvent) -> dict[str, Any]:
        return {
            "EventBusName": self._bus_name,
            "Source": SOURCE,
            "DetailType": event.type.value,
            "Time": event.occurred_at,
            "Detail": json.dumps(detail(event), separators=(",", ":")),
        }


def detail(event: DomainEvent) -> dict[str, Any]:
    """Return what subscribers get of an event."""
    return {
        "event_id": event.event_id,
        "schema_version": event.schema_version,
        "type": event.type.value,
        "partner_id": event.partner_id,
        "subject_id": event.subject_id,
        "occurred_at": event.occurred_at.isoformat(),
        "data": dict(event.data),
    }
