"""The nightly comparison: it finds what nobody told of, and stops before it does much harm (R5)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.domain.customer import Archive, ArchiveReason
from bridge.domain.errors import UnavailableError
from bridge.domain.filters import ImportFilters, InvoiceFilter
from bridge.domain.identity import RecordKind
from bridge.domain.invoice import InvoiceType
from bridge.domain.problem import ProblemCode
from bridge.domain.run import MAX_ATTEMPTS_PER_PAGE, Counters, RunKind, RunState
from tests.builders.records import a_customer, an_invoice
from tests.fakes.clock import START
from tests.unit.mirror.bench import Bench

INVOICE, CUSTOMER = RecordKind.INVOICE, RecordKind.CUSTOMER


def mirrored(bench: Bench, invoices: int = 3, customers: int = 1) -> None:
    """That many records on both sides, equal."""
    bench.psa.put(*(a_customer(10 + number) for number in range(1, customers + 1)))
    bench.psa.put(*(an_invoice(1000 + number) for number in range(1, invoices + 1)))
    bench.run(RunKind.IMPORT)
    bench.clock.advance(hours=1)
    bench.psa.fetched_ids.clear()


def delete(bench: Bench, count: int) -> None:
    bench.psa.delete(INVOICE, *range(1001, 1001 + count))


def archived_invoices(bench: Bench, count: int) -> int:
    return sum(bench.invoice(1000 + i).archive is not None for i in range(1, count + 1))


# --- finding differences --------------------------------------------------------------------------


def test_a_sweep_of_equal_sides_fetches_no_record(bench: Bench) -> None:
    mirrored(bench)

    run = bench.run(RunKind.SWEEP)

    assert run.state is RunState.SUCCEEDED
    assert run.customers == Counters(seen=1, unchanged=1)
    assert run.invoices == Counters(seen=3, unchanged=3)
    assert bench.psa.fetched_ids == []


def test_a_sweep_brings_what_no_callback_told_of(bench: Bench) -> None:
    mirrored(bench)
    bench.psa.put(an_invoice(1001, reference="changed"), an_invoice(1004), a_customer(12))

    run = bench.run(RunKind.SWEEP)

    assert run.invoices == Counters(seen=4, created=1, updated=1, unchanged=2)
    assert run.customers == Counters(seen=2, created=1, unchanged=1)
    assert bench.invoice(1001).reference == "changed"


def test_a_sweep_archives_what_is_gone(bench: Bench) -> None:
    mirrored(bench)
    bench.psa.delete(INVOICE, 1002)
    bench.psa.delete(CUSTOMER, 11)

    run = bench.run(RunKind.SWEEP)

    assert (run.invoices.archived, run.customers.archived) == (1, 1)
    assert bench.invoice(1002).archive is not None
    assert bench.customer(11).archive is not None


def test_a_sweep_archives_customers_that_were_marked_deleted(bench: Bench) -> None:
    mirrored(bench)
    mark = Archive(ArchiveReason.DELETED_IN_CONNECTWISE, START)
    bench.psa.put_silently(a_customer(11, archive=mark))

    assert bench.run(RunKind.SWEEP).customers.archived == 1
    assert bench.customer(11).archive == mark


def test_a_sweep_archives_nothing_that_is_only_not_listed(bench: Bench) -> None:
    mirrored(bench)
    bench.psa.hidden.add((INVOICE, 1002))

    run = bench.run(RunKind.SWEEP)

    assert run.invoices == Counters(seen=3, unchanged=2, skipped=1)
    assert bench.invoice(1002).archive is None


def test_a_sweep_archives_nothing_without_a_proof(bench: Bench) -> None:
    mirrored(bench)
    delete(bench, 1)
    bench.psa.fail("find_absent", UnavailableError("down"), times=3)

    run = bench.run(RunKind.SWEEP)

    assert run.state is RunState.SUCCEEDED
    assert bench.psa.calls.count("find_absent") == 4
    assert bench.invoice(1001).archive is not None


def test_a_sweep_keeps_what_left_the_filter_up_to_date(bench: Bench) -> None:
    mirrored(bench)
    types = frozenset({InvoiceType.PROGRESS})
    bench.change_connection(filters=ImportFilters(invoice=InvoiceFilter(types=types)))
    bench.psa.put(an_invoice(1001, reference="changed"))

    run = bench.run(RunKind.SWEEP)

    assert run.invoices == Counters(seen=1, updated=1)
    assert bench.invoice(1001).reference == "changed"
    assert archived_invoices(bench, 3) == 0


def test_what_was_archived_is_not_asked_for_every_night(bench: Bench) -> None:
    mirrored(bench)
    delete(bench, 1)
    bench.run(RunKind.SWEEP)
    bench.psa.calls.clear()

    bench.run(RunKind.SWEEP)

    assert "find_absent" not in bench.psa.calls


def test_a_record_that_breaks_its_page_is_not_taken_for_gone(bench: Bench) -> None:
    mirrored(bench)
    bench.psa.unlistable.add((INVOICE, 1002))

    run = bench.run(RunKind.SWEEP)

    assert run.invoices.failed == 1
    assert bench.invoice(1002).archive is None


def test_gone_records_are_looked_at_in_small_pages(bench: Bench) -> None:
    mirrored(bench, 1100)
    delete(bench, 55)

    run = bench.run(RunKind.SWEEP)

    assert run.invoices.archived == 55
    assert bench.psa.fetched_ids == [tuple(range(1001, 1051)), tuple(range(1051, 1056))]


# --- R5: the brake --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mirrored_count", "gone", "archived"),
    [(40, 10, 10), (40, 11, 0), (220, 11, 11), (220, 12, 0)],
    ids=["ten always", "more than ten of few", "five percent of many", "more than five percent"],
)
def test_the_brake_stops_a_sweep_that_would_archive_too_much(
    bench: Bench, mirrored_count: int, gone: int, archived: int
) -> None:
    mirrored(bench, mirrored_count)
    delete(bench, gone)

    run = bench.run(RunKind.SWEEP)

    assert archived_invoices(bench, gone) == archived
    is_stopped = archived == 0
    assert (run.failure == "mass_archive_stopped") is is_stopped
    assert ((ProblemCode.MASS_ARCHIVE_STOPPED, "sweep") in bench.open_problems()) is is_stopped


def test_a_list_that_wrongly_comes_back_empty_does_not_empty_the_mirror(bench: Bench) -> None:
    mirrored(bench, 40)
    for number in range(1, 41):
        bench.psa.hidden.add((INVOICE, 1000 + number))
        del bench.psa.records[INVOICE, 1000 + number]

    bench.run(RunKind.SWEEP)

    assert archived_invoices(bench, 40) == 0


def test_the_problem_says_how_much_would_be_archived(bench: Bench) -> None:
    mirrored(bench, 40)
    delete(bench, 11)

    bench.run(RunKind.SWEEP)

    problem = bench.open_problems()[ProblemCode.MASS_ARCHIVE_STOPPED, "sweep"]
    assert "11 of 40 invoices" in problem.detail


def test_a_person_can_approve(bench: Bench) -> None:
    mirrored(bench, 40)
    delete(bench, 30)
    bench.run(RunKind.SWEEP)

    run = bench.run(RunKind.SWEEP, archive_is_approved=True)

    assert run.state is RunState.SUCCEEDED
    assert archived_invoices(bench, 30) == 30
    assert bench.open_problems() == {}


def test_approved_records_still_need_their_proof(bench: Bench) -> None:
    mirrored(bench, 40)
    for number in range(1, 31):
        bench.psa.hidden.add((INVOICE, 1000 + number))

    bench.run(RunKind.SWEEP, archive_is_approved=True)

    assert archived_invoices(bench, 30) == 0


def test_the_brake_releases_by_itself_when_the_records_are_back(bench: Bench) -> None:
    mirrored(bench, 40)
    delete(bench, 30)
    bench.run(RunKind.SWEEP)
    bench.psa.put(*(an_invoice(1000 + number) for number in range(1, 31)))

    run = bench.run(RunKind.SWEEP)

    assert run.state is RunState.SUCCEEDED
    assert bench.open_problems() == {}


def test_customers_have_the_same_brake(bench: Bench) -> None:
    mirrored(bench, customers=30)
    bench.psa.delete(CUSTOMER, *range(20, 35))

    run = bench.run(RunKind.SWEEP)

    assert run.failure == "mass_archive_stopped"
    assert bench.customer(20).archive is None


# --- a second look --------------------------------------------------------------------------------


def test_a_sweep_has_every_record_with_a_problem_looked_at_again(bench: Bench) -> None:
    """A row may heal without its marks changing, and then nothing else would come back to it."""
    mirrored(bench)
    bench.psa.broken[INVOICE, 1001] = "type has an unknown value"
    bench.hint(INVOICE, 1001)
    bench.psa.broken.clear()

    bench.run(RunKind.SWEEP)
    bench.work_off_hints()

    assert bench.open_problems() == {}


def test_a_sweep_makes_good_what_other_runs_failed_to_bring(bench: Bench) -> None:
    mirrored(bench)
    failed = (RunKind.FETCH_UNPAID, RunKind.INVOICES)
    for kind in failed:
        bench.psa.fail("list_records", UnavailableError("down"), times=MAX_ATTEMPTS_PER_PAGE)
        bench.run(kind)
    assert {subject for _, subject in bench.open_problems()} == {
        f"run/{kind.value}" for kind in failed
    }

    bench.run(RunKind.SWEEP)

    assert bench.open_problems() == {}


def test_a_sweep_writes_no_record_that_is_as_it_was(bench: Bench) -> None:
    mirrored(bench)
    before = bench.stored_invoice(1001)
    bench.psa.put_silently(replace(an_invoice(1001), reference="unmarked"))

    bench.run(RunKind.SWEEP)

    assert bench.stored_invoice(1001) == before


def test_customers_that_stand_in_for_hidden_ones_do_not_set_off_the_brake(bench: Bench) -> None:
    """No list ever showed them, so that a list without them says nothing new."""
    payers = range(11, 31)
    bench.psa.put(*(a_customer(each) for each in payers))
    bench.psa.put(*(an_invoice(1000 + each, customer_source_id=each) for each in payers))
    bench.psa.hidden.update((CUSTOMER, each) for each in payers)
    bench.run(RunKind.IMPORT)

    for _ in range(2):
        assert bench.run(RunKind.SWEEP).state is RunState.SUCCEEDED

    assert all(bench.customer(each).archive is None for each in payers)
    assert bench.run(RunKind.SWEEP).customers_comparison.compared == 0


def test_companies_that_are_marked_deleted_pass_the_same_brake_whatever_run_meets_them(
    bench: Bench,
) -> None:
    mirrored(bench, customers=50)
    customers = range(11, 61)
    mark = Archive(ArchiveReason.DELETED_IN_CONNECTWISE, START)
    for each in customers:
        bench.psa.put_silently(a_customer(each, archive=mark))
        bench.psa.contacts_changed_at[each] = bench.clock.now()

    bench.run(RunKind.CUSTOMERS)

    assert [each for each in customers if bench.customer(each).archive] == []
    assert bench.run(RunKind.SWEEP).failure == "mass_archive_stopped"
    assert bench.run(RunKind.SWEEP, archive_is_approved=True).customers.archived == 50
