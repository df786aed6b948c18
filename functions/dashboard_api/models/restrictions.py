"""Restriction models show the limits of an API member's sight."""

from __future__ import annotations

from pydantic import Field

from bridge.domain.permissions import Bound, Restriction
from dashboard_api.models.account import RightView
from dashboard_api.models.values import View


class RestrictionView(View):
    """A restriction is a right that is granted for a part of the records only."""

    module: str
    row: str
    column: str
    bound: Bound
    limit: str = Field(description="The level, location or department that it is limited to.")

    @classmethod
    def of(cls, restriction: Restriction) -> RestrictionView:
        right = RightView.of(restriction.right)
        return cls(**dict(right), bound=restriction.bound, limit=restriction.limit)
