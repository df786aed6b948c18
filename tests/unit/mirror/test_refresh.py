"""One way in: what becomes of a record that is refreshed."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.domain.customer import Archive, ArchiveReason, NamedRef
from bridge.domain.errors import UnavailableError
from bridge.domain.filters import CustomerFilter, ImportFilters, InvoiceFilter
from bridge.domain.identity import RecordKind, mirrored_id
from bridge.domain.invoice import Invoice, InvoiceType, LineItem, LineKind
from bridge.domain.problem import ProblemCode, ProblemState
from bridge.domain.run import Counters
from bridge.mirror import refresh as refresh_module
from bridge.mirror.refreshed import Refreshed
from bridge.ports import PaymentQuery
from bridge.store.attributes import MAX_ITEM_BYTES
from tests.builders.records import CONNECTION, PARTNER, a_customer, a_payment, an_invoice
from tests.fakes import problems as fake_problems
from tests.fakes.clock import START
from tests.unit.mirror.bench import Bench

INVOICE, CUSTOMER = RecordKind.INVOICE, RecordKind.CUSTOMER


@pytest.fixture(autouse=True)
def payer(bench: Bench) -> None:
    """Invoice 1001 and its payer are in ConnectWise."""
    bench.psa.put(a_customer(), an_invoice())


def refresh(
    bench: Bench, kind: RecordKind, *source_ids: int, may_archive: bool = True
) -> Refreshed:
    bench.clock.advance(minutes=1)
    return bench.refresher.refresh(
        bench.connection, bench.psa, kind, source_ids, may_archive=may_archive
    )


# --- coming and changing --------------------------------------------------------------------------


def test_a_new_invoice_arrives_with_its_payer(bench: Bench) -> None:
    refreshed = refresh(bench, INVOICE, 1001)

    assert refreshed.counters == Counters(created=1)
    assert bench.invoice(1001) == an_invoice()
    assert bench.customer(11) == a_customer()
    assert refreshed.changed == (an_invoice(),)


def test_a_payer_that_is_known_is_not_fetched_again(bench: Bench) -> None:
    refresh(bench, CUSTOMER, 11)
    bench.psa.calls.clear()

    refresh(bench, INVOICE, 1001)

    assert bench.psa.calls == ["fetch_invoices"]


def test_a_changed_record_is_written_once_and_counted_as_updated(bench: Bench) -> None:
    refresh(bench, INVOICE, 1001)
    changed = an_invoice(due_on=START.date())
    bench.psa.put(changed)

    assert refresh(bench, INVOICE, 1001).counters == Counters(updated=1)
    assert bench.stored_invoice(1001).version == 2
    assert bench.invoice(1001) == changed


def test_an_unchanged_record_is_not_written(bench: Bench) -> None:
    refresh(bench, INVOICE, 1001)

    refreshed = refresh(bench, INVOICE, 1001)

    assert refreshed == Refreshed(Counters(unchanged=1))
    assert bench.stored_invoice(1001).version == 1


def test_new_marks_alone_are_kept_without_counting_as_a_change(bench: Bench) -> None:
    """Else the nightly comparison would fetch the record again every night."""
    refresh(bench, INVOICE, 1001)
    bench.clock.advance(minutes=5)
    bench.psa.put(an_invoice())

    refreshed = refresh(bench, INVOICE, 1001)

    assert refreshed.counters == Counters(unchanged=1)
    assert refreshed.changed == ()
    assert bench.stored_invoice(1001).change_fingerprint == bench.psa.marks_of(INVOICE, 1001)


def test_payments_are_asked_for_where_the_mirror_has_some(bench: Bench) -> None:
    """A header without payments would otherwise hide that the last one was deleted."""
    bench.psa.put(an_invoice(payments=(a_payment(),)))
    refresh(bench, INVOICE, 1001)
    bench.psa.put(an_invoice())

    refresh(bench, INVOICE, 1001)

    assert bench.psa.with_payments_of[-1] == frozenset({1001})
    assert bench.invoice(1001).payments == ()


def test_a_deleted_payment_leaves_the_open_view_and_stays_as_history(bench: Bench) -> None:
    bench.psa.put(an_invoice(payments=(a_payment(),)))
    refresh(bench, INVOICE, 1001)
    bench.psa.put(an_invoice())
    refresh(bench, INVOICE, 1001)

    query = PaymentQuery(invoice_id=mirrored_id(CONNECTION, 1001))
    history = replace(query, with_deleted=True)
    assert bench.records.list_payments(PARTNER, query, limit=10).items == ()
    assert [
        p.is_deleted for p in bench.records.list_payments(PARTNER, history, limit=10).items
    ] == [True]


# --- R4: older never overwrites newer -------------------------------------------------------------


def test_what_was_fetched_before_somebody_else_wrote_is_given_back(bench: Bench) -> None:
    refresh(bench, INVOICE, 1001)
    bench.psa.put(an_invoice(reference="older"))

    def another_worker_is_faster() -> None:
        bench.psa.put(an_invoice(reference="newer"))
        refresh(bench, INVOICE, 1001)

    bench.psa.meanwhile("fetch_invoices", another_worker_is_faster)
    refreshed = refresh(bench, INVOICE, 1001)

    assert refreshed.contested == (1001,)
    assert refreshed.counters == Counters()
    assert bench.invoice(1001).reference == "newer"


def test_an_older_page_cannot_create_what_was_seen_to_be_gone(bench: Bench) -> None:
    def it_is_deleted_and_a_callback_says_so() -> None:
        bench.psa.delete(INVOICE, 1001)
        refresh(bench, INVOICE, 1001)

    bench.psa.meanwhile("fetch_invoices", it_is_deleted_and_a_callback_says_so)
    refreshed = refresh(bench, INVOICE, 1001)

    assert refreshed.contested == (1001,)
    assert bench.stored_invoice(1001).value is None


def test_a_conflict_of_one_record_leaves_the_others_alone(bench: Bench) -> None:
    bench.psa.put(an_invoice(1002))
    refresh(bench, INVOICE, 1001, 1002)
    bench.psa.put(an_invoice(reference="a"), an_invoice(1002, reference="b"))
    bench.psa.meanwhile("fetch_invoices", lambda: refresh(bench, INVOICE, 1001))

    refreshed = refresh(bench, INVOICE, 1001, 1002)

    assert refreshed.contested == (1001,)
    assert refreshed.counters == Counters(updated=1)
    assert bench.invoice(1002).reference == "b"


# --- R5: archived on proof only -------------------------------------------------------------------


def test_a_record_that_is_proven_gone_is_archived(bench: Bench) -> None:
    refresh(bench, INVOICE, 1001)
    bench.psa.delete(INVOICE, 1001)

    refreshed = refresh(bench, INVOICE, 1001)

    assert refreshed.counters == Counters(archived=1)
    assert bench.invoice(1001).archive == Archive(
        ArchiveReason.DELETED_IN_CONNECTWISE, bench.clock.now()
    )


def test_a_record_that_only_does_not_come_back_is_left_alone(bench: Bench) -> None:
    refresh(bench, INVOICE, 1001)
    bench.psa.hidden.add((INVOICE, 1001))

    refreshed = refresh(bench, INVOICE, 1001)

    assert refreshed.counters == Counters(skipped=1)
    assert bench.invoice(1001).archive is None


def test_without_a_proof_nothing_is_archived_and_the_trouble_goes_on(bench: Bench) -> None:
    refresh(bench, INVOICE, 1001)
    bench.psa.delete(INVOICE, 1001)
    bench.psa.fail("find_absent", UnavailableError("down"))

    with pytest.raises(UnavailableError):
        refresh(bench, INVOICE, 1001)

    assert bench.invoice(1001).archive is None


def test_a_record_that_the_mirror_never_had_needs_no_proof_and_comes_when_it_shows(
    bench: Bench,
) -> None:
    bench.psa.hidden.add((INVOICE, 1001))

    refreshed = refresh(bench, INVOICE, 1001)

    assert refreshed.counters == Counters(skipped=1)
    assert "find_absent" not in bench.psa.calls
    assert bench.stored_invoice(1001).version == 1
    bench.psa.hidden.clear()
    assert refresh(bench, INVOICE, 1001).counters == Counters(created=1)


def test_a_problem_about_an_absent_record_ends_with_the_proof_alone(bench: Bench) -> None:
    bench.psa.broken[INVOICE, 1001] = "it cannot be read"
    refresh(bench, INVOICE, 1001)
    bench.psa.broken.clear()
    bench.psa.hidden.add((INVOICE, 1001))

    refresh(bench, INVOICE, 1001)
    refresh(bench, INVOICE, 1001)
    told_while_hidden = set(bench.open_problems())
    bench.psa.delete(INVOICE, 1001)
    refresh(bench, INVOICE, 1001)

    assert told_while_hidden == {(ProblemCode.RECORD_MALFORMED, "invoice/1001")}
    assert bench.open_problems() == {}


def test_an_archived_record_that_is_gone_needs_no_other_proof(bench: Bench) -> None:
    refresh(bench, INVOICE, 1001)
    bench.psa.delete(INVOICE, 1001)
    refresh(bench, INVOICE, 1001)
    before, bench.psa.calls = bench.invoice(1001), []

    refreshed = refresh(bench, INVOICE, 1001)

    assert refreshed.counters == Counters(unchanged=1)
    assert "find_absent" not in bench.psa.calls
    assert bench.invoice(1001) == before


def test_a_caller_that_may_not_archive_does_not_even_ask(bench: Bench) -> None:
    refresh(bench, INVOICE, 1001)
    bench.psa.delete(INVOICE, 1001)

    refreshed = refresh(bench, INVOICE, 1001, may_archive=False)

    assert refreshed.counters == Counters(skipped=1)
    assert bench.invoice(1001).archive is None
    assert "find_absent" not in bench.psa.calls


def test_a_company_marked_deleted_is_archived(bench: Bench) -> None:
    refresh(bench, CUSTOMER, 11)
    mark = Archive(ArchiveReason.DELETED_IN_CONNECTWISE, START)
    bench.psa.put(a_customer(archive=mark))

    assert refresh(bench, CUSTOMER, 11).counters == Counters(archived=1)
    assert bench.customer(11).archive == mark


def test_a_merged_company_is_not_written_anew_at_every_look(bench: Bench) -> None:
    """ConnectWise names no time for the deletion of a merged company, so the adapter's differs."""
    refresh(bench, CUSTOMER, 11)
    for minute in (1, 2):
        at = START + timedelta(minutes=minute)
        mark = Archive(ArchiveReason.DELETED_IN_CONNECTWISE, at)
        bench.psa.put_silently(a_customer(archive=mark))
        refreshed = refresh(bench, CUSTOMER, 11)

    assert refreshed.counters == Counters(unchanged=1)
    assert bench.stored_customer(11).version == 2


def test_an_archived_record_that_is_still_gone_stays_as_it_was(bench: Bench) -> None:
    refresh(bench, INVOICE, 1001)
    bench.psa.delete(INVOICE, 1001)
    refresh(bench, INVOICE, 1001)
    archived = bench.invoice(1001)

    assert refresh(bench, INVOICE, 1001).counters == Counters(unchanged=1)
    assert bench.invoice(1001) == archived


def test_a_record_that_comes_back_is_open_again(bench: Bench) -> None:
    refresh(bench, INVOICE, 1001)
    bench.psa.delete(INVOICE, 1001)
    refresh(bench, INVOICE, 1001)
    bench.psa.put(an_invoice())

    assert refresh(bench, INVOICE, 1001).counters == Counters(updated=1)
    assert bench.invoice(1001).archive is None


def test_what_a_person_archived_stays_archived_and_up_to_date(bench: Bench) -> None:
    refresh(bench, INVOICE, 1001)
    by_person = Archive(ArchiveReason.BY_PERSON, START)
    bench.records.save(replace(bench.invoice(1001), archive=by_person), expected_version=1)
    bench.psa.put(an_invoice(reference="changed"))

    refresh(bench, INVOICE, 1001)

    assert bench.invoice(1001) == an_invoice(reference="changed", archive=by_person)


# --- filters --------------------------------------------------------------------------------------


def filtered(bench: Bench, **filters: CustomerFilter | InvoiceFilter) -> None:
    bench.change_connection(filters=ImportFilters(**filters))  # type: ignore[arg-type]


def test_an_invoice_beside_the_filter_is_not_imported(bench: Bench) -> None:
    filtered(bench, invoice=InvoiceFilter(types=frozenset({InvoiceType.PROGRESS})))

    assert refresh(bench, INVOICE, 1001).counters == Counters(skipped=1)
    assert bench.stored_invoice(1001).version == 0


def test_an_invoice_of_a_customer_beside_the_filter_is_not_imported(bench: Bench) -> None:
    filtered(bench, customer=CustomerFilter(status_ids=frozenset({2})))

    assert refresh(bench, INVOICE, 1001).counters == Counters(skipped=1)
    assert bench.stored_customer(11).version == 0


def test_a_record_that_leaves_the_filter_is_kept_and_kept_up_to_date(bench: Bench) -> None:
    filtered(bench, invoice=InvoiceFilter(billing_status_ids=frozenset({1})))
    refresh(bench, INVOICE, 1001)
    left = an_invoice(status=replace(an_invoice().status, source_id=2))  # type: ignore[type-var]
    bench.psa.put(left)

    assert refresh(bench, INVOICE, 1001).counters == Counters(updated=1)
    assert bench.invoice(1001) == left


def test_a_customer_that_leaves_the_filter_is_kept_with_its_invoices(bench: Bench) -> None:
    filtered(bench, customer=CustomerFilter(status_ids=frozenset({1})))
    refresh(bench, INVOICE, 1001)
    bench.psa.put(a_customer(status=NamedRef(2, "Inactive")), an_invoice(1002))

    refresh(bench, CUSTOMER, 11)
    refresh(bench, INVOICE, 1002)

    assert bench.customer(11).archive is None
    assert bench.invoice(1002).archive is None


@pytest.mark.parametrize(("is_wanted", "is_archived"), [(True, False), (False, True)])
def test_a_record_archived_for_leaving_the_filter_comes_back_with_the_filter(
    bench: Bench, is_wanted: bool, is_archived: bool
) -> None:
    refresh(bench, INVOICE, 1001)
    mark = Archive(ArchiveReason.LEFT_FILTER, START)
    bench.records.save(replace(bench.invoice(1001), archive=mark), expected_version=1)
    types = frozenset({InvoiceType.STANDARD if is_wanted else InvoiceType.PROGRESS})
    filtered(bench, invoice=InvoiceFilter(types=types))

    refresh(bench, INVOICE, 1001)

    assert (bench.invoice(1001).archive is not None) is is_archived


# --- R11: one broken row parks itself -------------------------------------------------------------


def test_a_broken_record_becomes_a_problem_and_the_rest_goes_on(bench: Bench) -> None:
    bench.psa.put(an_invoice(1002))
    bench.psa.broken[INVOICE, 1001] = "total is not a number"

    refreshed = refresh(bench, INVOICE, 1001, 1002)

    assert refreshed.counters == Counters(created=1, failed=1)
    assert bench.invoice(1002) == an_invoice(1002)
    problem = bench.open_problems()[ProblemCode.RECORD_MALFORMED, "invoice/1001"]
    assert problem.detail == "total is not a number"


def test_a_broken_record_keeps_what_was_mirrored_before(bench: Bench) -> None:
    refresh(bench, INVOICE, 1001)
    bench.psa.broken[INVOICE, 1001] = "type has an unknown value"

    refresh(bench, INVOICE, 1001)

    assert bench.invoice(1001) == an_invoice()


def test_a_record_that_can_be_read_again_closes_its_problem(bench: Bench) -> None:
    bench.psa.broken[INVOICE, 1001] = "total is not a number"
    refresh(bench, INVOICE, 1001)
    bench.psa.broken.clear()

    refresh(bench, INVOICE, 1001)

    assert bench.open_problems() == {}


def test_a_problem_of_a_record_that_was_gone_before_it_came_in_closes(bench: Bench) -> None:
    bench.psa.delete(INVOICE, 1001)
    refresh(bench, INVOICE, 1001)
    parked = bench.connection.report(ProblemCode.RECORD_PARKED, "invoice/1001")
    bench.problems.report(parked, bench.clock.now())

    refresh(bench, INVOICE, 1001)

    assert bench.open_problems() == {}


@pytest.mark.parametrize("how", ["unchanged", "gone", "beside the filter"])
def test_a_problem_closes_however_the_trouble_ended(bench: Bench, how: str) -> None:
    if how != "beside the filter":
        refresh(bench, INVOICE, 1001)
    bench.psa.broken[INVOICE, 1001] = "total is not a number"
    refresh(bench, INVOICE, 1001)
    bench.psa.broken.clear()
    if how == "gone":
        bench.psa.delete(INVOICE, 1001)
    if how == "beside the filter":
        filtered(bench, invoice=InvoiceFilter(types=frozenset({InvoiceType.PROGRESS})))

    refresh(bench, INVOICE, 1001)

    assert bench.open_problems() == {}


def test_a_record_that_lacks_a_part_is_here_and_a_problem_says_so(bench: Bench) -> None:
    bench.psa.incomplete[1001] = "Some of the lines are left out."

    refreshed = refresh(bench, INVOICE, 1001)

    assert refreshed.counters == Counters(created=1)
    problem = bench.open_problems()[ProblemCode.RECORD_INCOMPLETE, "invoice/1001"]
    assert problem.detail == "Some of the lines are left out."


def test_the_problem_of_a_missing_part_ends_with_a_whole_reading(bench: Bench) -> None:
    bench.psa.incomplete[1001] = "Some of the lines are left out."
    refresh(bench, INVOICE, 1001)
    refresh(bench, INVOICE, 1001)
    assert len(bench.open_problems()) == 1

    bench.psa.incomplete.clear()
    refresh(bench, INVOICE, 1001)

    assert bench.open_problems() == {}


@pytest.mark.parametrize("writes", range(2, 5))
def test_a_refresh_lists_the_payments_that_a_dead_worker_left_unlisted(
    bench: Bench, writes: int
) -> None:
    # Given an invoice with more payments than one write takes, whose worker dies on the way: the
    # first write is the payer, the second the invoice
    payments = tuple(a_payment(9000 + number) for number in range(150))
    bench.psa.put(an_invoice(payments=payments))
    records = bench.records
    bench.records = records.with_hook(_dies_after(writes))
    with pytest.raises(UnavailableError):
        refresh(bench, INVOICE, 1001)
    bench.records = records
    assert bench.invoice(1001).payments == payments

    # When its hint is delivered again
    refresh(bench, INVOICE, 1001)

    # Then all are listed, and a further refresh leaves the invoice as it is
    query = PaymentQuery(invoice_id=an_invoice().invoice_id)
    assert set(records.list_payments(PARTNER, query, limit=200).items) == set(payments)
    version = bench.stored_invoice(1001).version
    refresh(bench, INVOICE, 1001)
    assert bench.stored_invoice(1001).version == version


def _dies_after(writes: int) -> Callable[[], None]:
    left = iter(range(writes))

    def before_write() -> None:
        if next(left, None) is None:
            raise UnavailableError("the worker died")

    return before_write


def test_a_record_that_cannot_be_stored_is_a_problem(bench: Bench) -> None:
    more_than_an_item_holds = LineItem(LineKind.TIME, secrets.token_hex(MAX_ITEM_BYTES), 11000)
    bench.psa.put(an_invoice(line_items=(more_than_an_item_holds,)), an_invoice(1002))

    refreshed = refresh(bench, INVOICE, 1001, 1002)

    assert refreshed.counters == Counters(created=1, failed=1)
    assert (ProblemCode.RECORD_MALFORMED, "invoice/1001") in bench.open_problems()


def test_an_invoice_without_a_payer_is_not_imported(bench: Bench) -> None:
    orphan: Invoice = an_invoice(1003, customer_source_id=None)
    bench.psa.put(orphan)

    assert refresh(bench, INVOICE, 1003).counters == Counters(skipped=1)


def test_a_problem_closes_though_a_connection_has_more_open_ones_than_are_read(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (fake_problems, refresh_module):
        monkeypatch.setattr(module, "MAX_OPEN_PROBLEMS", 2)
    for source_id in (1001, 1002, 1003):
        bench.psa.put(an_invoice(source_id))
        bench.psa.broken[INVOICE, source_id] = "is odd"
        bench.hint(INVOICE, source_id)
        bench.clock.advance(seconds=1)
    bench.psa.broken.clear()

    bench.hint(INVOICE, 1001)

    report = bench.connection.report(ProblemCode.RECORD_MALFORMED, "invoice/1001")
    problem = bench.problems.get(PARTNER, report.problem_id)
    assert problem is not None
    assert problem.state is ProblemState.RESOLVED
