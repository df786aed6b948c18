"""Month end models follow the money of some days into ConnectWise."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from bridge.figures.month_end import MonthEndFigures, MonthEndSum
from dashboard_api.models.overview import (
    COMPLETE,
    CodeCountView,
    LatestComparisonView,
    problem_counts,
)
from dashboard_api.models.values import AmountView, View


class MonthEndSumView(View):
    """The payments of one currency are added up in these sums."""

    currency: str = Field(description="ISO 4217.")
    payment_count: int = Field(description="How many payments were received.")
    collected: AmountView = Field(description="What was received and did not go back.")
    posted: AmountView = Field(description="The part of it that stands in ConnectWise.")
    not_posted: AmountView = Field(
        description="The part of it that is allocated and does not stand in ConnectWise."
    )
    unapplied: AmountView = Field(description="The part of it that no invoice gets.")
    gone_back: AmountView = Field(description="What was received, and failed or went back.")
    gone_back_posted: AmountView = Field(
        description="The part of what went back that still stands in ConnectWise."
    )

    @classmethod
    def of(cls, found: MonthEndSum) -> MonthEndSumView:
        money = found.currency
        return cls(
            currency=money.code,
            payment_count=found.payment_count,
            collected=AmountView.of(found.collected_minor, money),
            posted=AmountView.of(found.posted_minor, money),
            not_posted=AmountView.of(found.not_posted_minor, money),
            unapplied=AmountView.of(found.unapplied_minor, money),
            gone_back=AmountView.of(found.gone_back_minor, money),
            gone_back_posted=AmountView.of(found.gone_back_posted_minor, money),
        )


class MonthEndView(View):
    """Some days of a connection close with these sums."""

    first_day: date = Field(description="The first of the days.")
    last_day: date = Field(description="The last of the days.")
    agrees: bool = Field(
        description="True: all that was collected for invoices stands in ConnectWise, nothing that "
        "went back does, no problem is open, and the latest comparison found no difference."
    )
    sums: list[MonthEndSumView] = Field(description="One for each currency.")
    is_complete: bool = Field(description=COMPLETE)
    open_problems: list[CodeCountView] = Field(
        description="The connection's open problems by code, whatever days they are about."
    )
    latest_comparison: LatestComparisonView | None = Field(
        description="Null: none came to an end yet."
    )

    @classmethod
    def of(cls, found: MonthEndFigures) -> MonthEndView:
        comparison = found.comparison
        return cls(
            first_day=found.first,
            last_day=found.last,
            agrees=found.agrees,
            sums=[MonthEndSumView.of(each) for each in found.sums],
            is_complete=found.is_complete,
            open_problems=problem_counts(found.open_problems),
            latest_comparison=LatestComparisonView.of(comparison) if comparison else None,
        )
