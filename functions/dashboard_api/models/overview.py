"""Overview models show how a partner stands: sums, counts and the latest comparisons."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from pydantic import Field

from bridge.domain.connection import Connection, ConnectionState
from bridge.domain.money import Currency
from bridge.domain.problem import ProblemCode
from bridge.domain.receivables import Age, Outstanding
from bridge.domain.run import Run, RunState
from bridge.domain.write_back import WriteBackState
from bridge.figures.collected import CollectedDay
from bridge.figures.overview import Collected, Count, Figures
from dashboard_api.models.problems import TITLES
from dashboard_api.models.values import AmountView, View

COMPLETE = 'False: there are more than are counted at once; read "more than".'


class AgeSumView(View):
    """A sum adds up debts of one currency and about one age."""

    age: Age = Field(description="How long ago it was due, by today's day (UTC).")
    amount: AmountView = Field(description="What is still to be paid.")
    invoice_count: int = Field(description="How many invoices that is.")


class OutstandingView(View):
    """Customers owe this in one currency."""

    currency: str = Field(description="ISO 4217.")
    owed: AmountView = Field(description="What is still to be paid, credit memos aside.")
    overdue: AmountView = Field(description="The part of it that was due before today.")
    credit: AmountView = Field(
        description="What open credit memos and overpaid invoices give back, below zero. It is "
        "due on no day."
    )
    invoice_count: int = Field(description="How many unpaid invoices that is, credits aside.")
    credit_count: int = Field(description="How many credits are open.")
    ages: list[AgeSumView] = Field(description="What is owed by how long ago it was due.")

    @classmethod
    def all_of(cls, found: Outstanding, today: date) -> list[OutstandingView]:
        by_age = found.by_age(today)
        credit = {(e.currency.code, e.currency.decimals): e for e in found.credits}
        return [
            cls._of(
                Currency(*money),
                by_age.get(money, {}),
                credit[money].amount_minor if money in credit else 0,
                credit[money].invoice_count if money in credit else 0,
            )
            for money in sorted(by_age.keys() | credit.keys())
        ]

    @classmethod
    def _of(
        cls,
        currency: Currency,
        ages: dict[Age, tuple[int, int]],
        credit_minor: int,
        credit_count: int,
    ) -> OutstandingView:
        late = ages.keys() - {Age.NOT_DUE, Age.NO_DUE_DAY}
        return cls(
            currency=currency.code,
            owed=AmountView.of(sum(amount for amount, _ in ages.values()), currency),
            overdue=AmountView.of(sum(ages[age][0] for age in late), currency),
            credit=AmountView.of(credit_minor, currency),
            invoice_count=sum(count for _, count in ages.values()),
            credit_count=credit_count,
            ages=[
                AgeSumView(
                    age=age,
                    amount=AmountView.of(ages[age][0], currency),
                    invoice_count=ages[age][1],
                )
                for age in Age
                if age in ages
            ],
        )


class CollectedDayView(View):
    """The platform received this on one day in one currency."""

    received_on: date = Field(description="The day on which the money was received.")
    amount: AmountView = Field(description="Payments whose money failed or went back are left out.")
    payment_count: int = Field(description="How many payments that is.")

    @classmethod
    def of(cls, day: CollectedDay) -> CollectedDayView:
        return cls(
            received_on=day.received_on,
            amount=AmountView.of(day.amount_minor, day.currency),
            payment_count=day.payment_count,
        )


class CollectedView(View):
    """The platform collected this on the latest days; a day without payments is left out."""

    first_day: date = Field(description="The first of the days.")
    last_day: date = Field(description="The last of the days; tomorrow, as zones differ.")
    days: list[CollectedDayView] = Field(description="By day and currency.")
    is_complete: bool = Field(description=COMPLETE)

    @classmethod
    def of(cls, found: Collected) -> CollectedView:
        return cls(
            first_day=found.first,
            last_day=found.last,
            days=[CollectedDayView.of(day) for day in found.days],
            is_complete=found.is_complete,
        )


class StateCountView(View):
    """So many write-backs are in one state."""

    state: WriteBackState = Field(description="How far they are.")
    count: int = Field(description="How many there are.")


class WriteBackCountsView(View):
    """The write-backs by state; those that were proven more than 60 days ago are left out."""

    states: list[StateCountView] = Field(description="States without any are left out.")
    is_complete: bool = Field(description=COMPLETE)

    @classmethod
    def of(cls, count: Count) -> WriteBackCountsView:
        states = [
            StateCountView(state=WriteBackState(name), count=number)
            for name, number in count.by_name.items()
        ]
        return cls(states=states, is_complete=count.is_complete)


class CodeCountView(View):
    """So many open problems have one code."""

    code: ProblemCode = Field(description="The kind of trouble.")
    title: str = Field(description="The same for people.")
    count: int = Field(description="How many are open.")


def problem_counts(by_code: Mapping[str, int]) -> list[CodeCountView]:
    """Return the numbers of problems by code."""
    return [
        CodeCountView(code=ProblemCode(name), title=TITLES[ProblemCode(name)], count=number)
        for name, number in by_code.items()
    ]


class ProblemCountsView(View):
    """The open problems by code."""

    codes: list[CodeCountView] = Field(description="Codes without any are left out.")
    is_complete: bool = Field(description=COMPLETE)

    @classmethod
    def of(cls, count: Count) -> ProblemCountsView:
        return cls(codes=problem_counts(count.by_name), is_complete=count.is_complete)


class LatestComparisonView(View):
    """The latest nightly comparison of a connection with ConnectWise."""

    run_id: str = Field(description="The run that compared.")
    state: RunState = Field(description="How it ended.")
    finished_at: datetime | None = Field(description="True as of this moment, if it succeeded.")
    compared_invoices: int = Field(description="Invoices of either side.")
    differing_invoices: int = Field(description="Those that differed, and were fetched again.")
    compared_customers: int = Field(description="Customers of either side.")
    differing_customers: int = Field(description="Those that differed, and were fetched again.")

    @classmethod
    def of(cls, run: Run) -> LatestComparisonView:
        return cls(
            run_id=run.run_id,
            state=run.state,
            finished_at=run.finished_at,
            compared_invoices=run.invoices_comparison.compared,
            differing_invoices=run.invoices_comparison.differing.total,
            compared_customers=run.customers_comparison.compared,
            differing_customers=run.customers_comparison.differing.total,
        )


class ConnectionStandView(View):
    """A connection stands so."""

    id: str = Field(description="The connection's id.")
    name: str = Field(description="Its name, chosen by the partner.")
    state: ConnectionState = Field(description="Whether it syncs, and how well.")
    latest_comparison: LatestComparisonView | None = Field(
        description="Null: none came to an end yet."
    )

    @classmethod
    def of(cls, connection: Connection, comparison: Run | None) -> ConnectionStandView:
        return cls(
            id=connection.connection_id,
            name=connection.name,
            state=connection.state,
            latest_comparison=LatestComparisonView.of(comparison) if comparison else None,
        )


class OverviewView(View):
    """An overview tells how a partner stands, over all connections."""

    as_of: datetime = Field(
        description="When the outstanding sums were made: a minute ago at most."
    )
    outstanding: list[OutstandingView] = Field(description="What customers owe, by currency.")
    outstanding_is_complete: bool = Field(
        description='False: there are more than 20,000 unpaid invoices; read "more than".'
    )
    collected: CollectedView = Field(description="What the platform collected in 30 days.")
    write_backs: WriteBackCountsView = Field(description="Payments on the way to ConnectWise.")
    problems: ProblemCountsView = Field(description="What needs a person.")
    connections: list[ConnectionStandView] = Field(description="Each connection, oldest first.")

    @classmethod
    def of(cls, figures: Figures) -> OverviewView:
        return cls(
            as_of=figures.outstanding.summed_at,
            outstanding=OutstandingView.all_of(figures.outstanding, figures.today),
            outstanding_is_complete=figures.outstanding.is_complete,
            collected=CollectedView.of(figures.collected),
            write_backs=WriteBackCountsView.of(figures.write_backs),
            problems=ProblemCountsView.of(figures.problems),
            connections=[
                ConnectionStandView.of(each, figures.comparisons.get(each.connection_id))
                for each in figures.connections
            ],
        )
