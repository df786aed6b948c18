"""R12: for any number a person is told where its record is, also when it is not here."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from bridge.connections.minute_shares import TIMES_A_MINUTE
from bridge.domain.customer import ArchiveReason
from bridge.domain.errors import ShareUsedUpError
from bridge.domain.filters import CustomerFilter, ImportFilters, InvoiceFilter
from bridge.domain.identity import RecordKind, mirrored_id
from bridge.domain.problem import ProblemCode
from bridge.mirror.record_search import (
    Finding,
    RecordSearch,
    Whereabouts,
)
from bridge.ports import Activity
from bridge.ports.psa import MAX_FOUND
from bridge.wiring import use_cases
from tests.builders.records import CONNECTION, a_customer, an_invoice
from tests.unit.mirror.bench import Bench

INVOICE, CUSTOMER = RecordKind.INVOICE, RecordKind.CUSTOMER


@pytest.fixture(autouse=True)
def books(bench: Bench) -> None:
    bench.psa.put(a_customer(), an_invoice(1001))


@pytest.fixture
def search(bench: Bench) -> RecordSearch:
    return use_cases.record_search(bench)


def find(bench: Bench, source_id: int = 1001, kind: RecordKind = INVOICE) -> Finding:
    (found,) = use_cases.record_search(bench).by_id(bench.connection, kind, source_id)
    return found


def filter_by(bench: Bench, **filters: CustomerFilter | InvoiceFilter) -> None:
    bench.change_connection(filters=ImportFilters(**filters))  # type: ignore[arg-type]


def test_a_mirrored_record_is_here_and_connectwise_is_not_asked(bench: Bench) -> None:
    bench.hint(INVOICE, 1001)
    bench.psa.calls.clear()

    found = find(bench)

    assert found.whereabouts is Whereabouts.HERE
    assert found.label == "INV-1001"
    assert found.record_id == mirrored_id(CONNECTION, 1001)
    assert found.refused_by is None
    assert bench.psa.calls == []


def test_a_record_that_belongs_here_is_fetched(bench: Bench) -> None:
    assert find(bench).whereabouts is Whereabouts.ARRIVING

    bench.work_off_hints()
    assert find(bench).whereabouts is Whereabouts.HERE


@pytest.mark.parametrize(
    ("filters", "refused_by"),
    [
        ({"invoice": InvoiceFilter(date_from=date(2027, 1, 1))}, "invoices.date_from"),
        (
            {"invoice": InvoiceFilter(billing_status_ids=frozenset({9}))},
            "invoices.billing_status_ids",
        ),
        ({"customer": CustomerFilter(type_ids=frozenset({9}))}, "customers.type_ids"),
    ],
)
def test_a_record_that_a_filter_leaves_out_names_the_filter(
    bench: Bench, filters: dict[str, CustomerFilter | InvoiceFilter], refused_by: str
) -> None:
    filter_by(bench, **filters)

    found = find(bench)

    assert (found.whereabouts, found.refused_by) == (Whereabouts.LEFT_OUT, refused_by)
    assert bench.hints.sent == []


def test_a_record_that_left_a_filter_is_here_and_says_which(bench: Bench) -> None:
    bench.hint(INVOICE, 1001)
    filter_by(bench, invoice=InvoiceFilter(location_ids=frozenset({9})))

    found = find(bench)

    assert (found.whereabouts, found.refused_by) == (Whereabouts.HERE, "invoices.location_ids")


@pytest.mark.parametrize(
    ("reason", "whereabouts"),
    [
        (ArchiveReason.DELETED_IN_CONNECTWISE, Whereabouts.DELETED),
        (ArchiveReason.LEFT_FILTER, Whereabouts.LEFT_OUT),
        (ArchiveReason.BY_PERSON, Whereabouts.ARCHIVED),
    ],
)
def test_an_archived_record_says_why_and_when(
    bench: Bench, reason: ArchiveReason, whereabouts: Whereabouts
) -> None:
    archived = an_invoice(1001).archived(reason, bench.clock.now())
    bench.records.save(archived, expected_version=0)

    found = find(bench)

    assert (found.whereabouts, found.since) == (whereabouts, bench.clock.now())


def test_an_unreadable_record_names_its_problem(bench: Bench) -> None:
    bench.psa.broken[INVOICE, 1001] = "total is missing"
    bench.hint(INVOICE, 1001)

    found = find(bench)

    problem = bench.open_problems()[ProblemCode.RECORD_MALFORMED, "invoice/1001"]
    assert (found.whereabouts, found.problem_id) == (Whereabouts.BROKEN, problem.problem_id)


def test_an_unreadable_record_without_a_problem_gets_one(bench: Bench) -> None:
    bench.psa.broken[INVOICE, 1001] = "total is missing"

    assert find(bench).whereabouts is Whereabouts.BROKEN
    bench.work_off_hints()

    assert (ProblemCode.RECORD_MALFORMED, "invoice/1001") in bench.open_problems()


def test_a_record_that_only_others_may_list_is_hidden(bench: Bench) -> None:
    bench.psa.hidden.add((INVOICE, 1001))
    assert find(bench).whereabouts is Whereabouts.HIDDEN


def test_a_record_that_nobody_has_is_unknown(bench: Bench) -> None:
    assert find(bench, 4711).whereabouts is Whereabouts.UNKNOWN


def test_a_deleted_company_says_so_although_it_was_never_here(bench: Bench) -> None:
    gone = a_customer(12).archived(ArchiveReason.DELETED_IN_CONNECTWISE, bench.clock.now())
    bench.psa.put(gone)
    found = find(bench, 12, CUSTOMER)
    assert (found.whereabouts, found.since) == (Whereabouts.DELETED, bench.clock.now())


def test_where_the_payer_cannot_be_judged_the_record_says_so(bench: Bench) -> None:
    bench.psa.delete(CUSTOMER, 11)
    filter_by(bench, customer=CustomerFilter(type_ids=frozenset({2})))
    assert find(bench).whereabouts is Whereabouts.PAYER_UNREADABLE


def test_a_number_finds_every_record_that_has_it(bench: Bench, search: RecordSearch) -> None:
    bench.psa.put(*(replace(an_invoice(each), number="2024-7") for each in range(2001, 2015)))
    bench.hint(INVOICE, 2001)

    found = search.by_label(bench.connection, INVOICE, "2024-7")

    assert [each.source_id for each in found] == list(range(2001, 2001 + MAX_FOUND))
    assert [each.whereabouts for each in found[:2]] == [Whereabouts.HERE, Whereabouts.ARRIVING]
    assert search.by_label(bench.connection, INVOICE, "none") == ()


def test_searches_that_ask_connectwise_are_so_many_a_minute(
    bench: Bench, search: RecordSearch
) -> None:
    for _ in range(TIMES_A_MINUTE[Activity.RECORD_SEARCH]):
        search.by_label(bench.connection, INVOICE, "none")
    with pytest.raises(ShareUsedUpError) as refused:
        search.by_id(bench.connection, INVOICE, 4711)
    assert refused.value.retry_after_seconds == 60
    bench.clock.advance(seconds=61)
    assert search.by_id(bench.connection, INVOICE, 4711)
