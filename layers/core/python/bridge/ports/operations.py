"""The stores of connections, runs and problems."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Protocol

from bridge.domain.callback_endpoint import CallbackEndpoint
from bridge.domain.connection import Connection
from bridge.domain.identity import RecordKind
from bridge.domain.problem import Problem, ProblemReport, ProblemState
from bridge.domain.run import Run
from bridge.domain.window import Window
from bridge.ports.stored import Page, Stored

MAX_PAGES_OF_CONNECTIONS = 1000


class ConnectionStore(Protocol):
    def get(self, connection_id: str) -> Stored[Connection]:
        """Return the connection (value None, version 0 when there is none)."""
        ...

    def list_of_partner(self, partner_id: str) -> tuple[Connection, ...]:
        """Return all of a partner's connections, oldest first (at most 100)."""
        ...

    def list_syncing(self, cursor: str | None = None) -> Page[Connection]:
        """Return connections of all partners that are to be kept in step."""
        ...

    def save(self, connection: Connection, *, expected_version: int) -> int:
        """Write and return the new version. Raises ConflictError when the version moved."""
        ...


class CallbackEndpointStore(Protocol):
    def get(self, connection_id: str) -> CallbackEndpoint | None:
        """Return what callbacks of a connection must prove; None unless it is kept in step."""
        ...


class RunStore(Protocol):
    def start(self, run: Run, window: Window | None = None) -> None:
        """Store a new run, its place as the only one of its kind, and the window: all or none.

        Raises WindowTakenError when the window is taken, RunActiveError when another run of the
        kind is going on (a run that has not moved for RUN_LEASE gives its place up).
        """
        ...

    def withdraw(self, run: Run, window: Window | None) -> None:
        """Undo ``start`` for a run that could not be queued: window and place are free again."""
        ...

    def get(self, connection_id: str, run_id: str) -> Stored[Run]: ...

    def save(self, run: Run, *, expected_version: int) -> int:
        """Write if the version is unchanged, else ConflictError. An ended run frees its place."""
        ...

    def list_of_connection(
        self, connection_id: str, *, limit: int, cursor: str | None = None
    ) -> Page[Run]:
        """Return runs, latest first."""
        ...

    def list_stalled(self, unmoved_since: datetime) -> tuple[Run, ...]:
        """Return runs that have not ended and have not moved since then (at most 100)."""
        ...

    def get_watermark(self, connection_id: str, kind: RecordKind) -> datetime | None: ...

    def set_watermark(self, connection_id: str, kind: RecordKind, watermark: datetime) -> None:
        """Move the watermark forward; an older one than the stored one changes nothing."""
        ...


class ProblemStore(Protocol):
    def report(self, report: ProblemReport, now: datetime) -> None:
        """Open a problem, or count the same trouble on the one that is open."""
        ...

    def resolve(self, partner_id: str, problem_id: str, now: datetime) -> None:
        """Resolve it if it is open; nothing happens otherwise."""
        ...

    def get(self, partner_id: str, problem_id: str) -> Problem | None: ...

    def open_of_connection(self, partner_id: str, connection_id: str) -> Mapping[str, Problem]:
        """Return open problems by their ids (at most 1,000)."""
        ...

    def list(
        self,
        partner_id: str,
        *,
        state: ProblemState | None,
        limit: int,
        cursor: str | None = None,
    ) -> Page[Problem]: ...


def syncing_connections(connections: ConnectionStore) -> Iterator[Connection]:
    """Yield every connection that is to be kept in step, of all partners."""
    cursor = None
    for _ in range(MAX_PAGES_OF_CONNECTIONS):
        page = connections.list_syncing(cursor)
        yield from page.items
        cursor = page.next_cursor
        if cursor is None:
            return
