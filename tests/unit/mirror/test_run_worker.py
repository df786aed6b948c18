"""Runs: page by page, resumable, and honest about what became of every record."""

from __future__ import annotations

import pytest

from bridge.domain.connection import ConnectionState
from bridge.domain.errors import (
    ConflictError,
    NotFoundError,
    OutOfTimeError,
    TooHeavyError,
)
from bridge.domain.hint import HintReason
from bridge.domain.identity import RecordKind
from bridge.domain.problem import ProblemCode
from bridge.domain.run import Counters, Run, RunKind, RunState
from bridge.domain.work_messages import RunMessage
from bridge.mirror.page_refresh import REFRESH_BATCH
from tests.builders.records import CONNECTION, an_invoice
from tests.unit.mirror.bench import TWO_PAGES, Bench, fill, message_of

INVOICE = RecordKind.INVOICE


# --- progress -------------------------------------------------------------------------------------


def test_an_import_brings_customers_then_invoices_and_counts_them(bench: Bench) -> None:
    bench.change_connection(state=ConnectionState.IMPORTING)
    fill(bench)

    run = bench.run(RunKind.IMPORT)

    assert run.state is RunState.SUCCEEDED
    assert run.customers == Counters(seen=1, created=1)
    assert run.invoices == Counters(seen=3, created=3)
    assert (run.expected_customers, run.expected_invoices) == (1, 3)
    assert run.page_count == 2
    assert run.finished_at == bench.clock.now()
    assert bench.connection.state is ConnectionState.ACTIVE


def test_progress_can_be_read_while_the_run_goes_on(bench: Bench) -> None:
    fill(bench, TWO_PAGES)
    run = bench.starter.start(bench.connection, RunKind.IMPORT)

    seen = [bench.work_once(run).invoices.seen for _ in range(3)]

    assert seen == [0, 1000, TWO_PAGES]


def test_pages_go_forward_by_id(bench: Bench) -> None:
    fill(bench, TWO_PAGES)
    run = bench.starter.start(bench.connection, RunKind.INVOICES)

    first = bench.work_once(run)
    second = bench.work_once(run)

    assert (first.state, first.cursor_id) == (RunState.RUNNING, 2000)
    assert second.state is RunState.SUCCEEDED
    assert second.invoices == Counters(seen=TWO_PAGES, created=TWO_PAGES)


def test_every_outcome_of_a_record_is_counted(bench: Bench) -> None:
    fill(bench, 5)
    bench.run(RunKind.IMPORT)
    bench.clock.advance(hours=1)
    bench.psa.put(an_invoice(1001, reference="changed"), an_invoice(1002), an_invoice(1003))
    bench.psa.broken[INVOICE, 1003] = "total is not a number"
    bench.psa.put(an_invoice(1004))
    bench.psa.unlistable.add((INVOICE, 1004))
    bench.psa.put(an_invoice(1006), an_invoice(1007, customer_source_id=None))

    run = bench.run(RunKind.INVOICES)

    assert run.invoices == Counters(seen=7, created=1, updated=1, unchanged=2, skipped=1, failed=2)


def test_a_row_that_breaks_its_page_is_a_problem(bench: Bench) -> None:
    fill(bench)
    bench.psa.unlistable.add((INVOICE, 1002))

    run = bench.run(RunKind.IMPORT)

    assert run.state is RunState.SUCCEEDED
    assert run.invoices.failed == 1
    assert (ProblemCode.RECORD_MALFORMED, "invoice/1002") in bench.open_problems()


# --- messages twice, late, old --------------------------------------------------------------------


def test_a_message_that_comes_again_does_not_repeat_its_page(bench: Bench) -> None:
    fill(bench, TWO_PAGES)
    run = bench.starter.start(bench.connection, RunKind.INVOICES)
    bench.run_worker.work(message_of(run))
    after_first = bench.stored_run(run)
    bench.psa.calls.clear()

    bench.run_worker.work(message_of(run))

    assert bench.psa.calls == []
    assert bench.stored_run(run) == after_first


def test_a_message_that_comes_again_asks_for_the_page_that_its_worker_may_not_have_asked_for(
    bench: Bench,
) -> None:
    """The worker may have died between storing the run and sending the next message."""
    fill(bench, TWO_PAGES)
    run = bench.starter.start(bench.connection, RunKind.INVOICES)
    bench.run_queue.take_due()
    bench.work_once(run)
    bench.run_queue.take_due()

    bench.run_worker.work(message_of(run))

    assert bench.run_queue.take_due() == [RunMessage(CONNECTION, run.run_id, 1)]


def test_a_message_of_a_page_long_past_is_dropped(bench: Bench) -> None:
    fill(bench, 2 * TWO_PAGES)
    run = bench.starter.start(bench.connection, RunKind.INVOICES)
    bench.work_once(run)
    bench.work_once(run)
    bench.run_queue.waiting.clear()

    bench.run_worker.work(message_of(run))

    assert bench.run_queue.waiting == []


def test_a_message_of_a_page_that_is_not_reached_is_dropped(bench: Bench) -> None:
    fill(bench)
    run = bench.starter.start(bench.connection, RunKind.INVOICES)
    bench.psa.calls.clear()

    bench.run_worker.work(RunMessage(CONNECTION, run.run_id, 5))

    assert bench.psa.calls == []


def test_messages_of_an_ended_or_unknown_run_are_dropped(bench: Bench) -> None:
    fill(bench)
    run = bench.run(RunKind.INVOICES)
    bench.psa.calls.clear()

    bench.run_worker.work(message_of(run))
    bench.run_worker.work(RunMessage(CONNECTION, "0" * 32, 0))

    assert bench.psa.calls == []
    assert bench.run_queue.waiting == []


def test_of_two_workers_on_one_page_one_moves_the_run(bench: Bench) -> None:
    fill(bench)
    run = bench.starter.start(bench.connection, RunKind.INVOICES)
    bench.run_queue.take_due()
    bench.psa.meanwhile("list_records", lambda: bench.run_worker.work(message_of(run)))

    bench.run_worker.work(message_of(run))

    assert bench.stored_run(run).invoices == Counters(seen=3, created=3)
    assert bench.run_queue.waiting == []


def test_a_record_that_a_callback_changed_meanwhile_is_left_to_a_hint(bench: Bench) -> None:
    fill(bench)
    bench.run(RunKind.IMPORT)
    bench.psa.put(an_invoice(1001, reference="older"))

    def a_callback_is_faster() -> None:
        bench.psa.put(an_invoice(1001, reference="newer"))
        bench.hint(INVOICE, 1001)

    bench.psa.meanwhile("fetch_invoices", a_callback_is_faster)
    run = bench.run(RunKind.INVOICES)

    assert run.invoices.deferred == 1
    assert [(hint.source_id, hint.reason) for hint in bench.hints.sent] == [
        (1001, HintReason.CONFLICT)
    ]
    assert bench.invoice(1001).reference == "newer"


# --- time -----------------------------------------------------------------------------------------


def test_a_page_that_runs_out_of_time_is_stored_as_far_as_it_came(bench: Bench) -> None:
    fill(bench, 900)
    run = bench.starter.start(bench.connection, RunKind.INVOICES)
    bench.psa.meanwhile("fetch_invoices", lambda: bench.clock.set_remaining(20))

    after = bench.work_once(run)

    assert after.state is RunState.RUNNING
    assert (after.cursor_id, after.page_count) == (1000 + REFRESH_BATCH, 1)
    assert after.invoices == Counters(seen=REFRESH_BATCH, created=REFRESH_BATCH)


def test_the_rest_of_such_a_page_is_done_by_the_next_worker(bench: Bench) -> None:
    fill(bench, 900)
    run = bench.starter.start(bench.connection, RunKind.INVOICES)
    bench.psa.meanwhile("fetch_invoices", lambda: bench.clock.set_remaining(20))

    finished = bench.finish(run)

    assert finished.invoices == Counters(seen=900, created=900)


def test_a_client_that_runs_out_of_time_keeps_what_was_done(bench: Bench) -> None:
    fill(bench, 900)
    run = bench.starter.start(bench.connection, RunKind.INVOICES)

    def no_time_for_more() -> None:
        bench.psa.fail("fetch_invoices", OutOfTimeError("no time left"))

    bench.psa.meanwhile("fetch_invoices", no_time_for_more)

    assert bench.work_once(run).invoices == Counters(seen=REFRESH_BATCH, created=REFRESH_BATCH)


def test_no_time_at_all_is_a_try_that_failed(bench: Bench) -> None:
    fill(bench)
    run = bench.starter.start(bench.connection, RunKind.INVOICES)
    bench.psa.fail("fetch_invoices", OutOfTimeError("no time left"))

    after = bench.work_once(run)

    assert (after.attempts, after.page_count) == (1, 0)


# --- crash-safe endings ---------------------------------------------------------------------------


def test_a_run_whose_last_page_could_not_be_saved_is_finished_again(bench: Bench) -> None:
    fill(bench)
    run = bench.starter.start(bench.connection, RunKind.INVOICES)
    save = bench.runs.save

    def somebody_moved_it(run: Run, *, expected_version: int) -> int:
        bench.runs.save = save  # type: ignore[method-assign]
        raise ConflictError("moved")

    bench.runs.save = somebody_moved_it  # type: ignore[method-assign]
    bench.run_worker.work(message_of(run))

    assert bench.stored_run(run).state is RunState.QUEUED
    assert bench.work_once(run).state is RunState.SUCCEEDED


@pytest.mark.parametrize("error", [TooHeavyError("slow"), NotFoundError("no such endpoint")])
def test_an_import_goes_on_without_the_counts_that_only_show_its_progress(
    bench: Bench, error: Exception
) -> None:
    fill(bench)
    bench.psa.fail("count", error)

    run = bench.run(RunKind.IMPORT)

    assert (run.state, run.invoices.created) == (RunState.SUCCEEDED, 3)
    assert run.expected_invoices is None
