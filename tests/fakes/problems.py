"""Problems in memory."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from bridge.domain.problem import MAX_OPEN_PROBLEMS, Problem, ProblemReport, ProblemState
from bridge.ports import EVERY_PROBLEM, Clock, Page, ProblemQuery
from bridge.store.cursors import Position
from bridge.store.keys import problem_index_keys, problem_listing_pk
from bridge.store.problems import RESOLVED_PROBLEM_LIFE
from tests.fakes.pages import cut_page

_ORDER = (ProblemState.OPEN, ProblemState.RESOLVED)


class InMemoryProblemStore:
    """Keeps problems by partner and id; lists of open ones are kept until a problem changes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._problems: dict[tuple[str, str], Problem] = {}
        self._open: dict[tuple[str, str], Mapping[str, Problem]] = {}

    def report(self, report: ProblemReport, now: datetime) -> None:
        before = self.get(report.partner_id, report.problem_id)
        problem = before.seen_again(report.detail, now) if before else report.as_problem(now)
        self._put(problem)

    def resolve(self, partner_id: str, problem_id: str, now: datetime) -> None:
        problem = self.get(partner_id, problem_id)
        if problem and problem.state is ProblemState.OPEN:
            self._put(problem.resolved(now))

    def get(self, partner_id: str, problem_id: str) -> Problem | None:
        problem = self._problems.get((partner_id, problem_id))
        return problem if problem and self._is_kept(problem) else None

    def open_of_connection(self, partner_id: str, connection_id: str) -> Mapping[str, Problem]:
        listed = self._open.get((partner_id, connection_id))
        if listed is None:
            listed = MappingProxyType(self._open_now(partner_id, connection_id))
            self._open[partner_id, connection_id] = listed
        return listed

    def list(
        self,
        partner_id: str,
        *,
        state: ProblemState | None,
        query: ProblemQuery = EVERY_PROBLEM,
        limit: int,
        cursor: str | None = None,
    ) -> Page[Problem]:
        states = (state,) if state else _ORDER
        entries = [
            (Position(states.index(p.state), problem_index_keys(p)["gsi1sk"]), p)
            for p in self._of_partner(partner_id)
            if p.state in states and query.matches(p)
        ]
        pks = [problem_listing_pk(partner_id, each) for each in states]
        return cut_page(entries, *pks, query, limit=limit, cursor=cursor, is_descending=True)

    def _put(self, problem: Problem) -> None:
        self._problems[problem.partner_id, problem.problem_id] = problem
        self._open.clear()

    def _open_now(self, partner_id: str, connection_id: str) -> dict[str, Problem]:
        mine = [
            problem
            for (owner_id, _), problem in self._problems.items()
            if owner_id == partner_id and problem.connection_id == connection_id
            if problem.state is ProblemState.OPEN
        ]
        mine.sort(key=lambda problem: (problem.opened_at, problem.problem_id), reverse=True)
        return {problem.problem_id: problem for problem in mine[:MAX_OPEN_PROBLEMS]}

    def _of_partner(self, partner_id: str) -> tuple[Problem, ...]:
        return tuple(
            problem
            for (owner_id, _), problem in self._problems.items()
            if owner_id == partner_id and self._is_kept(problem)
        )

    def _is_kept(self, problem: Problem) -> bool:
        over_at = problem.resolved_at and problem.resolved_at + RESOLVED_PROBLEM_LIFE
        return over_at is None or over_at > self._clock.now()
