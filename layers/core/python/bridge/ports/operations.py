"""These stores keep connections, runs and problems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from bridge.domain.callback_endpoint import CallbackEndpoint
from bridge.domain.connection import Connection
from bridge.domain.identity import RecordKind
from bridge.domain.problem import Problem, ProblemCode, ProblemReport, ProblemState
from bridge.domain.run import Run, RunKind, RunState
from bridge.domain.window import Window
from bridge.ports.stored import Page, Stored


@dataclass(frozen=True, slots=True)
class SyncingConnection:
    """The ids of a connection that is kept in step, as lists of all partners name it."""

    connection_id: str
    partner_id: str


@dataclass(frozen=True, slots=True)
class ProblemQuery:
    """A problem has to match every restriction; None accepts all."""

    connection_id: str | None = None
    code: ProblemCode | None = None
    record_id: str | None = None
    """The customer or invoice that it is about."""
    opened_from: date | None = None
    """A day in UTC, inclusive."""
    opened_to: date | None = None
    """A day in UTC, inclusive."""

    def matches(self, problem: Problem) -> bool:
        return (
            self.connection_id in (None, problem.connection_id)
            and self.code in (None, problem.code)
            and self.record_id in (None, problem.record_id)
            and (self.opened_from or date.min) <= problem.opened_at.date()
            and problem.opened_at.date() <= (self.opened_to or date.max)
        )


@dataclass(frozen=True, slots=True)
class RunQuery:
    """A run has to match every restriction; None accepts all."""

    kind: RunKind | None = None
    state: RunState | None = None
    created_from: date | None = None
    """A day in UTC, inclusive."""
    created_to: date | None = None
    """A day in UTC, inclusive."""

    def matches(self, run: Run) -> bool:
        return (
            self.kind in (None, run.kind)
            and self.state in (None, run.state)
            and (self.created_from or date.min) <= run.created_at.date()
            and run.created_at.date() <= (self.created_to or date.max)
        )


EVERY_PROBLEM = ProblemQuery()
EVERY_RUN = RunQuery()


class ConnectionStore(Protocol):
    def get(self, connection_id: str) -> Stored[Connection]:
        """Return the connection; a missing one has value None and version 0."""
        ...

    def list_of_partner(self, partner_id: str) -> tuple[Connection, ...]:
        """Return all of a partner's connections, oldest first (at most 100)."""
        ...

    def list_syncing(self, cursor: str | None = None) -> Page[SyncingConnection]:
        """Return syncing connections of all partners, by their ids."""
        ...

    def save(self, connection: Connection, *, expected_version: int) -> int:
        """Write and return the new version. Raises ConflictError when the version moved."""
        ...


class CallbackEndpointStore(Protocol):
    def get(self, connection_id: str) -> CallbackEndpoint | None:
        """Return the data to check callbacks of a connection with; None unless it is syncing.

        It is kept by the store of connections, whenever one is saved.
        """
        ...


class RunStore(Protocol):
    def start(self, run: Run, window: Window | None = None) -> None:
        """Store a new run, its place as the only one of its kind, and the window atomically.

        Raises WindowTakenError when the window is taken, RunActiveError when another run of the
        kind is going on (a run that stood still for RUN_LEASE gives its place up).
        """
        ...

    def withdraw(self, run: Run, window: Window | None) -> None:
        """Undo ``start`` for a run that failed to be queued: window and place are free again."""
        ...

    def get(self, connection_id: str, run_id: str) -> Stored[Run]: ...

    def save(self, run: Run, *, expected_version: int) -> int:
        """Write if the version is unchanged, else raise ConflictError.

        An ended run frees its place.
        """
        ...

    def keep_slot(self, run: Run) -> None:
        """Keep the slot of a run that waits for its turn, so that it does not count as stalled."""
        ...

    def list_of_connection(
        self,
        connection_id: str,
        query: RunQuery = EVERY_RUN,
        *,
        limit: int,
        cursor: str | None = None,
    ) -> Page[Run]:
        """Return runs, latest first."""
        ...

    def latest_sweeps(self, connection_ids: Sequence[str]) -> Mapping[str, Run]:
        """Return each connection's latest comparison that came to an end, by its id."""
        ...

    def get_window(self, connection_id: str, kind: RunKind) -> Window | None:
        """Return the latest window of a kind of fetch, if it was ever taken."""
        ...

    def list_active(self, connection_id: str) -> tuple[Run, ...]:
        """Return the runs that are going on: one of a kind at most, in the order of the kinds."""
        ...

    def list_stalled(self, connection_id: str, unmoved_since: datetime) -> tuple[Run, ...]:
        """Return the connection's active runs that stood still since then."""
        ...

    def get_watermark(self, connection_id: str, kind: RecordKind) -> datetime | None: ...

    def set_watermark(
        self,
        connection_id: str,
        kind: RecordKind,
        watermark: datetime,
        *,
        taken_since: datetime | None = None,
    ) -> None:
        """Move the watermark forward; one that is older than the stored one is ignored.

        So is one of a run that took the changes since a time after the stored one, which somebody
        set back meanwhile. None stands for all changes.
        """
        ...

    def set_watermark_back(self, connection_id: str, kind: RecordKind, watermark: datetime) -> None:
        """Move the watermark back; one that is not older than the stored one is ignored."""
        ...


class ProblemStore(Protocol):
    def report(self, report: ProblemReport, now: datetime) -> None:
        """Open a problem, or count a repeat on the open one."""
        ...

    def resolve(self, partner_id: str, problem_id: str, now: datetime) -> None:
        """Resolve the problem if it is open."""
        ...

    def get(self, partner_id: str, problem_id: str) -> Problem | None: ...

    def open_of_connection(self, partner_id: str, connection_id: str) -> Mapping[str, Problem]:
        """Return open problems by their ids: the newest, MAX_OPEN_PROBLEMS at most."""
        ...

    def list(
        self,
        partner_id: str,
        *,
        state: ProblemState | None,
        query: ProblemQuery = EVERY_PROBLEM,
        limit: int,
        cursor: str | None = None,
    ) -> Page[Problem]:
        """Return problems in a state, latest opened first; None lists open ones and then others."""
        ...
