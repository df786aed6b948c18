"""Who is signed in, and what the connect form shows before anything is connected."""

from __future__ import annotations

from bridge.domain.permissions import REQUIRED_RIGHTS
from dashboard_api.dependencies import Partner, Services, new_router
from dashboard_api.models.account import AccountView, RequirementsView

router = new_router()


@router.get(
    "/v1/me",
    operation_id="getMe",
    summary="Who is signed in",
    tags=["account"],
)
def get_me(partner: Partner) -> AccountView:
    return AccountView(partner_id=partner.partner_id, user_id=partner.user_id)


@router.get(
    "/v1/connection-requirements",
    operation_id="getConnectionRequirements",
    summary="What a partner prepares in ConnectWise before connecting",
    tags=["account"],
)
def get_connection_requirements(services: Services) -> RequirementsView:
    return RequirementsView.of(REQUIRED_RIGHTS, services.egress_addresses)
