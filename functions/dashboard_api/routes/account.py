"""Account routes show the signed-in user and the preparations of a connection."""

from __future__ import annotations

from bridge.domain.permissions import REQUIRED_RIGHTS
from dashboard_api.dependencies import Partner, Services
from dashboard_api.models.account import AccountView, RequirementsView, RightView
from dashboard_api.resource import Resource

resource = Resource("account")


@resource.route("GET", "/v1/me")
def get_me(partner: Partner) -> AccountView:
    """Return the signed-in user."""
    return AccountView(partner_id=partner.id, user_id=partner.user_id)


@resource.route("GET", "/v1/connection-requirements")
def get_connection_requirements(services: Services) -> RequirementsView:
    """List the preparations that a partner makes before connecting."""
    rights = [RightView.of(right) for right in REQUIRED_RIGHTS]
    return RequirementsView(rights=rights, egress_addresses=list(services.egress_addresses))
