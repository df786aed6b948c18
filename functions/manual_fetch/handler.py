"""HTTP API: Fetch New Data and Fetch Unpaid Invoices, each within its limit."""

from functools import cache

from bridge.runtime.bootstrap import build_manual_fetch
from bridge.runtime.entry import Event, function_entry
from bridge.runtime.manual_fetch_api import ManualFetchApi
from manual_fetch.settings import ManualFetchSettings


@cache
def _api() -> ManualFetchApi:
    return build_manual_fetch(ManualFetchSettings.from_environment())


@function_entry
def lambda_handler(event: Event) -> Event:
    """Answer an HTTP API event (payload 2.0)."""
    return _api().answer(event)
