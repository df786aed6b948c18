"""Account models show the signed-in user and the preparations that connecting needs."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from bridge.domain.permissions import Right
from dashboard_api.models.values import View


class AccountView(View):
    """An account is a person who works for a partner."""

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
    egress_addresses: list[str] = Field(
        description="For the firewall of a self-hosted ConnectWise: our calls come from them."
    )

    @classmethod
    def of(cls, rights: Sequence[Right], egress_addresses: Sequence[str]) -> RequirementsView:
        return cls(
            rights=[RightView.of(right) for right in rights],
            egress_addresses=list(egress_addresses),
        )
