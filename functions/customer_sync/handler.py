"""The function is called by schedules, and sends the hourly customer runs of its part."""

from functools import cache

from bridge.entrypoints.entry import Event, function_entry
from bridge.entrypoints.job_ticks import JobTicks
from bridge.wiring import entrypoints
from bridge.wiring.adapters import Adapters
from customer_sync.settings import CustomerSyncSettings


@cache
def _ticks() -> JobTicks:
    return entrypoints.job_ticks(Adapters(CustomerSyncSettings.from_environment()))


@function_entry
def lambda_handler(event: Event) -> Event:
    """Return the number of messages sent, one for each connection of the part."""
    return {"sent": _ticks().start(event)}
