"""Run models show bulk work on a connection and its progress."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from pydantic import Field

from bridge.domain.identity import RecordKind
from bridge.domain.run import Counters, Run, RunKind, RunState, Selection
from dashboard_api.models.values import Page, View


class CountersView(View):
    """Counters tell the outcome for the records of one kind."""

    seen: int = Field(description="Records that ConnectWise listed.")
    created: int
    updated: int
    unchanged: int
    archived: int
    skipped: int
    deferred: int
    failed: int

    @classmethod
    def of(cls, counters: Counters) -> CountersView:
        return cls(**asdict(counters))


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
    step: StepView
    progress: ProgressView
    customers: CountersView
    invoices: CountersView
    failure: str | None = Field(description="A code, set on failed runs only.")

    @classmethod
    def of(cls, run: Run) -> RunView:
        return cls(
            id=run.run_id,
            connection_id=run.connection_id,
            kind=run.kind,
            state=run.state,
            created_at=run.created_at,
            finished_at=run.finished_at,
            step=StepView(
                record_kind=run.step.record_kind,
                selection=run.step.selection,
                number=run.step_index + 1,
                of=len(run.steps),
            ),
            progress=ProgressView.of(run),
            customers=CountersView.of(run.customers),
            invoices=CountersView.of(run.invoices),
            failure=run.failure or None,
        )


class RunPage(Page[RunView]):
    """A page of runs holds the latest first."""
