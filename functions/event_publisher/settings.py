"""The settings name the resources that the event_publisher function uses."""

from bridge.wiring.settings import EventBusName


class EventPublisherSettings(EventBusName):
    """These settings name the bus that domain events go to."""
