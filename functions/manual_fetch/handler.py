"""The function starts Fetch New Data and Fetch Unpaid Invoices, each within its limit."""

from functools import cache

from bridge.entrypoints.entry import Event, function_entry
from bridge.wiring import use_cases
from bridge.wiring.adapters import Adapters
from manual_fetch.api import ManualFetchApi
from manual_fetch.settings import ManualFetchSettings


@cache
def _api() -> ManualFetchApi:
    adapters = Adapters(ManualFetchSettings.from_environment())
    return ManualFetchApi(
        use_cases.owned_connections(adapters), use_cases.manual_fetch(adapters), adapters.clock
    )


@function_entry
def lambda_handler(event: Event) -> Event:
    """Answer an HTTP API event (payload 2.0)."""
    return _api().answer(event)
