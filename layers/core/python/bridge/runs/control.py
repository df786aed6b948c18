"""Runs are stopped here, and an import is started in place of one that goes on."""

from __future__ import annotations

from contextlib import suppress

from bridge.domain.connection import Connection
from bridge.domain.errors import (
    ConflictError,
    NotFoundError,
    NotPossibleError,
    RunActiveError,
)
from bridge.domain.identity import is_platform_id
from bridge.domain.run import CancelReason, Run, RunKind, RunState
from bridge.ports import Clock, RunStore, until_saved
from bridge.runs.start import RunStarter

MAX_RESTARTS = 5


class RunControl:
    """A person controls runs here; the caller has checked that the connection is theirs."""

    def __init__(self, runs: RunStore, starter: RunStarter, clock: Clock) -> None:
        self._runs = runs
        self._starter = starter
        self._clock = clock

    def get(self, connection_id: str, run_id: str) -> Run:
        """Return the run. Raises NotFoundError when the connection lacks it."""
        return self._read_existing(connection_id, run_id)[0]

    def cancel(
        self, connection_id: str, run_id: str, reason: CancelReason = CancelReason.BY_PERSON
    ) -> Run:
        """End the run after the page that is being worked on; stored records stay.

        Raises NotFoundError, NotPossibleError when it has ended by itself, and ConflictError
        when workers kept writing it in between.
        """

        def cancelled(run: Run) -> Run:
            if run.state is RunState.CANCELLED:
                return run
            if run.has_ended:
                raise NotPossibleError("run_ended", "The run has ended already.")
            return run.cancelled(reason, self._clock.now())

        return until_saved(
            read=lambda: self._read_existing(connection_id, run_id),
            change=cancelled,
            save=lambda run, version: self._runs.save(run, expected_version=version),
        )

    def restart_import(self, connection: Connection) -> Run:
        """Start an import; one that is going on is cancelled, for it began under other filters."""
        for _ in range(MAX_RESTARTS):
            try:
                return self._starter.start(connection, RunKind.IMPORT)
            except RunActiveError as active:
                self._cancel_if_active(
                    connection.connection_id, active.run_id, CancelReason.REPLACED
                )
        raise ConflictError("another import keeps being started")

    def ensure_import(self, connection: Connection) -> None:
        """Start an import unless one is going on.

        A connection that waits for its import would wait for ever when the set-up broke off
        before it, or when it failed or was cancelled.
        """
        with suppress(RunActiveError):
            self._starter.start(connection, RunKind.IMPORT)

    def cancel_all(self, connection: Connection) -> None:
        """Cancel the connection's active runs, because it is disconnected."""
        for run in self._runs.list_active(connection.connection_id):
            self._cancel_if_active(connection.connection_id, run.run_id, CancelReason.DISCONNECTED)

    def _read_existing(self, connection_id: str, run_id: str) -> tuple[Run, int]:
        stored = self._runs.get(connection_id, run_id) if is_platform_id(run_id) else None
        if stored is None or stored.value is None:
            raise NotFoundError("no such run")
        return stored.value, stored.version

    def _cancel_if_active(self, connection_id: str, run_id: str, reason: CancelReason) -> None:
        try:
            self.cancel(connection_id, run_id, reason)
        except (NotFoundError, NotPossibleError):
            return
