"""The check tells whether ConnectWise's list was complete, by ConnectWise's own count."""

from __future__ import annotations

from dataclasses import replace

from bridge.domain.connection import Connection
from bridge.domain.errors import OutOfTimeError, TooHeavyError
from bridge.domain.identity import RecordKind
from bridge.domain.run import MAX_PAGE_SIZE, MAX_RECORDS, Run
from bridge.mirror.run_problems import RunProblems
from bridge.ports import Psa


class ListCheck:
    """The check compares a list with the count of the same conditions, when the list has ended.

    Records come and go while a run lists them for minutes or hours. So what differs is listed
    once more, ids alone and at one go, with the count right behind; a person is told only if that
    differs too.
    """

    def __init__(self, problems: RunProblems) -> None:
        self._problems = problems

    def compare(self, connection: Connection, psa: Psa, run: Run) -> Run:
        """Return the run with ConnectWise's count of the kind that it just listed.

        The run stays as it is where ConnectWise does not manage to count.
        """
        try:
            return self._compared(connection, psa, run)
        except (TooHeavyError, OutOfTimeError):
            return run

    def _compared(self, connection: Connection, psa: Psa, run: Run) -> Run:
        kind = run.step.record_kind
        counted = psa.count(kind, filters=connection.filters)
        comparison = replace(run.comparison(kind), counted=counted)
        run = run.with_comparison(kind, comparison)
        if comparison.is_complete:
            self._problems.count_agrees(run, kind)
            return run
        try:
            listed = self._list_again(connection, psa, kind)
            counted = psa.count(kind, filters=connection.filters)
        except (TooHeavyError, OutOfTimeError):
            return run
        second = replace(comparison, listed=listed, counted=counted)
        if second.is_complete:
            self._problems.count_agrees(run, kind)
        else:
            self._problems.count_differs(run, kind, second)
        return run

    def _list_again(self, connection: Connection, psa: Psa, kind: RecordKind) -> int:
        """Return the length of the whole list."""
        listed, after_id, size = 0, 0, MAX_PAGE_SIZE
        while listed <= MAX_RECORDS:
            page = psa.list_records(kind, after_id=after_id, limit=size, filters=connection.filters)
            listed += len(page.records) + len(page.broken_ids)
            if page.is_last:
                break
            after_id, size = page.last_id, page.managed_size
        return listed
