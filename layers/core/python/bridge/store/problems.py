"""The store keeps problems in DynamoDB.

The same trouble always has the same id, so it is one item however often it is reported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from bridge.domain.errors import ConflictError
from bridge.domain.problem import MAX_OPEN_PROBLEMS, Problem, ProblemReport, ProblemState
from bridge.ports import EVERY_PROBLEM, Clock, Page, ProblemQuery, Stored
from bridge.store import keys
from bridge.store.attributes import Item
from bridge.store.codec import encode
from bridge.store.cursors import check_limit, read_cursor, write_cursor
from bridge.store.expiry import epoch_seconds, has_expired
from bridge.store.expressions import all_equal, version_is
from bridge.store.items import read_record, read_stored, record_item
from bridge.store.listing import read_chosen
from bridge.store.table import Range, Table

RESOLVED_PROBLEM_LIFE = timedelta(days=90)
MAX_ATTEMPTS = 8
_MAX_PAGES = 100


class DynamoProblemStore:
    """The operations table fulfils :class:`bridge.ports.ProblemStore`.

    Lists come from an index, which follows within moments.
    """

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def report(self, report: ProblemReport, now: datetime) -> None:
        for _ in range(MAX_ATTEMPTS):
            stored = self._get(report.partner_id, report.problem_id)
            before = stored.value
            problem = before.seen_again(report.detail, now) if before else report.as_problem(now)
            if self._save(problem, stored.version):
                return
        # Others keep counting the same trouble, so it is open; one count more adds nothing.

    def resolve(self, partner_id: str, problem_id: str, now: datetime) -> None:
        for _ in range(MAX_ATTEMPTS):
            stored = self._get(partner_id, problem_id)
            if stored.value is None or stored.value.state is not ProblemState.OPEN:
                return
            if self._save(stored.value.resolved(now), stored.version):
                return
        raise ConflictError("the problem keeps being reported")

    def get(self, partner_id: str, problem_id: str) -> Problem | None:
        return self._get(partner_id, problem_id).value

    def open_of_connection(self, partner_id: str, connection_id: str) -> Mapping[str, Problem]:
        wanted = Range(
            keys.problem_listing_pk(partner_id, ProblemState.OPEN),
            keys.FIRST,
            keys.LAST,
            keys.PARTNER_INDEX,
            is_descending=True,
            condition=all_equal({"data.connection_id": connection_id}),
        )
        problems: dict[str, Problem] = {}
        for item in self._table.walk(wanted, max_pages=_MAX_PAGES):
            problem = read_record(Problem, item)
            problems[problem.problem_id] = problem
            if len(problems) == MAX_OPEN_PROBLEMS:
                break
        return problems

    def list(
        self,
        partner_id: str,
        *,
        state: ProblemState | None,
        query: ProblemQuery = EVERY_PROBLEM,
        limit: int,
        cursor: str | None = None,
    ) -> Page[Problem]:
        check_limit(limit)
        states = (state,) if state else (ProblemState.OPEN, ProblemState.RESOLVED)
        pks = [keys.problem_listing_pk(partner_id, each) for each in states]
        low, high = keys.days_between(query.opened_from, query.opened_to)
        now = self._clock.now()

        def choose(items: Sequence[Item]) -> Sequence[Problem | None]:
            alive = [None if has_expired(each, now) else each for each in items]
            problems = [read_record(Problem, each) if each else None for each in alive]
            return [each if each and query.matches(each) else None for each in problems]

        chosen = read_chosen(
            self._table,
            [Range(pk, low, high, keys.PARTNER_INDEX, is_descending=True) for pk in pks],
            after=read_cursor(cursor, *pks, query),
            limit=limit,
            key_of=lambda problem_id: keys.problem_key(partner_id, problem_id),
            choose=choose,
            drops_many=query != EVERY_PROBLEM,
        )
        last = write_cursor(chosen.last, *pks, query)
        return Page(chosen.values, last, chosen.is_partial)

    def _get(self, partner_id: str, problem_id: str) -> Stored[Problem]:
        item = self._table.get(keys.problem_key(partner_id, problem_id))
        stored = read_stored(Problem, item)
        is_over = item is not None and has_expired(item, self._clock.now())
        return Stored(None, stored.version) if is_over else stored

    def _save(self, problem: Problem, expected_version: int) -> bool:
        """Write the problem; False when somebody else wrote it first."""
        try:
            self._table.put(
                _problem_item(problem, expected_version + 1), version_is(expected_version)
            )
        except ConflictError:
            return False
        return True


def _problem_item(problem: Problem, version: int) -> Item:
    item = record_item(
        keys.problem_key(problem.partner_id, problem.problem_id),
        keys.problem_index_keys(problem),
        version,
        encode(problem),
    )
    if problem.resolved_at:
        item["expires_at"] = epoch_seconds(problem.resolved_at + RESOLVED_PROBLEM_LIFE)
    return item
