"""What a route may ask for besides its input: the services, and who is calling."""

from __future__ import annotations

from typing import Annotated, cast

from aws_lambda_powertools.event_handler import Request
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.depends import Depends

from bridge.runtime.callers import PartnerUser
from bridge.runtime.dashboard_services import DashboardServices

SERVICES = "services"
PARTNER = "partner"


def _services(request: Request) -> DashboardServices:
    return cast(DashboardServices, request.context[SERVICES])


def _partner(request: Request) -> PartnerUser:
    return cast(PartnerUser, request.context[PARTNER])


Services = Annotated[DashboardServices, Depends(_services)]
Partner = Annotated[PartnerUser, Depends(_partner)]


def new_router() -> Router:
    """Return a router for one resource's routes."""
    return Router()  # type: ignore[no-untyped-call]  # Powertools left its annotations out
