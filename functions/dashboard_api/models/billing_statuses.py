"""Billing statuses are the tenant's own, and are chosen by name."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from bridge.domain.invoice import BillingStatus
from dashboard_api.models.values import View


class StatusView(View):
    """A billing status is ConnectWise's own; an invoice's state follows its balance instead."""

    id: int
    name: str
    is_closed: bool = Field(description="Locked in ConnectWise, which is apart from being paid.")

    @classmethod
    def of(cls, status: BillingStatus | None) -> StatusView | None:
        if status is None:
            return None
        return cls(id=status.source_id, name=status.name, is_closed=status.is_closed)


class BillingStatusList(View):
    """A list of billing statuses holds the tenant's own ones that are in use."""

    items: list[StatusView]

    @classmethod
    def of(cls, statuses: Iterable[BillingStatus]) -> BillingStatusList:
        return cls(items=[StatusView.of(status) for status in statuses])
