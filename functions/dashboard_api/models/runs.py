"""Runs as the dashboard shows them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from bridge.domain.identity import RecordKind
from bridge.domain.run import Counters, Run, RunKind, RunState, Selection
from dashboard_api.models.values import View


class CountersView(View):
    """What became of the records of one kind; ``seen`` is what ConnectWise listed."""

    seen: int
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
    """Records looked at, of how many ConnectWise counted at the start (null: not counted)."""

    done: int
    expected: int | None
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
    record_kind: RecordKind
    selection: Selection
    number: int
    of: int


class RunView(View):
    """A bulk piece of work on a connection. ``failure`` is a code, set on failed runs only."""

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
    failure: str | None

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


class RunPage(View):
    items: list[RunView]
    next_cursor: str | None
