"""What every store does for the pages of sums, names and comparisons."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.domain.mirrored_kinds import CUSTOMERS, INVOICES
from bridge.domain.money import Currency
from bridge.domain.problem import ProblemCode, ProblemState
from bridge.domain.receivables import DueSum, Outstanding
from bridge.domain.run import RunKind, RunState
from bridge.domain.window import Window
from bridge.ports import InvoiceQuery, ProblemQuery, RunQuery
from tests.builders.operations import a_problem_report, a_run
from tests.builders.records import (
    CONNECTION,
    OTHER_CONNECTION,
    OTHER_PARTNER,
    PARTNER,
    a_customer,
    a_paid_invoice,
    an_invoice,
)
from tests.contract.conftest import Stores
from tests.fakes.clock import START

MARCH = date(2026, 3, 1)
USD = Currency("USD", 2)


def listed(stores: Stores, query: InvoiceQuery, *, limit: int = 50) -> list[int | None]:
    found: list[int | None] = []
    cursor = None
    for _ in range(20):
        page = stores.records.list_invoices(PARTNER, query, limit=limit, cursor=cursor)
        found += [each.source_id for each in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return found
    raise AssertionError("the list has no end")


# --- outstanding sums ----------------------------------------------------------------------------

_DUE = st.builds(
    DueSum,
    due_on=st.none() | st.dates(),
    currency=st.sampled_from([USD, Currency("JPY", 0)]),
    amount_minor=st.integers(-(10**15), 10**15),
    invoice_count=st.integers(0, 10**6),
)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(due=st.lists(_DUE, max_size=30), is_complete=st.booleans())
def test_sums_are_read_back_as_they_were_saved(
    stores: Stores, due: list[DueSum], is_complete: bool
) -> None:
    sums = Outstanding(PARTNER, START, tuple(due), tuple(due[:2]), is_complete)
    stores.outstanding.save(sums)
    assert stores.outstanding.get(PARTNER) == sums
    assert stores.outstanding.get(OTHER_PARTNER) is None


# --- invoices ------------------------------------------------------------------------------------


def test_what_is_overdue_is_owed_and_was_due_before_the_day(stores: Stores) -> None:
    yesterday = MARCH - timedelta(days=1)
    for invoice in (
        an_invoice(1, due_on=yesterday),
        an_invoice(2, due_on=MARCH),
        an_invoice(3, due_on=None),
        a_paid_invoice(4, due_on=yesterday),
        an_invoice(5, due_on=yesterday, total_minor=-500, balance_minor=-500),
        an_invoice(6, due_on=yesterday - timedelta(days=400), balance_minor=1),
    ):
        stores.records.save(invoice, expected_version=0)

    assert listed(stores, InvoiceQuery(overdue_on=MARCH)) == [6, 1]
    assert listed(stores, InvoiceQuery(overdue_on=MARCH), limit=1) == [6, 1]
    assert listed(stores, InvoiceQuery(overdue_on=MARCH, due_from=yesterday)) == [1]
    assert sorted(listed(stores, InvoiceQuery(is_unpaid=True)), key=str) == [1, 2, 3, 5, 6]


def test_a_list_goes_by_falling_due_date_if_asked(stores: Stores) -> None:
    for number in (1, 2, 3):
        due_on = MARCH + timedelta(days=number)
        stores.records.save(an_invoice(number, due_on=due_on), expected_version=0)
    stores.records.save(a_paid_invoice(9, due_on=MARCH), expected_version=0)

    query = InvoiceQuery(is_latest_due_first=True)

    assert listed(stores, query) == [3, 2, 1, 9]
    assert listed(stores, query, limit=1) == [3, 2, 1, 9]


def test_bare_records_lack_lines_and_those_of_others(stores: Stores) -> None:
    invoice, customer = an_invoice(1), a_customer(11)
    foreign = an_invoice(2, partner_id=OTHER_PARTNER)
    for record in (invoice, customer, foreign):
        stores.records.save(record, expected_version=0)

    found = stores.records.get_bare(
        INVOICES, PARTNER, [invoice.invoice_id, foreign.invoice_id, "nonsense"]
    )

    assert found == {invoice.invoice_id: replace(invoice, line_items=(), payments=())}
    names = stores.records.get_bare(CUSTOMERS, PARTNER, [customer.customer_id])
    assert names == {customer.customer_id: customer}


# --- problems and runs ---------------------------------------------------------------------------


def test_problems_are_narrowed_by_all_that_a_person_asks_for(stores: Stores) -> None:
    first = a_problem_report("invoice/1", code=ProblemCode.RECORD_PARKED)
    second = a_problem_report("invoice/2", code=ProblemCode.RECORD_MALFORMED)
    written = a_problem_report("write_back/pay-1.1", code=ProblemCode.PAYMENT_NOT_WRITTEN)
    for days, report in enumerate((first, second, written)):
        stores.problems.report(report, START + timedelta(days=days))

    def found(**narrowed: object) -> list[str]:
        query = ProblemQuery(**narrowed)  # type: ignore[arg-type]  # each test names its own
        page = stores.problems.list(PARTNER, state=ProblemState.OPEN, query=query, limit=10)
        return [each.subject for each in page.items]

    day = START.date()
    assert found(record_id=f"{first.connection_id}-1") == ["write_back/pay-1.1", "invoice/1"]
    assert found(code=ProblemCode.RECORD_MALFORMED) == ["invoice/2"]
    assert found(connection_id="e" * 32) == []
    assert found(opened_from=day, opened_to=day) == ["invoice/1"]
    assert found(opened_from=day + timedelta(days=1)) == ["write_back/pay-1.1", "invoice/2"]


def test_runs_are_narrowed_by_kind_state_and_day(stores: Stores) -> None:
    sweep = a_run("1" * 32, kind=RunKind.SWEEP)
    late = a_run("2" * 32, kind=RunKind.IMPORT, created_at=START + timedelta(days=1))
    for run in (sweep, late):
        stores.runs.start(run)

    def found(query: RunQuery) -> list[str]:
        page = stores.runs.list_of_connection(CONNECTION, query, limit=10)
        return [each.run_id for each in page.items]

    day = START.date()
    assert found(RunQuery(kind=RunKind.SWEEP)) == [sweep.run_id]
    assert found(RunQuery(state=RunState.FAILED)) == []
    assert found(RunQuery(created_to=day)) == [sweep.run_id]
    assert found(RunQuery(created_from=day + timedelta(days=1))) == [late.run_id]


def test_the_latest_comparison_is_the_one_that_ended_last(stores: Stores) -> None:
    first, second = (a_run(number * 32, kind=RunKind.SWEEP) for number in "12")
    assert stores.runs.latest_sweeps([CONNECTION]) == {}
    stores.runs.start(first)
    ended = first.failed("x", START)
    stores.runs.save(ended, expected_version=1)
    stores.runs.start(second)

    assert stores.runs.latest_sweeps([CONNECTION, OTHER_CONNECTION]) == {CONNECTION: ended}

    done = replace(second, state=RunState.SUCCEEDED, finished_at=START)
    stores.runs.save(done, expected_version=1)
    assert stores.runs.latest_sweeps([CONNECTION]) == {CONNECTION: done}


def test_a_window_is_read_as_it_was_taken(stores: Stores) -> None:
    assert stores.runs.get_window(CONNECTION, RunKind.FETCH_NEW) is None
    window = Window(CONNECTION, RunKind.FETCH_NEW, START)
    stores.runs.start(a_run(kind=RunKind.FETCH_NEW), window)

    assert stores.runs.get_window(CONNECTION, RunKind.FETCH_NEW) == window
    assert stores.runs.get_window(CONNECTION, RunKind.FETCH_UNPAID) is None
    assert stores.runs.get_window(OTHER_CONNECTION, RunKind.FETCH_NEW) is None
