"""DynamoDB streams: publish what changed as domain events."""

from functools import cache

from bridge.runtime.bootstrap import build_stream_relay
from bridge.runtime.entry import Event, function_entry
from bridge.runtime.stream_relay import StreamRelay
from event_publisher.settings import EventPublisherSettings


@cache
def _relay() -> StreamRelay:
    return build_stream_relay(EventPublisherSettings.from_environment())


@function_entry
def lambda_handler(event: Event) -> Event:
    """Return where to go on when a record could not be published."""
    return _relay().relay(event["Records"])
