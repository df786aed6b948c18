"""A connection shows what its ConnectWise was seen to do with payments."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from bridge.domain.connection import PaymentFacts
from dashboard_api.models.values import View


class PaymentFactsView(View):
    """What this ConnectWise was seen to do with payments."""

    shows_members: bool | None = Field(
        description="Its lists say who made a payment; where they do not, a person adopts."
    )
    is_member_shared: bool | None = Field(
        description="The API member has payments that the bridge did not make."
    )
    listed_days_apart: int | None = Field(
        description="How many days behind ours a payment's day is listed."
    )
    proven_at: datetime | None = Field(
        description="When a payment was proven in full; before, payments go one at a time."
    )

    @classmethod
    def of(cls, facts: PaymentFacts) -> PaymentFactsView:
        return cls(
            shows_members=facts.shows_members,
            is_member_shared=facts.is_member_shared,
            listed_days_apart=facts.listed_days_apart,
            proven_at=facts.proven_at,
        )
