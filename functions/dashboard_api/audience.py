"""Which routes are for the platform's services; all others are for partner users."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from bridge.runtime.callers import PartnerUser, PlatformService, partner_user, platform_service

_FOR_SERVICES = re.compile(r"/v1/connections/[^/]+/payments(/.*)?")


def is_for_services(path: str) -> bool:
    """Tell whose route it is, by a request's path or a route's template."""
    return _FOR_SERVICES.fullmatch(path) is not None


def admitted_caller(event: Mapping[str, Any]) -> PartnerUser | PlatformService:
    """Return who calls, if it is somebody whom the route is for. Raises CallerRefusedError."""
    path = APIGatewayProxyEventV2(dict(event)).path
    return platform_service(event) if is_for_services(path) else partner_user(event)
