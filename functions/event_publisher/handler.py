"""The function publishes the changes in DynamoDB streams as domain events."""

from functools import cache

from bridge.entrypoints.entry import Event, function_entry
from bridge.entrypoints.stream_relay import StreamRelay
from bridge.wiring import entrypoints
from bridge.wiring.adapters import Adapters
from event_publisher.settings import EventPublisherSettings


@cache
def _relay() -> StreamRelay:
    adapters = Adapters(EventPublisherSettings.from_environment())
    return entrypoints.stream_relay(adapters)


@function_entry
def lambda_handler(event: Event) -> Event:
    """Return the record to go on from when publishing it failed."""
    return _relay().relay(event["Records"])
