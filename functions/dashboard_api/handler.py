"""HTTP API: connections, customers, invoices, payments, runs and problems for the dashboard."""

from functools import cache

from bridge.runtime.dashboard_bootstrap import build_dashboard
from bridge.runtime.entry import Event, LambdaContext, http_entry
from dashboard_api.app import DashboardApi, create_app
from dashboard_api.settings import DashboardSettings


@cache
def _app() -> DashboardApi:
    return create_app(build_dashboard(DashboardSettings.from_environment()))


@http_entry
def lambda_handler(event: Event, context: LambdaContext) -> Event:
    """Answer one request (payload 2.0)."""
    return _app().resolve(event, context)
