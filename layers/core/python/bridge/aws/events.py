"""The event bus publishes domain events through EventBridge."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bridge.aws.errors import translated
from bridge.aws_calls import attempts
from bridge.domain.errors import InfrastructureError
from bridge.domain.events import DomainEvent
from bridge.ports import Clock

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

SOURCE = "connectwise.bridge"
MAX_BATCH = 10


class EventBridgeBus:
    """EventBridge fulfils :class:`bridge.ports.EventBus`.

    An event may be published twice, with the same id.
    """

    def __init__(self, client: EventBridgeClient, bus_name: str, clock: Clock) -> None:
        self._client = client
        self._bus_name = bus_name
        self._clock = clock

    def publish(self, events: Sequence[DomainEvent]) -> None:
        """Publish all. Raises InfrastructureError if some stay refused after a few attempts."""
        for start in range(0, len(events), MAX_BATCH):
            self._publish_batch([self._entry(e) for e in events[start : start + MAX_BATCH]])

    def _publish_batch(self, entries: list[Any]) -> None:
        for _ in attempts(self._clock):
            with translated("EventBridge"):
                answer = self._client.put_events(Entries=entries)
            # Results come in the order of the entries.
            results = zip(entries, answer["Entries"], strict=True)
            entries = [entry for entry, result in results if result.get("ErrorCode")]
            if not entries:
                return
        raise InfrastructureError("EventBridge did not take all events")

    def _entry(self, event: DomainEvent) -> dict[str, Any]:
        return {
            "EventBusName": self._bus_name,
            "Source": SOURCE,
            "DetailType": event.type.value,
            "Time": event.occurred_at,
            "Detail": json.dumps(detail(event), separators=(",", ":")),
        }


def detail(event: DomainEvent) -> dict[str, Any]:
    """Return the event as subscribers get it."""
    return {
        "event_id": event.event_id,
        "schema_version": event.schema_version,
        "type": event.type.value,
        "partner_id": event.partner_id,
        "subject_id": event.subject_id,
        "occurred_at": event.occurred_at.isoformat(),
        "data": dict(event.data),
    }
