"""Starting runs: one of a kind at a time, limited ones only so often."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest

from bridge.domain.errors import RunActiveError, UnavailableError, WindowTakenError
from bridge.domain.run import RUN_LEASE, RunKind, RunState
from bridge.domain.window import FETCH_NEW_REACH, WINDOW_LENGTHS
from bridge.domain.work_messages import RunMessage
from tests.builders.records import CONNECTION, a_customer
from tests.fakes.clock import START
from tests.unit.mirror.bench import Bench

MANUAL = (RunKind.FETCH_NEW, RunKind.FETCH_UNPAID)
SIMULTANEOUS = 50


def test_a_run_is_stored_and_a_worker_asked_for_its_first_page(bench: Bench) -> None:
    run = bench.starter.start(bench.connection, RunKind.IMPORT)

    assert bench.stored_run(run) == run
    assert (run.state, run.created_at) == (RunState.QUEUED, START)
    assert bench.run_queue.take_due() == [RunMessage(CONNECTION, run.run_id, 0)]


def test_a_second_run_of_a_kind_has_to_wait_for_the_first(bench: Bench) -> None:
    first = bench.starter.start(bench.connection, RunKind.IMPORT)

    with pytest.raises(RunActiveError) as raised:
        bench.starter.start(bench.connection, RunKind.IMPORT)

    assert raised.value.run_id == first.run_id
    assert len(bench.run_queue.sent) == 1


def test_runs_of_different_kinds_go_side_by_side(bench: Bench) -> None:
    for kind in RunKind:
        bench.starter.start(bench.connection, kind)


def test_an_ended_run_makes_room(bench: Bench) -> None:
    bench.run(RunKind.IMPORT)

    assert bench.run(RunKind.IMPORT).state is RunState.SUCCEEDED


def test_a_run_that_has_not_moved_for_long_gives_its_place_up(bench: Bench) -> None:
    stuck = bench.starter.start(bench.connection, RunKind.IMPORT)
    bench.clock.advance(seconds=RUN_LEASE.total_seconds())

    bench.starter.start(bench.connection, RunKind.IMPORT)

    assert bench.stored_run(stuck).state is RunState.FAILED


# --- manual fetches -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", MANUAL)
def test_of_many_simultaneous_clicks_one_starts_a_run(bench: Bench, kind: RunKind) -> None:
    all_at_once = Barrier(SIMULTANEOUS)

    def click(_: int) -> str:
        all_at_once.wait()
        try:
            bench.manual_fetch.start(bench.connection, kind)
        except WindowTakenError:
            return "refused"
        return "started"

    with ThreadPoolExecutor(SIMULTANEOUS) as pool:
        answers = Counter(pool.map(click, range(SIMULTANEOUS)))

    assert answers == {"started": 1, "refused": SIMULTANEOUS - 1}
    assert len(bench.run_queue.sent) == 1


@pytest.mark.parametrize(
    ("kind", "length"),
    [(RunKind.FETCH_NEW, timedelta(hours=1)), (RunKind.FETCH_UNPAID, timedelta(hours=12))],
)
def test_a_manual_fetch_is_free_again_after_its_window(
    bench: Bench, kind: RunKind, length: timedelta
) -> None:
    assert WINDOW_LENGTHS[kind] == length
    run, window = bench.manual_fetch.start(bench.connection, kind)
    assert window.free_at == START + length
    bench.finish(run)

    bench.clock.advance(seconds=(window.free_at - bench.clock.now()).total_seconds() - 1)
    with pytest.raises(WindowTakenError) as raised:
        bench.manual_fetch.start(bench.connection, kind)
    assert raised.value.free_at == window.free_at

    bench.clock.advance(seconds=1)
    bench.manual_fetch.start(bench.connection, kind)


def test_the_windows_do_not_touch_each_other(bench: Bench) -> None:
    for kind in MANUAL:
        bench.manual_fetch.start(bench.connection, kind)


@pytest.mark.parametrize("kind", MANUAL)
def test_a_run_that_could_not_be_queued_gives_its_window_back(bench: Bench, kind: RunKind) -> None:
    bench.run_queue.error = UnavailableError("SQS is down")
    with pytest.raises(UnavailableError):
        bench.manual_fetch.start(bench.connection, kind)
    assert bench.runs.list_of_connection(CONNECTION, limit=10).items == ()

    bench.run_queue.error = None
    run, _ = bench.manual_fetch.start(bench.connection, kind)
    assert bench.finish(run).state is RunState.SUCCEEDED


def test_a_refused_click_leaves_nothing_behind(bench: Bench) -> None:
    bench.manual_fetch.start(bench.connection, RunKind.FETCH_NEW)
    with pytest.raises(WindowTakenError):
        bench.manual_fetch.start(bench.connection, RunKind.FETCH_NEW)

    assert len(bench.runs.list_of_connection(CONNECTION, limit=10).items) == 1


def test_fetch_new_asks_a_server_whose_clock_is_behind_for_its_own_last_hour(bench: Bench) -> None:
    behind = replace(bench.connection, clock_seconds_ahead=-3 * 3600)

    run, _ = bench.manual_fetch.start(behind, RunKind.FETCH_NEW)

    assert run.since == START - timedelta(hours=3) - FETCH_NEW_REACH


def test_fetch_new_asks_for_the_last_hour(bench: Bench) -> None:
    bench.psa.put(a_customer())

    run, _ = bench.manual_fetch.start(bench.connection, RunKind.FETCH_NEW)

    assert run.since == START - FETCH_NEW_REACH


def test_fetch_unpaid_asks_for_every_invoice(bench: Bench) -> None:
    run, _ = bench.manual_fetch.start(bench.connection, RunKind.FETCH_UNPAID)

    assert run.since is None
