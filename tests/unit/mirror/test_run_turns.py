"""A run's page takes its turn: it waits without being tried, and gives its place back in time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bridge.connections.silent_servers import FIRST_WAIT
from bridge.connections.site_turns import (
    LONGEST_PUT_OFF_SECONDS,
    PLACES_OF_A_PARTNER,
    STEP_LIFE,
    STEP_SECONDS,
)
from bridge.domain.errors import (
    BridgeError,
    KeptWaitingError,
    OutOfTimeError,
    RunActiveError,
    TooLargeError,
    UnavailableError,
)
from bridge.domain.identity import RecordKind
from bridge.domain.run import MAX_PAGE_SIZE, RUN_LEASE, Run, RunKind, RunState
from bridge.ports import Activity, ListedPage, Place
from bridge.runs.schedule import STALLED_AFTER
from tests.builders.records import CONNECTION, OTHER_PARTNER, PARTNER
from tests.fakes.clock import START
from tests.unit.mirror.bench import Bench, fill, message_of

BATCH = 190


def hold_places(bench: Bench, partner_id: str = PARTNER) -> list[Place]:
    """Let other workers hold the partner's places for hours."""
    until = bench.clock.now() + timedelta(hours=9)
    places = [
        bench.partner_places.take(
            partner_id, Activity.RUN_STEP, places=PLACES_OF_A_PARTNER, until=until
        )
        for _ in range(PLACES_OF_A_PARTNER)
    ]
    return [place for place in places if place]


def work_message(bench: Bench) -> float:
    """Work off the one message when it is due; return the wait of the next one."""
    due_at = bench.run_queue.next_due_at()
    assert due_at is not None
    bench.clock.advance(seconds=(due_at - bench.clock.now()).total_seconds())
    (message,) = bench.run_queue.take_due()
    bench.run_worker.work(message)
    due_at = bench.run_queue.next_due_at()
    assert due_at is not None
    return (due_at - bench.clock.now()).total_seconds()


def started(bench: Bench, kind: RunKind = RunKind.INVOICES) -> Run:
    return bench.starter.start(bench.connection, kind)


# --- waiting for a place -----------------------------------------------------------------------


def test_without_a_place_nothing_is_asked_and_the_page_comes_again_later_each_time(
    bench: Bench,
) -> None:
    fill(bench)
    run = started(bench)
    places = hold_places(bench)

    waits = [work_message(bench) for _ in range(8)]

    assert bench.psa.calls == []
    assert bench.stored_run(run).attempts == 0
    assert all(2 <= wait <= LONGEST_PUT_OFF_SECONDS for wait in waits)
    assert waits[0] <= 5
    assert waits[-1] >= 30
    assert [message.times_put_off for message in bench.run_queue.sent] == list(range(9))
    # And when a place is free, the run ends well
    bench.partner_places.release(places[0])
    assert bench.finish(run).state is RunState.SUCCEEDED
    assert bench.run_queue.sent[-1].times_put_off == 8


def test_a_run_that_waits_for_hours_stands_still_for_nobody(bench: Bench) -> None:
    fill(bench)
    run = started(bench)
    hold_places(bench)

    waited_until = bench.clock.now() + 2 * RUN_LEASE
    while bench.clock.now() < waited_until:
        work_message(bench)

    assert bench.runs.list_stalled(CONNECTION, bench.clock.now() - STALLED_AFTER) == ()
    with pytest.raises(RunActiveError):
        started(bench)
    assert not bench.stored_run(run).has_ended
    assert len(bench.run_queue.waiting) == 1


def test_waiting_moves_no_run_that_another_worker_is_at(bench: Bench) -> None:
    """A message may come twice: the second one finds no place, and leaves the first its page."""
    fill(bench)
    run = started(bench)

    def the_same_message_comes_again() -> None:
        hold_places(bench)
        bench.run_worker.work(message_of(run))

    bench.psa.meanwhile("list_records", the_same_message_comes_again)
    assert bench.work_once(run).state is RunState.SUCCEEDED


def test_another_partners_places_are_his_own(bench: Bench) -> None:
    fill(bench)
    hold_places(bench, OTHER_PARTNER)
    assert bench.run(RunKind.INVOICES).state is RunState.SUCCEEDED


def test_a_place_is_held_while_the_page_is_done_and_given_back(bench: Bench) -> None:
    fill(bench)
    held: list[timedelta] = []

    def look() -> None:
        held.extend(until - bench.clock.now() for _, until in bench.partner_places.held.values())

    bench.psa.meanwhile("list_records", look)
    bench.run(RunKind.INVOICES)

    assert held == [STEP_LIFE]
    assert bench.partner_places.held == {}


# --- servers that do not answer ----------------------------------------------------------------


@pytest.mark.parametrize("error", [UnavailableError("down"), KeptWaitingError("silent")])
def test_a_run_leaves_a_silent_server_alone_without_counting_it_as_a_try(
    bench: Bench, error: BridgeError
) -> None:
    fill(bench)
    run = started(bench)
    bench.psa.fail("list_records", error)
    work_message(bench)

    wait = work_message(bench)

    assert bench.psa.calls == ["list_records"]
    assert bench.stored_run(run).attempts == 1
    assert FIRST_WAIT.total_seconds() - 3 <= wait <= FIRST_WAIT.total_seconds()
    assert bench.finish(run).state is RunState.SUCCEEDED


@pytest.mark.parametrize("error", [TooLargeError("20 MiB"), OutOfTimeError("the step is over")])
def test_a_page_that_is_too_much_is_an_answer(bench: Bench, error: BridgeError) -> None:
    fill(bench)
    bench.psa.fail("list_records", error)
    bench.work_once(started(bench))
    assert bench.silences.get(CONNECTION) is None


def test_a_page_from_which_only_a_smaller_size_was_learnt_is_no_answer(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(bench)
    nothing = ListedPage((), 0, is_last=False, server_time=START, managed_size=500)
    monkeypatch.setattr(bench.psa, "list_records", lambda *_, **__: nothing)
    run = bench.work_once(started(bench))
    assert run.page_size == 500
    assert bench.silences.get(CONNECTION) is not None


# --- the time of a step ------------------------------------------------------------------------


def test_a_batch_begins_where_as_much_time_is_left_as_the_one_before_took(bench: Bench) -> None:
    # Given a step of a minute, of which each batch takes 25 seconds
    fill(bench, 4 * BATCH)
    run = started(bench)
    for _ in range(4):
        bench.psa.meanwhile("fetch_invoices", lambda: bench.clock.advance(seconds=25))
    bench.clock.set_remaining(STEP_SECONDS)

    run = bench.work_once(run)

    # Then it does two, and goes on after the last id that was done
    assert [len(ids) for ids in bench.psa.fetched_ids if len(ids) > 1] == [BATCH, BATCH]
    assert run.cursor_id == 1000 + 2 * BATCH
    assert (run.attempts, run.page_size) == (0, MAX_PAGE_SIZE)


def test_a_list_that_ends_late_in_a_step_is_checked_in_the_next(bench: Bench) -> None:
    """The check may list everything once more."""
    fill(bench, 3)
    run = started(bench, RunKind.SWEEP)
    run = bench.work_once(run)
    assert run.step.record_kind is RecordKind.INVOICE
    bench.psa.meanwhile("fetch_invoices", lambda: bench.clock.advance(seconds=40))
    bench.clock.set_remaining(STEP_SECONDS)
    bench.psa.calls.clear()

    run = bench.work_once(run)

    assert run.step.record_kind is RecordKind.INVOICE
    assert (run.cursor_id, run.invoices.created) == (1003, 3)
    assert "count" not in bench.psa.calls
    bench.clock.set_remaining(STEP_SECONDS)
    run = bench.work_once(run)
    assert bench.psa.calls[-1] == "count"
    assert (run.invoices_comparison.listed, run.invoices_comparison.counted) == (3, 3)


def test_pages_grow_only_where_there_was_time_for_more(bench: Bench) -> None:
    fill(bench, 2 * BATCH)
    bench.psa.heavy_above = 100
    run = started(bench)
    for _ in range(4):
        bench.clock.advance(minutes=15)
        run = bench.work_once(run)
    assert run.page_size == 62
    bench.psa.meanwhile("fetch_invoices", lambda: bench.clock.advance(seconds=40))
    bench.clock.advance(minutes=15)
    bench.clock.set_remaining(STEP_SECONDS)

    assert bench.work_once(run).page_size == 62
    bench.clock.set_remaining(STEP_SECONDS)
    assert bench.work_once(run).page_size == 78


def test_the_step_of_a_run_is_its_workers_life(bench: Bench) -> None:
    class KilledError(BaseException):
        pass

    def kill() -> None:
        raise KilledError

    fill(bench)
    run = started(bench)
    for _ in range(PLACES_OF_A_PARTNER):
        bench.psa.meanwhile("list_records", kill)
        with pytest.raises(KilledError):
            bench.work_once(run)
    assert bench.work_once(run).page_count == 0
    bench.clock.advance(seconds=STEP_LIFE.total_seconds())
    assert bench.work_once(run).state is RunState.SUCCEEDED
