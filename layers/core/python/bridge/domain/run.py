"""A run: one bulk piece of work on a connection, done page by page and readable while it goes."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bridge.domain.identity import RecordKind

MAX_ATTEMPTS_PER_PAGE = 60
RUN_LEASE = timedelta(hours=2)
MAX_VANISHED = 8_000
"""Of each kind, so that a run fits into one stored item. The next sweep finds the others."""


class RunKind(StrEnum):
    """``import`` is the first one; ``sweep`` compares everything; the others take what changed."""

    IMPORT = "import"
    CUSTOMERS = "customers"
    INVOICES = "invoices"
    FETCH_NEW = "fetch_new"
    FETCH_UNPAID = "fetch_unpaid"
    SWEEP = "sweep"


class RunState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED_STATES = frozenset({RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED})


class Selection(StrEnum):
    """Which records of a page a step refreshes.

    all: every one. changed: those ConnectWise changed since the run's ``since``. unpaid: those
    with a balance. differing: those whose head disagrees with the mirror. vanished: those
    that the steps before found in the mirror only.
    """

    ALL = "all"
    CHANGED = "changed"
    UNPAID = "unpaid"
    DIFFERING = "differing"
    VANISHED = "vanished"


@dataclass(frozen=True, slots=True)
class RunStep:
    record_kind: RecordKind
    selection: Selection


PLANS: dict[RunKind, tuple[RunStep, ...]] = {
    RunKind.IMPORT: (
        RunStep(RecordKind.CUSTOMER, Selection.ALL),
        RunStep(RecordKind.INVOICE, Selection.ALL),
    ),
    RunKind.CUSTOMERS: (RunStep(RecordKind.CUSTOMER, Selection.CHANGED),),
    RunKind.INVOICES: (RunStep(RecordKind.INVOICE, Selection.CHANGED),),
    RunKind.FETCH_NEW: (
        RunStep(RecordKind.CUSTOMER, Selection.CHANGED),
        RunStep(RecordKind.INVOICE, Selection.CHANGED),
    ),
    RunKind.FETCH_UNPAID: (RunStep(RecordKind.INVOICE, Selection.UNPAID),),
    RunKind.SWEEP: (
        RunStep(RecordKind.CUSTOMER, Selection.DIFFERING),
        RunStep(RecordKind.INVOICE, Selection.DIFFERING),
        RunStep(RecordKind.INVOICE, Selection.VANISHED),
        RunStep(RecordKind.CUSTOMER, Selection.VANISHED),
    ),
}


@dataclass(frozen=True, slots=True)
class Counters:
    """What became of the records of one kind. ``seen`` counts those ConnectWise listed."""

    seen: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    archived: int = 0
    skipped: int = 0
    deferred: int = 0
    failed: int = 0

    def __add__(self, other: Counters) -> Counters:
        return Counters(
            **{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)}
        )


@dataclass(frozen=True, slots=True)
class Run:
    """``cursor_id`` is the last ConnectWise id of the page that was stored last; ``page_count``
    orders the pages, so a worker that repeats an old page cannot move the run backwards.

    ``server_time`` is ConnectWise's clock at the run's start: the watermark of a run that takes
    what changed becomes that time, and only when the run has succeeded (never before everything
    is stored). ``expected_*`` is ConnectWise's own count at the start, for progress.
    ``vanished_*`` are ids that a sweep found in the mirror only.
    """

    run_id: str
    connection_id: str
    partner_id: str
    kind: RunKind
    state: RunState
    created_at: datetime
    step_index: int = 0
    cursor_id: int = 0
    page_count: int = 0
    attempts: int = 0
    since: datetime | None = None
    server_time: datetime | None = None
    customers: Counters = field(default_factory=Counters)
    invoices: Counters = field(default_factory=Counters)
    expected_customers: int | None = None
    expected_invoices: int | None = None
    vanished_customers: tuple[int, ...] = ()
    vanished_invoices: tuple[int, ...] = ()
    archive_is_approved: bool = False
    failure: str = ""
    finished_at: datetime | None = None

    @property
    def steps(self) -> tuple[RunStep, ...]:
        return PLANS[self.kind]

    @property
    def step(self) -> RunStep:
        return self.steps[self.step_index]

    @property
    def has_ended(self) -> bool:
        return self.state in ENDED_STATES

    def counted(self, record_kind: RecordKind, counters: Counters) -> Run:
        """Return the run with the counters of one page added."""
        if record_kind is RecordKind.CUSTOMER:
            return replace(self, customers=self.customers + counters)
        return replace(self, invoices=self.invoices + counters)

    def vanished(self, record_kind: RecordKind) -> tuple[int, ...]:
        if record_kind is RecordKind.CUSTOMER:
            return self.vanished_customers
        return self.vanished_invoices

    def with_vanished(self, record_kind: RecordKind, source_ids: tuple[int, ...]) -> Run:
        """Return the run with more ids that only the mirror has, for its last steps."""
        known = (*self.vanished(record_kind), *source_ids)[:MAX_VANISHED]
        if record_kind is RecordKind.CUSTOMER:
            return replace(self, vanished_customers=known)
        return replace(self, vanished_invoices=known)

    def advanced(self, *, last_id: int, is_last_page: bool, now: datetime) -> Run:
        """Return the run after one stored page: next page, next step, or success."""
        moved = replace(self, page_count=self.page_count + 1, attempts=0, state=RunState.RUNNING)
        if not is_last_page:
            return replace(moved, cursor_id=last_id)
        if self.step_index + 1 < len(self.steps):
            return replace(moved, step_index=self.step_index + 1, cursor_id=0)
        return replace(moved, state=RunState.SUCCEEDED, finished_at=now)

    def failed(self, code: str, now: datetime) -> Run:
        return replace(self, state=RunState.FAILED, failure=code, finished_at=now)
