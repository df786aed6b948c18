"""What a run tells of both sides: counts that add up, and how records differ."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.domain.comparison import DifferenceCounts
from bridge.domain.errors import (
    NotFoundError,
    OutOfTimeError,
    PermissionMissingError,
    RefusedError,
    TooHeavyError,
    UnavailableError,
)
from bridge.domain.filters import ImportFilters, InvoiceFilter
from bridge.domain.identity import RecordKind
from bridge.domain.invoice import InvoiceType
from bridge.domain.problem import ProblemCode
from bridge.domain.run import Run, RunKind, RunState
from tests.builders.records import a_customer, a_paid_invoice, an_invoice
from tests.unit.mirror.bench import TWO_PAGES, Bench, fill

INVOICE, CUSTOMER = RecordKind.INVOICE, RecordKind.CUSTOMER
COUNT = (ProblemCode.COUNT_DIFFERS, "count/invoice")


# --- counts that add up ---------------------------------------------------------------------------

FATES = st.sampled_from(
    ["new", "changed", "equal", "broken", "unlistable", "hidden", "deleted", "payerless", "paid"]
)


def prepare(bench: Bench, fates: list[str]) -> None:
    """Import an invoice for each fate, and then let it happen."""
    numbers = list(enumerate(fates, start=1001))
    bench.psa.put(a_customer())
    bench.psa.put(*(an_invoice(number) for number, fate in numbers if fate != "new"))
    bench.run(RunKind.IMPORT)
    bench.clock.advance(hours=1)
    for number, fate in numbers:
        match fate:
            case "new":
                bench.psa.put(an_invoice(number))
            case "changed":
                bench.psa.put(an_invoice(number, reference="changed"))
            case "paid":
                bench.psa.put(a_paid_invoice(number))
            case "payerless":
                bench.psa.put(an_invoice(number, customer_source_id=None))
            case "broken":
                bench.psa.put(an_invoice(number, reference="changed"))
                bench.psa.broken[INVOICE, number] = "is not a number"
            case "unlistable":
                bench.psa.unlistable.add((INVOICE, number))
            case "hidden":
                bench.psa.hidden.add((INVOICE, number))
            case "deleted":
                bench.psa.delete(INVOICE, number)


@pytest.mark.parametrize("kind", list(RunKind))
@settings(max_examples=15, deadline=None)
@given(fates=st.lists(FATES, max_size=12))
def test_every_record_that_a_run_saw_has_one_outcome(kind: RunKind, fates: list[str]) -> None:
    bench = Bench()
    prepare(bench, fates)

    run = bench.run(kind)

    for counters in (run.customers, run.invoices):
        assert counters.accounted == counters.seen


@pytest.mark.parametrize("kind", [RunKind.IMPORT, RunKind.INVOICES, RunKind.SWEEP])
def test_the_counts_add_up_when_time_runs_out_within_a_page(bench: Bench, kind: RunKind) -> None:
    fill(bench, 900)
    run = bench.starter.start(bench.connection, kind)
    bench.psa.meanwhile("fetch_invoices", lambda: bench.clock.set_remaining(20))

    finished = bench.finish(run)

    assert finished.invoices.seen == finished.invoices.accounted == 900


# --- how both sides differ ------------------------------------------------------------------------


def test_a_sweep_tells_what_it_compared_and_how_it_differs(bench: Bench) -> None:
    fill(bench, 5)
    bench.run(RunKind.IMPORT)
    bench.clock.advance(hours=1)
    bench.psa.put(an_invoice(1001, reference="changed"), an_invoice(1006))
    bench.psa.delete(INVOICE, 1002)

    comparison = bench.run(RunKind.SWEEP).invoices_comparison

    assert comparison.compared == 6
    assert comparison.differing == DifferenceCounts(missing_here=1, missing_there=1, changed=1)
    assert (comparison.listed, comparison.counted) == (5, 5)


def test_the_night_after_nothing_differs(bench: Bench) -> None:
    fill(bench, 5)
    bench.run(RunKind.SWEEP)
    bench.clock.advance(hours=24)

    comparison = bench.run(RunKind.SWEEP).invoices_comparison

    assert (comparison.compared, comparison.differing.total) == (5, 0)


def test_what_a_filter_leaves_out_is_not_missing(bench: Bench) -> None:
    """No condition of ConnectWise can express an invoice that has no customer here."""
    fill(bench, 2)
    bench.psa.put(an_invoice(1003, customer_source_id=None))

    comparison = bench.run(RunKind.SWEEP).invoices_comparison

    assert (comparison.compared, comparison.differing) == (3, DifferenceCounts(missing_here=2))


def test_what_a_filter_hides_is_compared_all_the_same(bench: Bench) -> None:
    fill(bench, 3)
    bench.run(RunKind.IMPORT)
    types = frozenset({InvoiceType.PROGRESS})
    bench.change_connection(filters=ImportFilters(invoice=InvoiceFilter(types=types)))

    comparison = bench.run(RunKind.SWEEP).invoices_comparison

    assert (comparison.compared, comparison.listed, comparison.counted) == (3, 0, 0)


# --- ConnectWise's own count ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", [RunKind.IMPORT, RunKind.SWEEP])
def test_a_list_shorter_than_connectwises_count_is_told_with_both_numbers(
    bench: Bench, kind: RunKind
) -> None:
    fill(bench, 3)
    run = counting_more(bench, kind, [2, 2])

    assert run.state is RunState.SUCCEEDED
    assert (run.invoices_comparison.listed, run.invoices_comparison.counted) == (3, 5)
    assert not run.invoices_comparison.is_complete
    detail = bench.open_problems()[COUNT].detail
    assert "counts 5 invoices" in detail
    assert "shows 3 of them" in detail


def counting_more(bench: Bench, kind: RunKind, extra: list[int]) -> Run:
    """Run with ConnectWise counting so many invoices more at the end."""
    before_the_end = 3 if kind is RunKind.IMPORT else 1
    bench.psa.extra_counts.extend([*[0] * before_the_end, *extra])
    return bench.run(kind)


def test_what_came_during_the_run_is_no_difference(bench: Bench) -> None:
    fill(bench, 3)
    run = counting_more(bench, RunKind.SWEEP, [1, 0])

    assert run.invoices_comparison.counted == 4
    assert COUNT not in bench.open_problems()


def test_records_made_while_a_long_run_lists_open_no_problem(bench: Bench) -> None:
    fill(bench, TWO_PAGES)
    run = bench.starter.start(bench.connection, RunKind.SWEEP)
    bench.work_once(run)
    bench.work_once(run)
    bench.psa.delete(INVOICE, 1001)
    bench.psa.put(an_invoice(9001))

    finished = bench.finish(run)

    assert finished.state is RunState.SUCCEEDED
    assert COUNT not in bench.open_problems()


def test_a_second_look_that_has_no_time_accuses_nobody(bench: Bench) -> None:
    fill(bench, 3)
    bench.psa.meanwhile("count", lambda: None)
    bench.psa.extra_counts.extend([0, 2])
    run = bench.starter.start(bench.connection, RunKind.SWEEP)
    bench.work_once(run)
    bench.psa.meanwhile(
        "list_records", lambda: bench.psa.fail("list_records", OutOfTimeError("no time left"))
    )

    finished = bench.finish(run)

    assert finished.state is RunState.SUCCEEDED
    assert COUNT not in bench.open_problems()


@pytest.mark.parametrize(
    "error",
    [
        TooHeavyError("slow"),
        OutOfTimeError("no time left"),
        UnavailableError("answered no count"),
        NotFoundError("no such endpoint"),
        PermissionMissingError("denied"),
        RefusedError("InvalidObject"),
    ],
)
def test_a_count_that_connectwise_does_not_manage_costs_no_run(
    bench: Bench, error: Exception
) -> None:
    fill(bench, 3)
    bench.psa.fail("count", error, times=2)

    run = bench.run(RunKind.SWEEP)

    assert run.state is RunState.SUCCEEDED
    assert run.invoices_comparison.counted is None


def test_the_problem_closes_when_list_and_count_agree_again(bench: Bench) -> None:
    fill(bench, 3)
    counting_more(bench, RunKind.SWEEP, [2, 2])

    bench.run(RunKind.SWEEP)

    assert COUNT not in bench.open_problems()


def test_a_record_that_breaks_its_page_is_listed_too(bench: Bench) -> None:
    fill(bench, 3)
    bench.psa.unlistable.add((INVOICE, 1002))

    comparison = bench.run(RunKind.IMPORT).invoices_comparison

    assert (comparison.listed, comparison.counted) == (3, 3)


def test_a_comparison_of_nothing_is_not_complete_before_its_end() -> None:
    comparison = Bench().run(RunKind.FETCH_NEW).invoices_comparison

    assert not comparison.is_complete
    assert replace(comparison, counted=0).is_complete


# --- rows whose very id is unreadable -------------------------------------------------------------

ROWS = (ProblemCode.ROWS_UNREADABLE, "rows/invoice")


@pytest.mark.parametrize("kind", [RunKind.IMPORT, RunKind.INVOICES, RunKind.SWEEP])
def test_rows_whose_id_is_unreadable_are_one_problem_and_the_page_goes_on(
    bench: Bench, kind: RunKind
) -> None:
    fill(bench, 3)
    bench.psa.unreadable_rows[INVOICE] = 2

    run = bench.run(kind)

    assert run.state is RunState.SUCCEEDED
    assert (run.invoices.created, run.invoices_comparison.listed) == (3, 5)
    assert set(bench.open_problems()) == {ROWS}
    assert "2 of them" in bench.open_problems()[ROWS].detail


def test_the_problem_closes_when_a_whole_list_can_be_read(bench: Bench) -> None:
    fill(bench, 3)
    bench.psa.unreadable_rows[INVOICE] = 2
    bench.run(RunKind.SWEEP)
    bench.psa.unreadable_rows.clear()

    bench.run(RunKind.INVOICES)
    assert set(bench.open_problems()) == {ROWS}

    bench.run(RunKind.SWEEP)
    assert bench.open_problems() == {}
