"""A run is a bulk piece of work on a connection, done page by page and readable while it goes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, cast

from bridge.domain.comparison import Comparison
from bridge.domain.identity import RecordKind
from bridge.domain.mirrored_kinds import MIRRORED_KINDS, MirroredKind, mirrored_kind

MAX_ATTEMPTS_PER_PAGE = 60
MAX_ATTEMPTS_OF_UNTRUE_LIST = 5
"""A list that breaks its own order seldom mends itself, and a person should know soon."""
MAX_PAGE_SIZE = 1_000
"""ConnectWise lists at most so many records at once (developer guide, pagination)."""
MAX_RECORDS = 1_000_000
"""A run takes at most so many records of a kind: a list that goes on is taken for a false one."""
RUN_LEASE = timedelta(hours=2)
MAX_VANISHED = 8_000
"""The limit of each kind lets a run fit into one stored item; the next sweep finds the others."""


def next_page_size(asked: int, managed: int) -> int:
    """Return the size of the next page, after ConnectWise managed so many of the asked records.

    Where it managed less that is the next size; else the size grows slowly, since each page that
    is too large costs ConnectWise's time and ours.
    """
    return managed if managed < asked else min(MAX_PAGE_SIZE, asked + asked // 4 + 1)


class RunKind(StrEnum):
    """A run's kind decides its steps."""

    IMPORT = "import"
    """Takes every record; a connection begins with it."""
    CUSTOMERS = "customers"
    """Takes changed customers."""
    INVOICES = "invoices"
    """Takes changed invoices."""
    FETCH_NEW = "fetch_new"
    """Takes changed records when a person asks for them."""
    FETCH_UNPAID = "fetch_unpaid"
    """Takes unpaid invoices when a person asks for them."""
    SWEEP = "sweep"
    """Compares every record."""
    PAYMENTS = "payments"
    """Takes the payments of settled invoices, which an import leaves for later."""


class RunState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class CancelReason(StrEnum):
    BY_PERSON = "by_person"
    REPLACED = "replaced"
    """An import with other filters takes its place."""
    DISCONNECTED = "disconnected"
    NOT_SYNCING = "not_syncing"
    """The connection stopped syncing while the run waited."""


ENDED_STATES = frozenset({RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED})


class Selection(StrEnum):
    """A step refreshes these records of each page."""

    ALL = "all"
    CHANGED = "changed"
    """Those that ConnectWise changed since the run's ``since``."""
    UNPAID = "unpaid"
    """Those with a balance, in ConnectWise or in the mirror."""
    DIFFERING = "differing"
    """Those whose change fingerprint differs from the mirror's."""
    VANISHED = "vanished"
    """Those that earlier steps found in the mirror only."""
    LACKING_PAYMENTS = "lacking_payments"
    """Those in the mirror whose payments are still to be read, newest first."""


@dataclass(frozen=True, slots=True)
class RunStep:
    record_kind: RecordKind
    selection: Selection


def _steps(selection: Selection, kinds: Iterable[MirroredKind[Any]]) -> tuple[RunStep, ...]:
    return tuple(RunStep(kind.record_kind, selection) for kind in kinds)


# Payers come first, and go last.
PLANS: dict[RunKind, tuple[RunStep, ...]] = {
    RunKind.IMPORT: _steps(Selection.ALL, MIRRORED_KINDS),
    RunKind.FETCH_NEW: _steps(Selection.CHANGED, MIRRORED_KINDS),
    RunKind.FETCH_UNPAID: _steps(Selection.UNPAID, (k for k in MIRRORED_KINDS if k.payments_of)),
    RunKind.SWEEP: (
        *_steps(Selection.DIFFERING, MIRRORED_KINDS),
        *_steps(Selection.VANISHED, reversed(MIRRORED_KINDS)),
    ),
    RunKind.PAYMENTS: _steps(
        Selection.LACKING_PAYMENTS, (k for k in MIRRORED_KINDS if k.payments_of)
    ),
    **{RunKind(kind.plural): _steps(Selection.CHANGED, (kind,)) for kind in MIRRORED_KINDS},
}
DELTA_RUNS = frozenset(RunKind(kind.plural) for kind in MIRRORED_KINDS)
"""Runs that take the changes of one kind since its watermark."""
SCHEDULED_RUNS = DELTA_RUNS | {RunKind.SWEEP}
"""Runs that a schedule starts again."""


def kinds_completed_by(run_kind: RunKind) -> tuple[MirroredKind[Any], ...]:
    """Return the kinds of which such a run takes every change, so that their watermark moves.

    A sweep compares fingerprints, which changes of contacts leave as they are.
    """
    match run_kind:
        case RunKind.IMPORT:
            return MIRRORED_KINDS
        case RunKind.SWEEP:
            return tuple(kind for kind in MIRRORED_KINDS if not kind.has_contacts)
    return tuple(kind for kind in MIRRORED_KINDS if kind.plural == run_kind.value)


@dataclass(frozen=True, slots=True)
class Counters:
    """Counters tell the outcomes of a run for the records of one kind."""

    seen: int = 0
    """The records that the run came across; each has one of the outcomes below."""
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    archived: int = 0
    skipped: int = 0
    """Left outside by a filter, or by what the run takes."""
    deferred: int = 0
    """Written by another worker meanwhile; they are fetched again."""
    failed: int = 0
    """Each is an open problem."""

    @property
    def accounted(self) -> int:
        """Return the number of outcomes."""
        return (
            self.created
            + self.updated
            + self.unchanged
            + self.archived
            + self.skipped
            + self.deferred
            + self.failed
        )

    def __add__(self, other: Counters) -> Counters:
        return Counters(
            **{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)}
        )


@dataclass(frozen=True, slots=True)
class Run:
    """A run has four fields for each mirrored kind, named after its plural."""

    run_id: str
    connection_id: str
    partner_id: str
    kind: RunKind
    state: RunState
    created_at: datetime
    step_index: int = 0
    cursor_id: int = 0
    """The last ConnectWise id of the page that was stored last."""
    page_count: int = 0
    """Orders the pages, so that a worker that repeats an old page leaves the run where it is."""
    attempts: int = 0
    """Failed tries at the present page."""
    since: datetime | None = None
    """The run takes changes from then on; None takes all."""
    server_time: datetime | None = None
    """ConnectWise's clock at the run's start. It becomes the watermark when the run succeeds, so
    everything before it is stored by then."""
    customers: Counters = field(default_factory=Counters)
    invoices: Counters = field(default_factory=Counters)
    expected_customers: int | None = None
    """ConnectWise's own count at the start, for progress."""
    expected_invoices: int | None = None
    vanished_customers: tuple[int, ...] = ()
    """Ids that a sweep found in the mirror only."""
    vanished_invoices: tuple[int, ...] = ()
    customers_comparison: Comparison = field(default_factory=Comparison)
    invoices_comparison: Comparison = field(default_factory=Comparison)
    page_size: int = MAX_PAGE_SIZE
    """So many records are asked for at once: fewer where more were too heavy."""
    archive_is_approved: bool = False
    """A person approved that this run archives more than the brake allows."""
    failure: str = ""
    """The code of the reason why a run failed or was cancelled."""
    finished_at: datetime | None = None

    @property
    def steps(self) -> tuple[RunStep, ...]:
        return PLANS[self.kind]

    @property
    def step(self) -> RunStep:
        return self.steps[self.step_index]

    @property
    def duration_seconds(self) -> int | None:
        """Return the whole seconds from the start to the end, None while the run goes on."""
        if self.finished_at is None:
            return None
        return int((self.finished_at - self.created_at).total_seconds())

    @property
    def has_ended(self) -> bool:
        return self.state in ENDED_STATES

    def counted(self, record_kind: RecordKind, counters: Counters) -> Run:
        """Return the run with the counters of one page added."""
        name = mirrored_kind(record_kind).plural
        return replace(self, **{name: getattr(self, name) + counters})

    def measured(self, counts: Mapping[RecordKind, int]) -> Run:
        """Return the run with ConnectWise's own counts at its start, for progress."""
        expected = {f"expected_{mirrored_kind(kind).plural}": n for kind, n in counts.items()}
        return replace(self, **cast(Any, expected))

    def comparison(self, record_kind: RecordKind) -> Comparison:
        """Return how both sides differ in one kind, as far as the run has come."""
        found: Comparison = getattr(self, f"{mirrored_kind(record_kind).plural}_comparison")
        return found

    def with_comparison(self, record_kind: RecordKind, comparison: Comparison) -> Run:
        name = f"{mirrored_kind(record_kind).plural}_comparison"
        return replace(self, **cast(Any, {name: comparison}))

    def with_managed_size(self, managed_size: int, *, may_grow: bool = True) -> Run:
        """Return the run after ConnectWise managed so many records at once."""
        if managed_size >= self.page_size and not may_grow:
            return self
        return replace(self, page_size=next_page_size(self.page_size, managed_size))

    def with_smaller_pages(self) -> Run:
        """Return the run after a page was too heavy."""
        return replace(self, page_size=max(1, self.page_size // 2))

    def vanished(self, record_kind: RecordKind) -> tuple[int, ...]:
        """Return the ids of one kind that the run found in the mirror only."""
        found: tuple[int, ...] = getattr(self, f"vanished_{mirrored_kind(record_kind).plural}")
        return found

    def with_vanished(self, record_kind: RecordKind, source_ids: tuple[int, ...]) -> Run:
        """Return the run with more ids that only the mirror has, for its last steps."""
        known = (*self.vanished(record_kind), *source_ids)[:MAX_VANISHED]
        return replace(self, **cast(Any, {f"vanished_{mirrored_kind(record_kind).plural}": known}))

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

    def cancelled(self, reason: CancelReason, now: datetime) -> Run:
        return replace(self, state=RunState.CANCELLED, failure=reason.value, finished_at=now)
