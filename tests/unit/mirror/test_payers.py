"""R12: what is owed is shown, also when ConnectWise does not give its customer away."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.domain.customer import ArchiveReason
from bridge.domain.errors import TooHeavyError
from bridge.domain.filters import CustomerFilter, ImportFilters
from bridge.domain.identity import RecordKind
from bridge.domain.problem import ProblemCode
from bridge.domain.run import RunKind
from tests.builders.records import a_customer, an_invoice
from tests.unit.mirror.bench import Bench

INVOICE, CUSTOMER = RecordKind.INVOICE, RecordKind.CUSTOMER
UNREADABLE = (ProblemCode.PAYER_UNREADABLE, "customer/11")


@pytest.fixture(autouse=True)
def books(bench: Bench) -> None:
    """Three invoices of one payer, which gives its name on each of them."""
    bench.psa.put(a_customer(), *(an_invoice(each) for each in (1001, 1002, 1003)))
    bench.psa.payer_names[11] = "Northwind"


def by_type(bench: Bench) -> None:
    wanted = CustomerFilter(type_ids=frozenset({2}))
    bench.change_connection(filters=ImportFilters(customer=wanted))


def test_invoices_of_a_deleted_payer_are_shown_under_the_name_that_they_carry(
    bench: Bench,
) -> None:
    bench.psa.delete(CUSTOMER, 11)

    bench.hint(INVOICE, 1001, 1002, 1003)

    assert [bench.invoice(each).balance_minor for each in (1001, 1002, 1003)] == [11000] * 3
    stand_in = bench.customer(11)
    assert (stand_in.name, stand_in.email) == ("Northwind", "")
    assert stand_in.archive
    assert stand_in.archive.reason is ArchiveReason.DELETED_IN_CONNECTWISE
    assert set(bench.open_problems()) == {UNREADABLE}


def test_the_problem_is_one_however_many_invoices_and_nights(bench: Bench) -> None:
    bench.psa.delete(CUSTOMER, 11)
    for each in (1001, 1002, 1003, 1001):
        bench.hint(INVOICE, each)
    for _ in range(2):
        bench.run(RunKind.SWEEP)
        bench.work_off_hints()

    assert set(bench.open_problems()) == {UNREADABLE}
    assert bench.open_problems()[UNREADABLE].times_seen == 1
    assert bench.invoice(1002).balance_minor == 11000


def test_a_payer_hidden_from_our_member_stays_in_the_open_view(bench: Bench) -> None:
    bench.psa.hidden.add((CUSTOMER, 11))

    bench.hint(INVOICE, 1001)
    bench.run(RunKind.SWEEP)

    assert bench.customer(11).archive is None
    assert bench.invoice(1001).balance_minor == 11000


def test_a_payer_that_can_be_read_again_takes_its_place_and_ends_the_problem(
    bench: Bench,
) -> None:
    bench.psa.hidden.add((CUSTOMER, 11))
    bench.hint(INVOICE, 1001)
    bench.psa.hidden.clear()

    bench.run(RunKind.SWEEP)

    assert bench.customer(11) == a_customer()
    assert bench.open_problems() == {}


def test_a_payer_whose_record_is_broken_has_that_problem_alone(bench: Bench) -> None:
    bench.psa.broken[CUSTOMER, 11] = "name is missing"

    bench.hint(INVOICE, 1001, 1002)

    assert set(bench.open_problems()) == {(ProblemCode.RECORD_MALFORMED, "customer/11")}
    assert bench.customer(11).name == "Northwind"
    assert bench.invoice(1002).balance_minor == 11000


def test_a_payer_without_any_name_is_called_by_its_id(bench: Bench) -> None:
    bench.psa.delete(CUSTOMER, 11)
    bench.psa.payer_names.clear()
    bench.hint(INVOICE, 1001)
    assert bench.customer(11).name == "Company 11"


def test_where_customers_are_filtered_the_problem_stands_alone(bench: Bench) -> None:
    by_type(bench)
    bench.psa.delete(CUSTOMER, 11)

    bench.hint(INVOICE, 1001, 1002)

    problem = bench.open_problems()[UNREADABLE]
    assert "filter cannot be judged" in problem.detail
    assert bench.stored_invoice(1001).value is None
    assert bench.stored_customer(11).value is None


def test_an_invoice_that_can_be_read_again_is_no_longer_called_broken(bench: Bench) -> None:
    # Given an invoice that could not be read
    by_type(bench)
    bench.psa.broken[INVOICE, 1001] = "total is not a number"
    bench.hint(INVOICE, 1001)
    assert (ProblemCode.RECORD_MALFORMED, "invoice/1001") in bench.open_problems()

    # When it can, and its payer cannot, whom a filter is about
    del bench.psa.broken[INVOICE, 1001]
    bench.psa.delete(CUSTOMER, 11)
    bench.hint(INVOICE, 1001)

    # Then the payer's problem stands alone
    assert set(bench.open_problems()) == {UNREADABLE}


def test_where_customers_are_filtered_an_invoice_of_before_stays_up_to_date(
    bench: Bench,
) -> None:
    by_type(bench)
    bench.hint(INVOICE, 1001)
    bench.psa.delete(CUSTOMER, 11)
    bench.psa.put(replace(an_invoice(1001), balance_minor=4000))

    bench.hint(INVOICE, 1001)

    assert bench.invoice(1001).balance_minor == 4000


def test_a_payer_that_a_filter_leaves_out_is_no_problem(bench: Bench) -> None:
    wanted = CustomerFilter(type_ids=frozenset({9}))
    bench.change_connection(filters=ImportFilters(customer=wanted))
    bench.hint(INVOICE, 1001)
    assert bench.stored_invoice(1001).value is None
    assert bench.open_problems() == {}


def test_an_unknown_id_costs_one_call_the_second_time(bench: Bench) -> None:
    bench.hint(INVOICE, 4711)
    bench.psa.calls.clear()
    bench.hint(INVOICE, 4711)
    assert bench.psa.calls == ["fetch_invoices"]


def test_a_payer_that_connectwise_fails_to_write_out_holds_no_invoice_up(bench: Bench) -> None:
    """Whether it was deleted is not asked: ConnectWise would fail at that as well."""
    bench.psa.broken[CUSTOMER, 11] = "name is missing"
    bench.psa.fail("exists", TooHeavyError("ConnectWise answered 500"), times=100)

    bench.run(RunKind.IMPORT)

    assert [bench.invoice(each).balance_minor for each in (1001, 1002, 1003)] == [11000] * 3
    assert bench.customer(11).archive is None
