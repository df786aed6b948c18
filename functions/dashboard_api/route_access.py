"""Some routes are for the platform's services; all others are for partner users."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from bridge.entrypoints.callers import PartnerUser, PlatformService, partner_user, platform_service

_FOR_SERVICES = re.compile(r"/v1/connections/([^/]+)/payments(/.*)?")


def is_for_services(path: str) -> bool:
    """Tell whether a route is for services, by a request's path or a route's template."""
    return _FOR_SERVICES.fullmatch(path) is not None


def allowed_caller(event: Mapping[str, Any]) -> PartnerUser | PlatformService:
    """Return the caller, and raise CallerRefusedError for one that the route is closed to."""
    path = APIGatewayProxyEventV2(dict(event)).path
    return platform_service(event) if is_for_services(path) else partner_user(event)


def connection_of_services_path(event: Mapping[str, Any]) -> str:
    """Return the text in the place of a connection's id in a path for services, else ""."""
    match = _FOR_SERVICES.fullmatch(APIGatewayProxyEventV2(dict(event)).path)
    return match[1] if match else ""
