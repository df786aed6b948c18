"""The check tells whether ConnectWise's list was complete, by ConnectWise's own count."""

from __future__ import annotations

from dataclasses import replace

from bridge.domain.comparison import Comparison
from bridge.domain.connection import Connection
from bridge.domain.errors import (
    NotFoundError,
    PermissionMissingError,
    RefusedError,
    RetryableError,
)
from bridge.domain.run import MAX_RECORDS, Run, next_page_size
from bridge.mirror.run_problems import RunProblems
from bridge.ports import Psa

_NO_COUNT = (RetryableError, NotFoundError, PermissionMissingError, RefusedError)


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

        The run stays as it is where ConnectWise does not manage to count: a count only explains.
        """
        kind = run.step.record_kind
        if not run.comparison(kind).unreadable_rows:
            self._problems.rows_readable(run, kind)
        try:
            counted = psa.count(kind, filters=connection.filters)
        except _NO_COUNT:
            return run
        comparison = replace(run.comparison(kind), counted=counted)
        run = run.with_comparison(kind, comparison)
        if not comparison.is_complete:
            try:
                comparison = self._compared_again(connection, psa, run)
            except _NO_COUNT:
                return run
        if comparison.is_complete:
            self._problems.count_agrees(run, kind)
        else:
            self._problems.count_differs(run, kind, comparison)
        return run

    def _compared_again(self, connection: Connection, psa: Psa, run: Run) -> Comparison:
        """Return the comparison with the lengths of the whole list and of its count, both new."""
        kind, filters = run.step.record_kind, connection.filters
        listed, after_id, size = 0, 0, run.page_size
        while listed <= MAX_RECORDS:
            page = psa.list_records(kind, after_id=after_id, limit=size, filters=filters)
            listed += page.row_count
            if page.is_last:
                break
            after_id, size = page.last_id, next_page_size(size, page.managed_size)
        counted = psa.count(kind, filters=filters)
        return replace(run.comparison(kind), listed=listed, counted=counted)
