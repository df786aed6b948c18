"""A job of several steps keeps its place between them, and one worker at a time is at it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bridge.domain.job import Job


@dataclass(frozen=True, slots=True)
class JobTurn:
    """A turn tells where a connection's job goes on, and for which message."""

    connection_id: str
    job: Job
    token: str
    """It is new with every change."""
    message_token: str
    """The message that asks for the next step shows it."""
    held_until: datetime
    """A worker is at the step until then at the longest."""
    planned_at: datetime
    """The connection's moment for which the job began."""
    since: datetime
    """The job stands for the time from then to its moment."""
    cursor: str | None = None
    """The place where the next step goes on. None marks a job that ended late: the next one stands
    for the time since its moment."""


class JobTurns(Protocol):
    """The turns of jobs are kept from a second step on; most jobs have one step alone."""

    def get(self, connection_id: str, job: Job) -> JobTurn | None: ...

    def put(self, turn: JobTurn, *, replaces: str | None) -> bool:
        """Keep a turn in place of the one with this token; for None, only as the first.

        Return whether it is kept: another worker may have been faster.
        """
        ...

    def end(self, turn: JobTurn) -> None:
        """Forget the turn if its token still stands."""
        ...
