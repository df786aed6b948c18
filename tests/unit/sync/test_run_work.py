"""Runs: page by page, resumable, and honest about what became of every record."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.domain.connection import ConnectionState
from bridge.domain.errors import (
    BridgeError,
    ConflictError,
    CredentialsRejectedError,
    OutcomeUnknownError,
    OutOfTimeError,
    PermissionMissingError,
    RefusedError,
    ThrottledError,
    UnavailableError,
    UnsafeAddressError,
)
from bridge.domain.hint import HintReason
from bridge.domain.identity import RecordKind
from bridge.domain.problem import ProblemCode
from bridge.domain.run import MAX_ATTEMPTS_PER_PAGE, Counters, Run, RunKind, RunState
from bridge.domain.work_messages import RunMessage
from bridge.sync.run_work import WATERMARK_OVERLAP
from tests.builders.records import CONNECTION, a_customer, a_paid_invoice, an_invoice
from tests.fakes.clock import START
from tests.unit.sync.bench import Bench

INVOICE, CUSTOMER = RecordKind.INVOICE, RecordKind.CUSTOMER
TWO_PAGES = 1005


def fill(bench: Bench, invoices: int = 3) -> None:
    bench.psa.put(a_customer(), *(an_invoice(1000 + number) for number in range(1, invoices + 1)))


def message_of(run: Run) -> RunMessage:
    return RunMessage(run.connection_id, run.run_id, run.page_count)


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

    assert run.invoices == Counters(seen=6, created=1, updated=1, unchanged=2, skipped=1, failed=2)


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
    bench.psa.meanwhile("list_heads", lambda: bench.run_worker.work(message_of(run)))

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
    assert (after.cursor_id, after.page_count) == (1200, 1)
    assert after.invoices == Counters(seen=200, created=200)


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

    assert bench.work_once(run).invoices == Counters(seen=200, created=200)


def test_no_time_at_all_is_a_try_that_failed(bench: Bench) -> None:
    fill(bench)
    run = bench.starter.start(bench.connection, RunKind.INVOICES)
    bench.psa.fail("fetch_invoices", OutOfTimeError("no time left"))

    after = bench.work_once(run)

    assert (after.attempts, after.page_count) == (1, 0)


# --- failures -------------------------------------------------------------------------------------


def waits(bench: Bench, error: BridgeError, tries: int) -> list[float]:
    """Let a page fail so often; return the seconds before each next try."""
    fill(bench)
    bench.psa.fail("list_heads", error, times=tries)
    run = bench.starter.start(bench.connection, RunKind.INVOICES)
    delays = []
    for _ in range(tries):
        bench.run_queue.waiting.clear()
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
    bench.psa.fail("list_heads", UnavailableError("down"), times=3)
    run = bench.starter.start(bench.connection, RunKind.INVOICES)
    tries = [bench.work_once(run).attempts for _ in range(4)]

    assert tries == [1, 2, 3, 0]


def test_a_run_that_failed_too_often_ends_with_a_problem_and_frees_its_place(bench: Bench) -> None:
    fill(bench)
    bench.psa.fail("list_heads", UnavailableError("down"), times=MAX_ATTEMPTS_PER_PAGE)

    run = bench.run(RunKind.INVOICES)

    assert (run.state, run.failure) == (RunState.FAILED, "UnavailableError")
    assert (ProblemCode.RUN_FAILED, "run/invoices") in bench.open_problems()
    assert bench.run(RunKind.INVOICES).state is RunState.SUCCEEDED


def test_a_run_that_succeeds_closes_the_problem_of_the_one_that_failed(bench: Bench) -> None:
    fill(bench)
    bench.psa.fail("list_heads", UnavailableError("down"), times=MAX_ATTEMPTS_PER_PAGE)
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
    bench.psa.fail("list_heads", error)

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
    bench.psa.fail("list_heads", error)

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

    bench.psa.meanwhile("list_heads", the_place_is_lost)
    after = bench.work_once(run)

    assert (after.state, after.failure) == (RunState.FAILED, "stalled")


# --- R7: watermarks -------------------------------------------------------------------------------


def test_a_delta_takes_what_changed_since_the_last_one_and_overlaps(bench: Bench) -> None:
    fill(bench)
    first = bench.run(RunKind.INVOICES)
    assert first.since is None
    bench.clock.advance(hours=1)
    bench.psa.put(an_invoice(1002, reference="changed"))

    second = bench.run(RunKind.INVOICES)

    assert second.since == START - WATERMARK_OVERLAP
    bench.clock.advance(hours=1)
    third = bench.run(RunKind.INVOICES)
    assert third.invoices == Counters(seen=1, unchanged=1)
    bench.clock.advance(hours=1)
    assert bench.run(RunKind.INVOICES).invoices == Counters()


def test_a_watermark_is_connectwises_time_at_the_start_of_the_run(bench: Bench) -> None:
    fill(bench, TWO_PAGES)
    run = bench.starter.start(bench.connection, RunKind.INVOICES)
    bench.work_once(run)
    bench.clock.advance(minutes=10)
    bench.work_once(run)

    assert bench.runs.get_watermark(CONNECTION, INVOICE) == START


@pytest.mark.parametrize("kind", list(RunKind))
def test_a_watermark_stands_still_until_everything_is_stored(bench: Bench, kind: RunKind) -> None:
    fill(bench, TWO_PAGES)
    run = bench.starter.start(bench.connection, kind)

    while not bench.work_once(run).has_ended:
        assert bench.runs.get_watermark(CONNECTION, INVOICE) is None
        assert bench.runs.get_watermark(CONNECTION, CUSTOMER) is None


def test_a_failed_run_moves_no_watermark(bench: Bench) -> None:
    fill(bench)
    bench.psa.fail("list_heads", UnavailableError("down"), times=MAX_ATTEMPTS_PER_PAGE)

    bench.run(RunKind.INVOICES)

    assert bench.runs.get_watermark(CONNECTION, INVOICE) is None


@pytest.mark.parametrize(
    ("kind", "moved"),
    [
        (RunKind.IMPORT, {INVOICE, CUSTOMER}),
        (RunKind.SWEEP, {INVOICE}),
        (RunKind.INVOICES, {INVOICE}),
        (RunKind.CUSTOMERS, {CUSTOMER}),
        (RunKind.FETCH_NEW, set()),
        (RunKind.FETCH_UNPAID, set()),
    ],
)
def test_only_a_run_that_took_every_change_moves_a_watermark(
    bench: Bench, kind: RunKind, moved: set[RecordKind]
) -> None:
    fill(bench)

    bench.run(kind)

    assert {k for k in RecordKind if bench.runs.get_watermark(CONNECTION, k)} == moved


def test_a_contacts_new_address_survives_a_sweep(bench: Bench) -> None:
    """No comparison of companies shows it, so only a run that asks for contacts may pass it."""
    fill(bench)
    bench.run(RunKind.IMPORT)
    bench.clock.advance(hours=1)
    bench.psa.put_silently(a_customer(email="new@northwind.example"))
    bench.psa.contacts_changed_at[11] = bench.clock.now()
    bench.clock.advance(minutes=30)

    bench.run(RunKind.SWEEP)
    bench.run(RunKind.CUSTOMERS)

    assert bench.customer(11).email == "new@northwind.example"


def test_an_import_takes_everything_whatever_the_watermark(bench: Bench) -> None:
    fill(bench)
    bench.run(RunKind.IMPORT)
    bench.clock.advance(hours=5)

    assert bench.run(RunKind.IMPORT).invoices == Counters(seen=3, unchanged=3)


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


# --- which records a run takes --------------------------------------------------------------------


def test_a_customer_run_takes_customers_whose_contacts_changed(bench: Bench) -> None:
    bench.psa.put(a_customer(), a_customer(12))
    bench.run(RunKind.CUSTOMERS)
    bench.clock.advance(hours=1)
    bench.psa.put_silently(a_customer(12, email="new@northwind.example"))
    bench.psa.contacts_changed_at[12] = bench.clock.now()

    run = bench.run(RunKind.CUSTOMERS)

    assert run.customers == Counters(seen=2, updated=1, unchanged=1)
    assert bench.customer(12).email == "new@northwind.example"


def test_customers_with_changed_contacts_are_taken_once_over_many_pages(bench: Bench) -> None:
    bench.psa.put(*(a_customer(number) for number in range(1, TWO_PAGES + 1)))
    bench.run(RunKind.CUSTOMERS)
    bench.psa.contacts_changed_at.update({7: bench.clock.now(), 1003: bench.clock.now()})
    bench.clock.advance(minutes=1)
    bench.psa.fetched_ids.clear()

    bench.run(RunKind.CUSTOMERS)

    taken = [source_id for ids in bench.psa.fetched_ids for source_id in ids]
    assert sorted(taken) == list(range(1, TWO_PAGES + 1))


@pytest.mark.parametrize("later", [timedelta(minutes=64), timedelta(minutes=66)])
def test_fetch_new_reaches_back_an_hour_and_a_little(bench: Bench, later: timedelta) -> None:
    fill(bench)
    bench.clock.advance(seconds=later.total_seconds())

    run, _ = bench.manual_fetch.start(bench.connection, RunKind.FETCH_NEW)
    finished = bench.finish(run)

    within_reach = later < timedelta(minutes=65)
    assert finished.invoices.created == (3 if within_reach else 0)
    assert finished.customers.created == (1 if within_reach else 0)


def unpaid_world(bench: Bench) -> None:
    """1001 is open on both sides, 1002 paid since, 1003 opened since, 1004 paid on both sides."""
    bench.psa.put(a_customer(), an_invoice(1001), an_invoice(1002))
    bench.psa.put(a_paid_invoice(1003), a_paid_invoice(1004))
    bench.run(RunKind.IMPORT)
    bench.psa.put_silently(a_paid_invoice(1002))
    bench.psa.put_silently(an_invoice(1003))
    bench.psa.fetched_ids.clear()


def test_fetch_unpaid_takes_what_is_unpaid_on_either_side(bench: Bench) -> None:
    unpaid_world(bench)

    run = bench.run(RunKind.FETCH_UNPAID)

    assert bench.psa.fetched_ids == [(1001, 1002, 1003)]
    assert run.invoices == Counters(seen=4, updated=2, unchanged=1)


def test_fetch_unpaid_leaves_what_vanished_to_the_sweep(bench: Bench) -> None:
    unpaid_world(bench)
    bench.psa.delete(INVOICE, 1001)

    bench.run(RunKind.FETCH_UNPAID)

    assert bench.invoice(1001).archive is None


def test_no_run_but_the_sweep_archives(bench: Bench) -> None:
    fill(bench)
    bench.run(RunKind.IMPORT)
    bench.psa.delete(INVOICE, 1001)

    for kind in set(RunKind) - {RunKind.SWEEP}:
        bench.run(kind)

    assert bench.invoice(1001).archive is None
