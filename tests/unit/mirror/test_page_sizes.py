"""Pages get smaller where ConnectWise does not manage them, and grow again slowly."""

from __future__ import annotations

from itertools import pairwise

import pytest

from bridge.domain.errors import OutOfTimeError, TooHeavyError, UnavailableError, UntrueListError
from bridge.domain.problem import ProblemCode
from bridge.domain.run import (
    MAX_ATTEMPTS_OF_UNTRUE_LIST,
    MAX_ATTEMPTS_PER_PAGE,
    MAX_PAGE_SIZE,
    RunKind,
    RunState,
)
from bridge.wiring import use_cases
from tests.builders.operations import a_run
from tests.unit.mirror.bench import Bench, fill


@pytest.mark.parametrize("manageable", [1, 7, 100, 999])
def test_an_import_gets_through_whatever_page_connectwise_manages(
    bench: Bench, manageable: int
) -> None:
    fill(bench, 40)
    bench.psa.heavy_above = manageable

    run = bench.run(RunKind.IMPORT)

    assert run.state is RunState.SUCCEEDED
    assert run.invoices.created == 40
    assert run.page_size <= 2 * manageable


def test_the_size_is_kept_from_page_to_page(bench: Bench) -> None:
    fill(bench, 300)
    bench.psa.heavy_above = 60

    bench.run(RunKind.IMPORT)

    heavy = [limit for limit in bench.psa.limits if limit > 60]
    assert heavy[:5] == [1000, 500, 250, 125, 62]
    assert len(heavy) < len(bench.psa.limits) / 2


def test_the_size_grows_back_slowly() -> None:
    run = a_run().with_managed_size(100)
    sizes = []
    for _ in range(40):
        sizes.append(run.page_size)
        run = run.with_managed_size(run.page_size)

    assert sizes[:4] == [100, 126, 158, 198]
    assert sizes[-1] == MAX_PAGE_SIZE
    assert all(later <= earlier * 1.5 for earlier, later in pairwise(sizes))


def test_a_page_that_was_partly_managed_teaches_the_next_one(bench: Bench) -> None:
    run = a_run().with_managed_size(31)

    assert run.page_size == 31


@pytest.mark.parametrize(
    ("error", "sizes"),
    [(TooHeavyError("slow"), [62, 78]), (OutOfTimeError("no time left"), [11, 14])],
)
def test_records_that_take_too_long_are_fetched_in_smaller_batches(
    bench: Bench, error: Exception, sizes: list[int]
) -> None:
    """Where the time ran out, the batch that took it is halved and not the page that it is of."""
    fill(bench, 300)
    bench.psa.fail("fetch_invoices", error, times=4)

    run = bench.run(RunKind.INVOICES)

    assert run.state is RunState.SUCCEEDED
    assert [len(ids) for ids in bench.psa.fetched_ids if len(ids) > 1][:2] == sizes


def test_a_server_that_is_down_leaves_the_size_alone(bench: Bench) -> None:
    fill(bench)
    bench.psa.fail("list_records", UnavailableError("down"), times=3)

    assert bench.run(RunKind.INVOICES).page_size == MAX_PAGE_SIZE


def test_a_server_that_manages_nothing_ends_the_run_after_bounded_tries(bench: Bench) -> None:
    fill(bench)
    bench.psa.heavy_above = 0

    run = bench.run(RunKind.INVOICES)

    assert (run.state, run.failure) == (RunState.FAILED, "TooHeavyError")
    assert len(bench.psa.limits) == MAX_ATTEMPTS_PER_PAGE
    problem = bench.open_problems()[ProblemCode.RUN_FAILED, "run/invoices"]
    assert "not even one at a time" in problem.detail


def test_a_list_that_breaks_its_order_ends_the_run_soon(bench: Bench) -> None:
    fill(bench)
    bench.psa.fail("list_records", UntrueListError("goes back"), times=99)

    run = bench.run(RunKind.INVOICES)

    assert (run.state, run.failure) == (RunState.FAILED, "UntrueListError")
    assert bench.psa.calls.count("list_records") == MAX_ATTEMPTS_OF_UNTRUE_LIST
    problem = bench.open_problems()[ProblemCode.RUN_FAILED, "run/invoices"]
    assert "list of invoices repeats records, goes backwards or never ends" in problem.detail


def test_a_list_that_broke_its_order_once_is_taken_after_all(bench: Bench) -> None:
    fill(bench)
    bench.psa.fail("list_records", UntrueListError("goes back"))

    assert bench.run(RunKind.INVOICES).state is RunState.SUCCEEDED


def test_more_records_than_one_connection_may_bring_over_end_the_run(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next page is not asked for once the limit is passed."""
    fill(bench, 30)
    bench.psa.heavy_above = 10
    few = use_cases.run_worker(bench, max_records=20)
    monkeypatch.setattr(Bench, "run_worker", property(lambda _: few))

    run = bench.run(RunKind.INVOICES)

    assert (run.state, run.failure) == (RunState.FAILED, "TooManyRecordsError")
    assert run.invoices.created < 30
    problem = bench.open_problems()[ProblemCode.RUN_FAILED, "run/invoices"]
    assert "more than 20 invoices" in problem.detail
