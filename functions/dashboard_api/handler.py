"""The Lambda's entry: one resolver for each execution environment."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from bridge.runtime.bootstrap import build_dashboard

from dashboard_api.app import DashboardApi, create_app
from dashboard_api.settings import DashboardSettings


@cache
def _app() -> DashboardApi:
    return create_app(build_dashboard(DashboardSettings.from_environment(os.environ)))


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of the HTTP API (payload 2.0)."""
    return _app().resolve(event, context)
