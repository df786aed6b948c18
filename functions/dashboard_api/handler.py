"""The function serves the HTTP API of the dashboard and of the platform's services."""

from functools import cache

from bridge.entrypoints.entry import Event, LambdaContext, http_entry
from bridge.wiring import entrypoints
from bridge.wiring.adapters import Adapters
from dashboard_api.app import DashboardApi, create_app
from dashboard_api.settings import DashboardSettings


@cache
def _app() -> DashboardApi:
    settings = DashboardSettings.from_environment()
    adapters = Adapters(settings, part="dashboard_api", calls_seldom=True)
    return create_app(entrypoints.dashboard_services(adapters, adapters.egress_addresses))


@http_entry
def lambda_handler(event: Event, context: LambdaContext) -> Event:
    """Answer one request (payload 2.0)."""
    return _app().resolve(event, context)
