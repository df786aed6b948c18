"""The signed-in user and the preparations that connecting needs."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.domain.permissions import Right
from dashboard_api.models.values import View


class AccountView(View):
    partner_id: str
    user_id: str


class RightView(View):
    """One cell to set to "All" in the API member's security role."""

    module: str
    row: str
    column: str


class RequirementsView(View):
    """``egress_addresses`` are for the firewall of a self-hosted ConnectWise."""

    rights: list[RightView]
    egress_addresses: list[str]

    @classmethod
    def of(cls, rights: Sequence[Right], egress_addresses: Sequence[str]) -> RequirementsView:
        return cls(
            rights=[
                RightView(module=right.module, row=right.row, column=right.column.value)
                for right in rights
            ],
            egress_addresses=list(egress_addresses),
        )
