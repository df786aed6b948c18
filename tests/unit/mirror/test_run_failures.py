"""What a run does when ConnectWise does not do its part: wait, give up, say why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.connections.silent_servers import LONGEST_WAIT
from bridge.domain.connection import ConnectionState
from bridge.domain.errors import (
    BridgeError,
    ConflictError,
    CredentialsRejectedError,
    OutcomeUnknownError,
    PermissionMissingError,
    RefusedError,
    ThrottledError,
    UnavailableError,
    UnsafeAddressError,
)
from bridge.domain.problem import ProblemCode
from bridge.domain.run import MAX_ATTEMPTS_PER_PAGE, RunKind, RunState
from tests.builders.records import CONNECTION
from tests.unit.mirror.bench import TWO_PAGES, Bench, fill


def rest(bench: Bench) -> None:
    """Let so much time pass that a silent server is asked again."""
    bench.clock.advance(seconds=LONGEST_WAIT.total_seconds())


def waits(bench: Bench, error: BridgeError, tries: int) -> list[float]:
    """Let a page fail so often; return the seconds before each next try."""
    fill(bench)
    bench.psa.fail("list_records", error, times=tries)
    run = bench.starter.start(bench.connection, RunKind.INVOICES)
    delays = []
    for _ in range(tries):
        bench.run_queue.waiting.clear()
        rest(bench)
        bench.work_once(run)
        due_at = bench.run_queue.next_due_at()
        assert due_at is not None
        delays.append((due_at - bench.clock.now()).total_seconds())
    return delays


@pytest.mark.parametrize(
    "error", [UnavailableError("down"), OutcomeUnknownError("cut off"), ConflictError("moved")]
)
def test_waits_grow_with_each_failed_try_up_to_a_limit(bench: Bench, error: BridgeError) -> None:
    assert waits(bench, error, 12) == [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]


def test_a_wait_that_connectwise_asked_for_is_kept(bench: Bench) -> None:
    assert waits(bench, ThrottledError("wait", retry_after_seconds=90), 1) == [90]


def test_no_wait_is_longer_than_the_queue_can_hold_a_message_back(bench: Bench) -> None:
    assert waits(bench, ThrottledError("wait", retry_after_seconds=4000), 1) == [900]


def test_a_page_that_succeeds_forgets_its_failed_tries(bench: Bench) -> None:
    fill(bench, TWO_PAGES)
    bench.psa.fail("list_records", UnavailableError("down"), times=3)
    run = bench.starter.start(bench.connection, RunKind.INVOICES)
    tries = []
    for _ in range(4):
        rest(bench)
        tries.append(bench.work_once(run).attempts)

    assert tries == [1, 2, 3, 0]


def test_a_run_that_failed_too_often_ends_with_a_problem_and_frees_its_place(bench: Bench) -> None:
    fill(bench)
    bench.psa.fail("list_records", UnavailableError("down"), times=MAX_ATTEMPTS_PER_PAGE)

    run = bench.run(RunKind.INVOICES)

    assert (run.state, run.failure) == (RunState.FAILED, "UnavailableError")
    assert (ProblemCode.RUN_FAILED, "run/invoices") in bench.open_problems()
    assert bench.run(RunKind.INVOICES).state is RunState.SUCCEEDED


def test_a_run_that_succeeds_closes_the_problem_of_the_one_that_failed(bench: Bench) -> None:
    fill(bench)
    bench.psa.fail("list_records", UnavailableError("down"), times=MAX_ATTEMPTS_PER_PAGE)
    bench.run(RunKind.INVOICES)

    bench.run(RunKind.INVOICES)

    assert bench.open_problems() == {}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CredentialsRejectedError("no"), ProblemCode.CREDENTIALS_REJECTED),
        (PermissionMissingError("no"), ProblemCode.RIGHT_MISSING),
    ],
)
def test_a_connection_that_is_turned_away_is_degraded(
    bench: Bench, error: BridgeError, code: ProblemCode
) -> None:
    fill(bench)
    bench.psa.fail("list_records", error)

    run = bench.run(RunKind.INVOICES)

    assert run.state is RunState.FAILED
    assert bench.connection.state is ConnectionState.DEGRADED
    assert {problem for problem, _ in bench.open_problems()} == {code, ProblemCode.RUN_FAILED}


@pytest.mark.parametrize(
    "error", [RefusedError("InvalidField"), UnsafeAddressError("private")], ids=repr
)
def test_a_failure_that_will_not_pass_ends_the_run_at_once(
    bench: Bench, error: BridgeError
) -> None:
    """Else a person would wait for hours to see it, until the queue gives up."""
    fill(bench)
    bench.psa.fail("list_records", error)

    run = bench.run(RunKind.INVOICES)

    assert (run.state, run.failure) == (RunState.FAILED, type(error).__name__)
    assert set(bench.open_problems()) == {(ProblemCode.RUN_FAILED, "run/invoices")}
    assert bench.connection.state is ConnectionState.ACTIVE


def test_a_degraded_connection_goes_on_syncing_what_it_can(bench: Bench) -> None:
    fill(bench)
    bench.change_connection(state=ConnectionState.DEGRADED)

    assert bench.run(RunKind.INVOICES).invoices.created == 3


@pytest.mark.parametrize("state", [ConnectionState.DISCONNECTED, ConnectionState.VERIFYING])
def test_runs_of_a_connection_that_does_not_sync_are_cancelled(
    bench: Bench, state: ConnectionState
) -> None:
    fill(bench)
    run = bench.starter.start(bench.connection, RunKind.INVOICES)
    bench.change_connection(state=state)

    finished = bench.finish(run)

    assert finished.state is RunState.CANCELLED
    assert bench.psa.calls == []


def test_a_run_that_a_person_cancelled_does_no_more_pages(bench: Bench) -> None:
    fill(bench, TWO_PAGES)
    run = bench.starter.start(bench.connection, RunKind.INVOICES)
    bench.work_once(run)
    stored = bench.runs.get(CONNECTION, run.run_id)
    assert stored.value is not None
    cancelled = replace(stored.value, state=RunState.CANCELLED)
    bench.runs.save(cancelled, expected_version=stored.version)

    assert bench.finish(run).invoices.seen == 1000


def test_a_run_that_was_taken_over_meanwhile_stays_as_the_other_left_it(bench: Bench) -> None:
    fill(bench)
    run = bench.starter.start(bench.connection, RunKind.INVOICES)

    def the_place_is_lost() -> None:
        bench.clock.advance(hours=3)
        bench.starter.start(bench.connection, RunKind.INVOICES)

    bench.psa.meanwhile("list_records", the_place_is_lost)
    after = bench.work_once(run)

    assert (after.state, after.failure) == (RunState.FAILED, "stalled")


def test_an_outage_is_one_problem_for_all_scheduled_runs(bench: Bench) -> None:
    # Given a ConnectWise that answers nothing for hours, while schedules go on
    fill(bench)
    down = 4 * MAX_ATTEMPTS_PER_PAGE
    bench.psa.fail("list_records", UnavailableError("down"), times=3 * MAX_ATTEMPTS_PER_PAGE)
    bench.psa.fail("read_system_info", UnavailableError("down"), times=down)

    runs = [bench.run(kind) for kind in (RunKind.CUSTOMERS, RunKind.INVOICES, RunKind.SWEEP)]

    # Then each run failed, and one problem counts them
    assert {run.state for run in runs} == {RunState.FAILED}
    (problem,) = bench.open_problems().values()
    assert (problem.code, problem.times_seen) == (ProblemCode.CONNECTWISE_UNREACHABLE, 3)


def test_the_problem_of_an_outage_ends_with_the_next_run(bench: Bench) -> None:
    fill(bench)
    bench.psa.fail("list_records", UnavailableError("down"), times=MAX_ATTEMPTS_PER_PAGE)
    bench.psa.fail("read_system_info", UnavailableError("down"))
    bench.run(RunKind.INVOICES)

    bench.run(RunKind.INVOICES)

    assert bench.open_problems() == {}


def test_a_list_that_fails_alone_is_the_runs_own_problem(bench: Bench) -> None:
    fill(bench)
    bench.psa.fail("list_records", UnavailableError("down"), times=MAX_ATTEMPTS_PER_PAGE)
    bench.run(RunKind.INVOICES)
    assert {code for code, _ in bench.open_problems()} == {ProblemCode.RUN_FAILED}


def test_an_import_that_meets_an_outage_waits_for_a_person(bench: Bench) -> None:
    bench.psa.fail("count", UnavailableError("down"), times=MAX_ATTEMPTS_PER_PAGE)
    bench.psa.fail("read_system_info", UnavailableError("down"), times=9)
    bench.run(RunKind.IMPORT)
    assert {code for code, _ in bench.open_problems()} == {ProblemCode.RUN_FAILED}
