"""What every RunStore does: one slot a kind, limited windows, pages, watermarks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.domain.comparison import Comparison, DifferenceCounts
from bridge.domain.errors import (
    BridgeError,
    ConflictError,
    InvalidInputError,
    RunActiveError,
    WindowTakenError,
)
from bridge.domain.identity import RecordKind, new_id
from bridge.domain.run import RUN_LEASE, Counters, Run, RunKind, RunState
from bridge.domain.window import Window
from bridge.ports import Stored
from tests.builders.operations import a_run
from tests.builders.records import CONNECTION, OTHER_CONNECTION
from tests.contract.conftest import Stores
from tests.fakes.clock import START

WINDOW = Window(CONNECTION, RunKind.FETCH_NEW, taken_at=START)
HOUR = timedelta(hours=1)


def test_a_started_run_comes_back_at_version_1(stores: Stores) -> None:
    run = a_run(since=START - HOUR, customers=Counters(seen=3), vanished_invoices=(4, 5))
    stores.runs.start(run, WINDOW)
    assert stores.runs.get(CONNECTION, run.run_id) == Stored(run, 1)
    assert stores.runs.get(OTHER_CONNECTION, run.run_id) == Stored(None, 0)


def test_a_second_run_of_the_kind_is_told_which_one_is_going_on(stores: Stores) -> None:
    first, second = a_run(), a_run()
    stores.runs.start(first)
    with pytest.raises(RunActiveError) as refused:
        stores.runs.start(second)
    assert refused.value.run_id == first.run_id
    assert stores.runs.get(CONNECTION, second.run_id) == Stored(None, 0)


def test_other_kinds_and_other_connections_have_slots_of_their_own(stores: Stores) -> None:
    stores.runs.start(a_run())
    stores.runs.start(a_run(kind=RunKind.SWEEP))
    stores.runs.start(a_run(connection_id=OTHER_CONNECTION))


def test_a_taken_window_says_when_it_is_free_again(stores: Stores) -> None:
    first = a_run()
    stores.runs.start(first, WINDOW)
    finish(stores, first)
    again = replace(WINDOW, taken_at=START + timedelta(minutes=59))
    with pytest.raises(WindowTakenError) as refused:
        stores.runs.start(a_run(), again)
    assert refused.value.free_at == START + HOUR
    stores.runs.start(a_run(), replace(WINDOW, taken_at=START + HOUR))


def test_when_window_and_slot_are_taken_the_window_is_what_counts(stores: Stores) -> None:
    stores.runs.start(a_run(), WINDOW)
    with pytest.raises(WindowTakenError):
        stores.runs.start(a_run(), replace(WINDOW, taken_at=START + timedelta(minutes=1)))


def test_a_refused_start_takes_no_window(stores: Stores) -> None:
    stores.runs.start(a_run())
    with pytest.raises(RunActiveError):
        stores.runs.start(a_run(), WINDOW)
    stores.runs.start(a_run(kind=RunKind.SWEEP), WINDOW)


def test_a_run_id_is_used_once(stores: Stores) -> None:
    run = a_run()
    stores.runs.start(run)
    finish(stores, run)
    with pytest.raises(ConflictError):
        stores.runs.start(run)


def test_of_50_starts_at_once_exactly_one_wins(stores: Stores) -> None:
    runs = [a_run() for _ in range(50)]

    def start(run: Run) -> BridgeError | None:
        try:
            stores.runs.start(run, WINDOW)
        except BridgeError as error:
            return error
        return None

    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(start, runs))
    assert outcomes.count(None) == 1
    assert {type(outcome) for outcome in outcomes if outcome} <= {WindowTakenError, RunActiveError}
    assert len(stores.runs.list_of_connection(CONNECTION, limit=100).items) == 1


def test_an_ended_run_frees_its_slot(stores: Stores) -> None:
    run = a_run()
    stores.runs.start(run)
    finish(stores, run)
    stores.runs.start(a_run())


def test_a_stale_run_is_not_saved(stores: Stores) -> None:
    run = a_run()
    stores.runs.start(run)
    moved = run.advanced(last_id=7, is_last_page=False, now=START)
    assert stores.runs.save(moved, expected_version=1) == 2
    for stale in (0, 1, 3):
        with pytest.raises(ConflictError):
            stores.runs.save(run, expected_version=stale)
    assert stores.runs.get(CONNECTION, run.run_id) == Stored(moved, 2)


def test_a_run_that_has_not_moved_for_the_lease_gives_its_slot_up(stores: Stores) -> None:
    old, new = a_run(), a_run()
    stores.runs.start(old)
    stores.clock.advance(seconds=RUN_LEASE.total_seconds() - 1)
    with pytest.raises(RunActiveError):
        stores.runs.start(new)
    stores.clock.advance(seconds=1)
    stores.runs.start(new)
    overtaken = stores.runs.get(CONNECTION, old.run_id).value
    assert overtaken is not None
    assert overtaken.state is RunState.FAILED


def test_a_moving_run_keeps_its_slot(stores: Stores) -> None:
    run = a_run()
    stores.runs.start(run)
    stores.clock.advance(hours=1.5)
    stores.runs.save(run.advanced(last_id=7, is_last_page=False, now=START), expected_version=1)
    stores.clock.advance(hours=1.5)
    with pytest.raises(RunActiveError):
        stores.runs.start(a_run())


def test_a_run_that_waits_for_its_turn_keeps_its_slot(stores: Stores) -> None:
    run = a_run()
    stores.runs.start(run)
    stores.clock.advance(hours=1.5)
    stores.runs.keep_slot(run)
    stores.clock.advance(hours=1.5)
    with pytest.raises(RunActiveError):
        stores.runs.start(a_run())
    assert stores.runs.get(CONNECTION, run.run_id) == Stored(run, 1)


def test_a_slot_that_another_run_has_is_left_to_it(stores: Stores) -> None:
    old, new = a_run(), a_run()
    stores.runs.start(old)
    stores.clock.advance(seconds=RUN_LEASE.total_seconds())
    stores.runs.start(new)
    stores.runs.keep_slot(old)
    finish(stores, new)
    stores.runs.keep_slot(old)
    stores.runs.start(a_run())


def test_a_worker_that_wakes_up_after_its_run_lost_its_slot_writes_nothing(
    stores: Stores,
) -> None:
    old, new = a_run(), a_run()
    stores.runs.start(old)
    stores.clock.advance(hours=3)
    stores.runs.start(new)
    with pytest.raises(ConflictError):
        stores.runs.save(old.advanced(last_id=7, is_last_page=True, now=START), expected_version=1)
    with pytest.raises(RunActiveError) as refused:
        stores.runs.start(a_run())
    assert refused.value.run_id == new.run_id


def test_saving_an_ended_run_again_leaves_the_next_ones_slot_alone(stores: Stores) -> None:
    first, second = a_run(), a_run()
    stores.runs.start(first)
    finish(stores, first)
    stores.runs.start(second)
    ended = stores.runs.get(CONNECTION, first.run_id)
    assert ended.value is not None
    stores.runs.save(replace(ended.value, failure="seen"), expected_version=ended.version)
    with pytest.raises(RunActiveError):
        stores.runs.start(a_run())


def test_an_ended_run_does_not_go_on_without_a_slot(stores: Stores) -> None:
    run = a_run()
    stores.runs.start(run)
    finish(stores, run)
    with pytest.raises(ConflictError):
        stores.runs.save(replace(run, state=RunState.RUNNING), expected_version=2)


def test_a_withdrawn_start_leaves_nothing_behind(stores: Stores) -> None:
    run = a_run()
    stores.runs.start(run, WINDOW)
    stores.runs.withdraw(run, WINDOW)
    assert stores.runs.get(CONNECTION, run.run_id) == Stored(None, 0)
    assert stores.runs.list_of_connection(CONNECTION, limit=10).items == ()
    stores.runs.start(a_run(), WINDOW)


def test_withdrawing_twice_harms_nobody(stores: Stores) -> None:
    first, second = a_run(), a_run()
    stores.runs.start(first, WINDOW)
    stores.runs.withdraw(first, WINDOW)
    stores.runs.start(second, WINDOW)
    stores.runs.withdraw(first, WINDOW)
    assert stores.runs.get(CONNECTION, second.run_id).version == 1
    with pytest.raises(WindowTakenError):
        stores.runs.start(a_run(), WINDOW)


def test_a_run_that_a_worker_has_moved_is_not_withdrawn(stores: Stores) -> None:
    run = a_run()
    stores.runs.start(run, WINDOW)
    stores.runs.save(replace(run, state=RunState.RUNNING), expected_version=1)
    stores.runs.withdraw(run, WINDOW)
    assert stores.runs.get(CONNECTION, run.run_id).version == 2
    with pytest.raises(WindowTakenError):
        stores.runs.start(a_run(), WINDOW)


def test_runs_are_listed_latest_first_in_pages(stores: Stores) -> None:
    runs = [a_run(created_at=START + timedelta(minutes=i)) for i in (3, 1, 2, 5, 4)]
    for run in runs:
        stores.runs.start(run)
        finish(stores, run)
    stores.runs.start(a_run(connection_id=OTHER_CONNECTION))
    latest_first = sorted((run.created_at for run in runs), reverse=True)
    found: list[Run] = []
    cursor = None
    for _ in range(3):
        page = stores.runs.list_of_connection(CONNECTION, limit=2, cursor=cursor)
        found += page.items
        cursor = page.next_cursor
    assert cursor is None
    assert [run.created_at for run in found] == latest_first


def test_a_cursor_of_another_connections_runs_is_refused(stores: Stores) -> None:
    for _ in range(2):
        run = a_run()
        stores.runs.start(run)
        finish(stores, run)
    cursor = stores.runs.list_of_connection(CONNECTION, limit=1).next_cursor
    assert cursor is not None
    with pytest.raises(InvalidInputError):
        stores.runs.list_of_connection(OTHER_CONNECTION, limit=1, cursor=cursor)


def test_stalled_runs_are_those_that_neither_moved_nor_ended(stores: Stores) -> None:
    stalled, moving, ended = (
        a_run(kind=k) for k in (RunKind.SWEEP, RunKind.IMPORT, RunKind.INVOICES)
    )
    for run in (stalled, moving, ended):
        stores.runs.start(run)
    stores.clock.advance(minutes=30)
    stores.runs.save(replace(moving, state=RunState.RUNNING), expected_version=1)
    finish(stores, ended)
    assert stores.runs.list_stalled(CONNECTION, START + timedelta(minutes=20)) == (stalled,)
    assert stores.runs.list_stalled(CONNECTION, START - timedelta(seconds=1)) == ()


def test_an_overtaken_run_is_not_stalled(stores: Stores) -> None:
    stores.runs.start(a_run())
    stores.clock.advance(hours=3)
    new = a_run()
    stores.runs.start(new)
    assert stores.runs.list_stalled(CONNECTION, START + timedelta(hours=4)) == (new,)


def test_a_watermark_only_moves_forward(stores: Stores) -> None:
    kind = RecordKind.INVOICE
    assert stores.runs.get_watermark(CONNECTION, kind) is None
    stores.runs.set_watermark(CONNECTION, kind, START)
    stores.runs.set_watermark(CONNECTION, kind, START - HOUR)
    assert stores.runs.get_watermark(CONNECTION, kind) == START
    stores.runs.set_watermark(CONNECTION, kind, START + timedelta(microseconds=1))
    assert stores.runs.get_watermark(CONNECTION, kind) == START + timedelta(microseconds=1)


def test_a_run_that_took_later_changes_leaves_a_watermark_that_was_set_back(
    stores: Stores,
) -> None:
    kind, since = RecordKind.INVOICE, START - timedelta(minutes=10)
    stores.runs.set_watermark(CONNECTION, kind, START, taken_since=since)
    stores.runs.set_watermark(CONNECTION, kind, START + HOUR, taken_since=START)
    assert stores.runs.get_watermark(CONNECTION, kind) == START + HOUR
    stores.runs.set_watermark_back(CONNECTION, kind, START - HOUR)

    stores.runs.set_watermark(CONNECTION, kind, START + 2 * HOUR, taken_since=since)

    assert stores.runs.get_watermark(CONNECTION, kind) == START - HOUR
    stores.runs.set_watermark(CONNECTION, kind, START + 2 * HOUR)
    assert stores.runs.get_watermark(CONNECTION, kind) == START + 2 * HOUR


def test_a_watermark_is_set_back_and_never_forward_by_that(stores: Stores) -> None:
    kind = RecordKind.INVOICE
    stores.runs.set_watermark_back(CONNECTION, kind, START)
    assert stores.runs.get_watermark(CONNECTION, kind) is None
    stores.runs.set_watermark(CONNECTION, kind, START)
    stores.runs.set_watermark_back(CONNECTION, kind, START + HOUR)
    assert stores.runs.get_watermark(CONNECTION, kind) == START
    stores.runs.set_watermark_back(CONNECTION, kind, START - HOUR)
    assert stores.runs.get_watermark(CONNECTION, kind) == START - HOUR


def test_active_runs_are_those_that_go_on_one_of_a_kind(stores: Stores) -> None:
    going_on, ended, another = (
        a_run(kind=k) for k in (RunKind.SWEEP, RunKind.FETCH_NEW, RunKind.IMPORT)
    )
    for run in (going_on, ended, another):
        stores.runs.start(run)
    stores.runs.start(a_run(connection_id=OTHER_CONNECTION))
    finish(stores, ended)
    assert stores.runs.list_active(CONNECTION) == (another, going_on)
    finish(stores, another)
    assert stores.runs.list_active(CONNECTION) == (going_on,)


def test_a_compared_run_comes_back_as_it_was(stores: Stores) -> None:
    differing = DifferenceCounts(balance=1, missing_there=2)
    comparison = Comparison(compared=9, differing=differing, listed=8, counted=7)
    run = a_run(invoices_comparison=comparison, page_size=125)
    stores.runs.start(run)
    assert stores.runs.get(CONNECTION, run.run_id).value == run


def test_watermarks_are_apart_by_connection_and_kind(stores: Stores) -> None:
    stores.runs.set_watermark(CONNECTION, RecordKind.INVOICE, START)
    assert stores.runs.get_watermark(CONNECTION, RecordKind.CUSTOMER) is None
    assert stores.runs.get_watermark(OTHER_CONNECTION, RecordKind.INVOICE) is None


def test_a_run_that_is_not_there_is_nothing(stores: Stores) -> None:
    assert stores.runs.get(CONNECTION, new_id()) == Stored(None, 0)
    with pytest.raises(ConflictError):
        stores.runs.save(a_run(), expected_version=1)


def finish(stores: Stores, run: Run) -> None:
    """Save the run as succeeded, on its first version."""
    ended = replace(run, state=RunState.SUCCEEDED, finished_at=stores.clock.now())
    stores.runs.save(ended, expected_version=1)
