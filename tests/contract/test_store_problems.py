"""What every ProblemStore does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from bridge.domain.errors import InvalidInputError
from bridge.domain.problem import Problem, ProblemCode, ProblemState
from tests.builders.operations import a_problem_report
from tests.builders.records import CONNECTION, OTHER_CONNECTION, OTHER_PARTNER, PARTNER
from tests.contract.conftest import Stores
from tests.contract.walk import walk
from tests.fakes.clock import START

LATER = START + timedelta(minutes=5)


def test_trouble_opens_a_problem(stores: Stores) -> None:
    report = a_problem_report()
    stores.problems.report(report, START)
    assert stores.problems.get(PARTNER, report.problem_id) == report.as_problem(START)


def test_the_same_trouble_is_counted_on_the_open_problem(stores: Stores) -> None:
    report = a_problem_report()
    stores.problems.report(report, START)
    stores.problems.report(a_problem_report(detail="date is missing"), LATER)
    problem = stores.problems.get(PARTNER, report.problem_id)
    assert problem == report.as_problem(START).seen_again("date is missing", LATER)
    assert problem.times_seen == 2


def test_trouble_that_is_back_within_a_day_keeps_its_age(stores: Stores) -> None:
    # As a retry in vain: its cause is unchanged, and so is its place among the oldest problems
    report = a_problem_report()
    stores.problems.report(report, START)
    stores.problems.resolve(PARTNER, report.problem_id, LATER)
    stores.problems.report(report, LATER + timedelta(hours=24))
    problem = stores.problems.get(PARTNER, report.problem_id)
    assert problem is not None
    assert (problem.opened_at, problem.times_seen) == (START, 2)
    assert problem.resolved_at is None
    assert listed(stores, ProblemState.RESOLVED) == []


def test_a_resolved_problem_stays_to_be_read_and_opens_again(stores: Stores) -> None:
    report = a_problem_report()
    stores.problems.report(report, START)
    stores.problems.resolve(PARTNER, report.problem_id, LATER)
    assert stores.problems.get(PARTNER, report.problem_id) == report.as_problem(START).resolved(
        LATER
    )
    assert listed(stores, ProblemState.OPEN) == []
    much_later = LATER + timedelta(hours=24, seconds=1)
    stores.problems.report(report, much_later)
    assert stores.problems.get(PARTNER, report.problem_id) == report.as_problem(much_later)
    assert listed(stores, ProblemState.RESOLVED) == []


def test_resolving_what_is_not_open_does_nothing(stores: Stores) -> None:
    report = a_problem_report()
    stores.problems.resolve(PARTNER, report.problem_id, START)
    assert stores.problems.get(PARTNER, report.problem_id) is None
    stores.problems.report(report, START)
    stores.problems.resolve(PARTNER, report.problem_id, START)
    stores.problems.resolve(PARTNER, report.problem_id, LATER)
    problem = stores.problems.get(PARTNER, report.problem_id)
    assert problem is not None
    assert problem.resolved_at == START


def test_resolved_problems_are_forgotten_after_90_days(stores: Stores) -> None:
    report = a_problem_report()
    stores.problems.report(report, START)
    stores.problems.resolve(PARTNER, report.problem_id, START)
    stores.clock.advance(hours=24 * 90 - 1)
    assert stores.problems.get(PARTNER, report.problem_id) is not None
    stores.clock.advance(hours=1)
    assert stores.problems.get(PARTNER, report.problem_id) is None
    assert listed(stores, None) == []
    stores.problems.report(report, stores.clock.now())
    assert stores.problems.get(PARTNER, report.problem_id) is not None


def test_open_problems_of_one_connection_are_found_by_their_ids(stores: Stores) -> None:
    mine, resolved = a_problem_report("invoice/1"), a_problem_report("invoice/2")
    others = [
        a_problem_report("invoice/1", connection_id=OTHER_CONNECTION),
        a_problem_report("invoice/1", partner_id=OTHER_PARTNER),
    ]
    for report in (mine, resolved, *others):
        stores.problems.report(report, START)
    stores.problems.resolve(PARTNER, resolved.problem_id, START)
    found = stores.problems.open_of_connection(PARTNER, CONNECTION)
    assert found == {mine.problem_id: mine.as_problem(START)}


def test_no_partner_sees_or_resolves_another_ones_problems(stores: Stores) -> None:
    report = a_problem_report()
    stores.problems.report(report, START)
    assert stores.problems.get(OTHER_PARTNER, report.problem_id) is None
    stores.problems.resolve(OTHER_PARTNER, report.problem_id, START)
    assert listed(stores, ProblemState.OPEN) == [report.problem_id]
    assert stores.problems.list(OTHER_PARTNER, state=None, limit=10).items == ()


def test_open_problems_are_listed_before_resolved_ones_and_latest_first(stores: Stores) -> None:
    write_back_problems = [a_problem_report(f"invoice/{i}") for i in range(6)]
    for minute, report in enumerate(write_back_problems):
        stores.problems.report(report, START + timedelta(minutes=minute))
    for report in write_back_problems[4:]:
        stores.problems.resolve(PARTNER, report.problem_id, LATER)
    ids = [report.problem_id for report in write_back_problems]
    expected = [ids[3], ids[2], ids[1], ids[0], ids[5], ids[4]]
    assert listed(stores, None) == expected
    assert listed(stores, None, limit=1) == expected
    assert listed(stores, ProblemState.OPEN, limit=3) == expected[:4]
    assert listed(stores, ProblemState.RESOLVED) == expected[4:]


def test_a_cursor_of_another_state_or_partner_is_refused(stores: Stores) -> None:
    for number in range(2):
        stores.problems.report(a_problem_report(f"invoice/{number}"), START)
    cursor = stores.problems.list(PARTNER, state=ProblemState.OPEN, limit=1).next_cursor
    assert cursor is not None
    with pytest.raises(InvalidInputError):
        stores.problems.list(PARTNER, state=ProblemState.RESOLVED, limit=1, cursor=cursor)
    with pytest.raises(InvalidInputError):
        stores.problems.list(OTHER_PARTNER, state=ProblemState.OPEN, limit=1, cursor=cursor)


def test_trouble_reported_by_many_at_once_is_one_problem(stores: Stores) -> None:
    report = a_problem_report(code=ProblemCode.CREDENTIALS_REJECTED, subject="connection")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: stores.problems.report(report, START), range(40)))
    problem = stores.problems.get(PARTNER, report.problem_id)
    assert isinstance(problem, Problem)
    assert 1 <= problem.times_seen <= 40
    assert listed(stores, None) == [report.problem_id]


def listed(stores: Stores, state: ProblemState | None, *, limit: int = 100) -> list[str]:
    problems = walk(lambda c: stores.problems.list(PARTNER, state=state, limit=limit, cursor=c))
    return [problem.problem_id for problem in problems]
