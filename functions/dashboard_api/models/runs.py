"""Run models show bulk work on a connection and its progress."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, Field

from bridge.domain.comparison import Comparison, DifferenceCounts
from bridge.domain.identity import RecordKind
from bridge.domain.run import Counters, Run, RunKind, RunState, Selection
from dashboard_api.models.values import FoundPage, Input, View


class CountersView(View):
    """Counters tell the outcome for the records of one kind; the outcomes add up to `seen`."""

    seen: int = Field(description="Records that the run came across.")
    created: int
    updated: int
    unchanged: int
    archived: int
    skipped: int = Field(
        description="Left out by a filter, hidden from the API member, or none of those taken."
    )
    deferred: int = Field(description="Changed by a callback meanwhile, so fetched again.")
    failed: int = Field(description="Each is an open problem.")

    @classmethod
    def of(cls, counters: Counters) -> CountersView:
        return cls(**asdict(counters))


class DifferencesView(View):
    """Records that differed, each counted once, for the first of these that holds."""

    missing_here: int = Field(description="ConnectWise lists them, and they were missing here.")
    missing_there: int = Field(description="They are here, and ConnectWise lists them no more.")
    balance: int = Field(description="Total, payments, credits or balance.")
    payer: int = Field(description="The customer that owes the money.")
    status: int = Field(description="The status, its name, or whether it closes the record.")
    details: int = Field(description="Something else that both sides show.")
    changed: int = Field(description="Only ConnectWise's date of the last change.")
    payments_unread: int = Field(description="Nothing; but their payments are still to be read.")

    @classmethod
    def of(cls, counts: DifferenceCounts) -> DifferencesView:
        return cls(**asdict(counts))


class ComparisonView(View):
    """A comparison holds ConnectWise's records of one kind against those here."""

    compared: int = Field(description="Records of either side; only a `sweep` compares.")
    differing: int
    differences: DifferencesView
    listed: int = Field(description="Records that ConnectWise listed.")
    counted: int | None = Field(
        description="ConnectWise's own count at the end; null: the run does not take whole lists, "
        "or goes on."
    )
    is_complete: bool | None = Field(
        description="Whether list and count agree. Null: not counted. What lasts is the problem "
        "`count_differs`."
    )

    @classmethod
    def of(cls, comparison: Comparison) -> ComparisonView:
        was_counted = comparison.counted is not None
        return cls(
            compared=comparison.compared,
            differing=comparison.differing.total,
            differences=DifferencesView.of(comparison.differing),
            listed=comparison.listed,
            counted=comparison.counted,
            is_complete=comparison.is_complete if was_counted else None,
        )


class ComparisonsView(View):
    """The comparisons of a run, kind by kind."""

    customers: ComparisonView
    invoices: ComparisonView


class ProgressView(View):
    """Progress compares records looked at with ConnectWise's own count at the start."""

    done: int
    expected: int | None = Field(description="Null: not counted.")
    expected_customers: int | None
    expected_invoices: int | None

    @classmethod
    def of(cls, run: Run) -> ProgressView:
        counted = [n for n in (run.expected_customers, run.expected_invoices) if n is not None]
        return cls(
            done=run.customers.seen + run.invoices.seen,
            expected=sum(counted) if counted else None,
            expected_customers=run.expected_customers,
            expected_invoices=run.expected_invoices,
        )


class StepView(View):
    """A step of a run reads the records of one kind."""

    record_kind: RecordKind
    selection: Selection
    number: int
    of: int


class RunView(View):
    """A run is a bulk piece of work on a connection."""

    id: str
    connection_id: str
    kind: RunKind
    state: RunState
    created_at: datetime
    finished_at: datetime | None
    duration_seconds: int | None = Field(description="From the start to the end.")
    step: StepView
    progress: ProgressView
    customers: CountersView
    invoices: CountersView
    comparison: ComparisonsView
    failure: str | None = Field(
        description="A code: why the run failed or was cancelled (`by_person`, `replaced` by an "
        "import with other filters, `disconnected`, `not_syncing`)."
    )

    @classmethod
    def of(cls, run: Run) -> RunView:
        return cls(
            id=run.run_id,
            connection_id=run.connection_id,
            kind=run.kind,
            state=run.state,
            created_at=run.created_at,
            finished_at=run.finished_at,
            duration_seconds=run.duration_seconds,
            step=StepView(
                record_kind=run.step.record_kind,
                selection=run.step.selection,
                number=run.step_index + 1,
                of=len(run.steps),
            ),
            progress=ProgressView.of(run),
            customers=CountersView.of(run.customers),
            invoices=CountersView.of(run.invoices),
            comparison=ComparisonsView(
                customers=ComparisonView.of(run.customers_comparison),
                invoices=ComparisonView.of(run.invoices_comparison),
            ),
            failure=run.failure or None,
        )


class RunPage(FoundPage[RunView]):
    """A page of runs holds the latest first."""


class WatermarkInput(Input):
    """A watermark is set back to a time, from which the next run takes changes again."""

    kind: Literal[RecordKind.CUSTOMER, RecordKind.INVOICE]
    at: AwareDatetime


class WatermarkView(View):
    """The changes of a kind up to the watermark are stored."""

    kind: RecordKind
    at: datetime
