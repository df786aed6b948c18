"""What the event_publisher function needs from its environment."""

from bridge.wiring.settings import EventBusName


class EventPublisherSettings(EventBusName):
    """The bus that domain events go to."""
