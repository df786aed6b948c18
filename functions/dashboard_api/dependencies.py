"""What a route may ask for besides its input: the services, and who is calling."""

from __future__ import annotations

from typing import Annotated, TypeVar, cast

from aws_lambda_powertools.event_handler import Request
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.depends import Depends

from bridge.payments.collecting import CollectedPayments
from bridge.runtime.callers import CallerRefusedError, PartnerUser, PlatformService
from bridge.runtime.dashboard_services import DashboardServices

SERVICES = "services"
CALLER = "caller"

C = TypeVar("C", PartnerUser, PlatformService)


def _services(request: Request) -> DashboardServices:
    return cast(DashboardServices, request.context[SERVICES])


def _partner(request: Request) -> PartnerUser:
    return _caller(request, PartnerUser)


def _collected_payments(request: Request) -> CollectedPayments:
    """Only the platform's services get hold of what writes payments."""
    _caller(request, PlatformService)
    return _services(request).collected_payments


def _caller(request: Request, kind: type[C]) -> C:
    """Return the caller; who the route is for was decided before, and is made sure of here."""
    caller = request.context[CALLER]
    if not isinstance(caller, kind):
        raise CallerRefusedError("the route is not for this kind of caller")
    return caller


Services = Annotated[DashboardServices, Depends(_services)]
Partner = Annotated[PartnerUser, Depends(_partner)]
Payments = Annotated[CollectedPayments, Depends(_collected_payments)]


def new_router() -> Router:
    """Return a router for one resource's routes."""
    return Router()  # type: ignore[no-untyped-call]  # Powertools left its annotations out
