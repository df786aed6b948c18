"""Account models show the signed-in user and the preparations that connecting needs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bridge.domain.permissions import Right
from dashboard_api.models.values import View

EgressAddresses = Annotated[
    list[str],
    Field(description="For the firewall of a self-hosted ConnectWise: our calls come from them."),
]


class AccountView(View):
    """An account belongs to one of a partner's people."""

    partner_id: str
    user_id: str


class RightView(View):
    """A right is one cell to set to "All" in the API member's security role."""

    module: str
    row: str
    column: str

    @classmethod
    def of(cls, right: Right) -> RightView:
        return cls(module=right.module, row=right.row, column=right.column.value)


class RequirementsView(View):
    """Requirements are prepared in ConnectWise before connecting."""

    rights: list[RightView]
    egress_addresses: EgressAddresses
