"""Problems in memory."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bridge.domain.problem import Problem, ProblemReport, ProblemState
from bridge.ports import Clock, Page
from bridge.store.cursors import Position
from bridge.store.keys import problem_index_keys, problem_listing_pk
from bridge.store.problems import MAX_OPEN_PROBLEMS, RESOLVED_PROBLEM_LIFE
from tests.fakes.pages import cut_page

_ORDER = (ProblemState.OPEN, ProblemState.RESOLVED)


class InMemoryProblemStore:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._problems: dict[tuple[str, str], Problem] = {}

    def report(self, report: ProblemReport, now: datetime) -> None:
        before = self.get(report.partner_id, report.problem_id)
        problem = before.seen_again(report.detail, now) if before else report.as_problem(now)
        self._problems[problem.partner_id, problem.problem_id] = problem

    def resolve(self, partner_id: str, problem_id: str, now: datetime) -> None:
        problem = self.get(partner_id, problem_id)
        if problem and problem.state is ProblemState.OPEN:
            self._problems[partner_id, problem_id] = problem.resolved(now)

    def get(self, partner_id: str, problem_id: str) -> Problem | None:
        problem = self._problems.get((partner_id, problem_id))
        return problem if problem and self._is_kept(problem) else None

    def open_of_connection(self, partner_id: str, connection_id: str) -> Mapping[str, Problem]:
        mine = [
            problem
            for (owner_id, _), problem in self._problems.items()
            if owner_id == partner_id and problem.connection_id == connection_id
            if problem.state is ProblemState.OPEN
        ]
        mine.sort(key=lambda problem: (problem.opened_at, problem.problem_id), reverse=True)
        return {problem.problem_id: problem for problem in mine[:MAX_OPEN_PROBLEMS]}

    def list(
        self,
        partner_id: str,
        *,
        state: ProblemState | None,
        limit: int,
        cursor: str | None = None,
    ) -> Page[Problem]:
        states = (state,) if state else _ORDER
        entries = [
            (Position(states.index(p.state), problem_index_keys(p)["gsi1sk"]), p)
            for p in self._of_partner(partner_id)
            if p.state in states
        ]
        pks = [problem_listing_pk(partner_id, each) for each in states]
        return cut_page(entries, *pks, limit=limit, cursor=cursor, is_descending=True)

    def _of_partner(self, partner_id: str) -> tuple[Problem, ...]:
        return tuple(
            problem
            for (owner_id, _), problem in self._problems.items()
            if owner_id == partner_id and self._is_kept(problem)
        )

    def _is_kept(self, problem: Problem) -> bool:
        over_at = problem.resolved_at and problem.resolved_at + RESOLVED_PROBLEM_LIFE
        return over_at is None or over_at > self._clock.now()
