"""An import takes open invoices with their payments, and the payments of settled ones later."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.domain.comparison import Difference, DifferenceCounts
from bridge.domain.connection import ConnectionState
from bridge.domain.identity import RecordKind
from bridge.domain.invoice import Invoice
from bridge.domain.problem import CONNECTION_SUBJECT, ProblemCode
from bridge.domain.run import Run, RunKind, RunState
from bridge.mirror.run_worker import PAYMENTS_ARE_DUE
from bridge.mirror.selection import NIGHTS_BETWEEN_READINGS
from bridge.wiring import use_cases
from tests.builders.records import CONNECTION, PARTNER, a_customer, a_payment, an_invoice
from tests.unit.mirror.bench import Bench

INVOICE = RecordKind.INVOICE
OPEN, SETTLED, UNPAID = 1001, 1002, 1003
UNREAD = (ProblemCode.PAYMENTS_UNREAD, CONNECTION_SUBJECT)


def an_open(source_id: int = OPEN) -> Invoice:
    return with_payments(source_id, 4_00)


def a_settled(source_id: int = SETTLED, *parts: int) -> Invoice:
    return with_payments(source_id, *(parts or (10_00,)))


def with_payments(source_id: int, *amounts: int) -> Invoice:
    """Return an invoice of 10.00 with payments of these amounts."""
    of = an_invoice(source_id)
    payments = tuple(
        a_payment(source_id * 10 + number, of=of, amount_minor=amount)
        for number, amount in enumerate(amounts)
    )
    paid = sum(amounts)
    return an_invoice(
        source_id,
        total_minor=10_00,
        balance_minor=10_00 - paid,
        paid_minor=paid,
        payments=payments,
    )


def imported(bench: Bench, *invoices: Invoice) -> Run:
    """Import these invoices, up to the end of the import itself."""
    bench.psa.put(a_customer(), *invoices)
    run = bench.starter.start(bench.connection, RunKind.IMPORT)
    while not bench.stored_run(run).has_ended:
        bench.work_once(run)
    return bench.stored_run(run)


def later_run(bench: Bench) -> Run:
    (run,) = (
        each
        for each in bench.runs.list_of_connection(CONNECTION, limit=10).items
        if each.kind is RunKind.PAYMENTS
    )
    return run


def work_off(bench: Bench) -> Run:
    run = later_run(bench)
    while not bench.stored_run(run).has_ended:
        bench.work_once(run)
    return bench.stored_run(run)


# --- the first phase ------------------------------------------------------------------------------


def test_open_invoices_come_with_their_payments_and_settled_ones_without(bench: Bench) -> None:
    bench.change_connection(state=ConnectionState.IMPORTING)

    imported(bench, an_open(), a_settled(), an_invoice(UNPAID))

    assert bench.connection.state is ConnectionState.ACTIVE
    assert bench.invoice(OPEN) == an_open()
    settled = bench.invoice(SETTLED)
    assert (settled.payments, settled.payments_complete) == ((), False)
    assert (settled.total_minor, settled.balance_minor, settled.paid_minor) == (10_00, 0, 10_00)
    assert bench.invoice(UNPAID).payments_complete


def test_payments_to_come_are_no_reason_for_another_look(bench: Bench) -> None:
    imported(bench, a_settled())

    assert not bench.hints.waiting


def test_stored_payments_stay_when_everything_is_imported_again(bench: Bench) -> None:
    imported(bench, a_settled())
    work_off(bench)
    before = bench.stored_invoice(SETTLED)

    imported(bench)

    assert bench.stored_invoice(SETTLED) == before
    assert not bench.records.list_lacking_payments(PARTNER, CONNECTION, below_id=None, limit=9)


def test_stored_payments_stay_until_those_of_a_changed_header_are_read(bench: Bench) -> None:
    # Given an invoice whose payment of 10.00 is stored, and which got a new total and a payment
    imported(bench, a_settled())
    work_off(bench)
    changed = replace(a_settled(SETTLED, 10_00, 5_00), total_minor=15_00, balance_minor=0)
    bench.clock.advance(hours=1)

    # When it is imported again
    imported(bench, changed)

    # Then the stored payment stays, and nobody takes it for all there are
    first_phase = bench.invoice(SETTLED)
    assert (first_phase.total_minor, first_phase.paid_minor) == (15_00, 15_00)
    assert (first_phase.payments, first_phase.payments_complete) == (a_settled().payments, False)


def test_payments_that_were_written_anew_and_dated_are_read_again(bench: Bench) -> None:
    # Given an invoice whose payment was deleted and written anew, which changed its date alone
    imported(bench, a_settled())
    work_off(bench)
    anew = replace(a_settled(), payments=(a_payment(7, of=a_settled(), amount_minor=10_00),))
    bench.clock.advance(hours=1)
    bench.psa.put(anew)

    imported(bench)

    assert not bench.invoice(SETTLED).payments_complete
    while bench.runs.list_active(CONNECTION):
        (following,) = bench.runs.list_active(CONNECTION)
        bench.work_once(following)
    assert bench.invoice(SETTLED) == anew


# --- the second phase -----------------------------------------------------------------------------


def test_payments_of_settled_invoices_follow_the_newest_first(bench: Bench) -> None:
    settled = [a_settled(source_id) for source_id in range(2001, 2251)]
    imported(bench, *settled)
    run = later_run(bench)
    bench.psa.fetched_ids.clear()

    bench.work_once(run)

    assert bench.psa.fetched_ids == [tuple(range(2250, 2150, -1))]
    progress = bench.stored_run(run)
    assert (progress.expected_invoices, progress.invoices.seen) == (250, 100)
    assert work_off(bench).state is RunState.SUCCEEDED
    assert [bench.invoice(each.source_id or 0) for each in settled] == settled


def test_nothing_follows_where_all_payments_are_there(bench: Bench) -> None:
    imported(bench, an_open(), an_invoice(UNPAID))

    kinds = [each.kind for each in bench.runs.list_of_connection(CONNECTION, limit=10).items]
    assert kinds == [RunKind.IMPORT]


def test_a_callback_completes_an_invoice_at_once(bench: Bench) -> None:
    imported(bench, a_settled())

    bench.hint(INVOICE, SETTLED)

    assert bench.invoice(SETTLED) == a_settled()


def test_the_nightly_comparison_calls_nothing_right_without_its_payments(bench: Bench) -> None:
    imported(bench, an_open(), a_settled())
    bench.psa.fetched_ids.clear()

    run = bench.starter.start(bench.connection, RunKind.SWEEP)
    while not bench.stored_run(run).has_ended:
        bench.work_once(run)

    compared = bench.stored_run(run).invoices_comparison
    assert compared.differing == DifferenceCounts.of([Difference.PAYMENTS_UNREAD])
    assert not bench.psa.fetched_ids


def test_the_nightly_comparison_starts_again_what_had_ended_early(bench: Bench) -> None:
    imported(bench, a_settled())
    use_cases.run_control(bench).cancel(CONNECTION, later_run(bench).run_id)

    bench.run(RunKind.SWEEP)

    assert bench.invoice(SETTLED) == a_settled()


def test_what_was_deleted_before_its_payments_were_read_is_asked_for_no_more(bench: Bench) -> None:
    # Given an invoice that is gone before its payments were read
    imported(bench, an_open(), a_settled())
    use_cases.run_control(bench).cancel(CONNECTION, later_run(bench).run_id)
    bench.psa.delete(INVOICE, SETTLED)
    bench.run(RunKind.SWEEP)
    assert bench.invoice(SETTLED).archive

    # When the next night is compared
    before = len(bench.runs.list_of_connection(CONNECTION, limit=10).items)
    bench.run(RunKind.SWEEP)

    # Then nothing follows
    assert len(bench.runs.list_of_connection(CONNECTION, limit=10).items) == before + 1


def test_a_gravely_different_invoice_counts_as_such(bench: Bench) -> None:
    imported(bench, a_settled())
    bench.clock.advance(hours=1)
    bench.psa.put(replace(a_settled(), reference="changed"))

    run = bench.starter.start(bench.connection, RunKind.SWEEP)
    while not bench.stored_run(run).has_ended:
        bench.work_once(run)

    counts = bench.stored_run(run).invoices_comparison.differing
    assert (counts.changed, counts.payments_unread) == (1, 0)
    assert bench.invoice(SETTLED).payments_complete


@pytest.mark.parametrize(("waited", "is_problem"), [(timedelta(), False), (PAYMENTS_ARE_DUE, True)])
def test_payments_that_are_unread_after_three_days_are_a_problem_until_they_are_read(
    bench: Bench, waited: timedelta, *, is_problem: bool
) -> None:
    imported(bench, *(a_settled(source_id) for source_id in range(2001, 2151)))
    run = later_run(bench)
    bench.clock.advance(seconds=waited.total_seconds() + 1)

    bench.work_once(run)

    assert (UNREAD in bench.open_problems()) is is_problem
    work_off(bench)
    assert UNREAD not in bench.open_problems()


# --- payments behind an equal head ----------------------------------------------------------------


def test_a_payment_that_was_written_anew_is_found_within_a_month(bench: Bench) -> None:
    # Given a mirror that is right, and a payment that is deleted and written anew
    settled = [a_settled(source_id) for source_id in range(2001, 2061)]
    imported(bench, *settled)
    work_off(bench)
    anew = replace(a_settled(2030), payments=(a_payment(7, of=settled[29], amount_minor=10_00),))
    bench.psa.put_silently(anew)

    # When each night is compared
    read: list[int] = []
    for _ in range(NIGHTS_BETWEEN_READINGS):
        bench.psa.fetched_ids.clear()
        bench.run(RunKind.SWEEP)
        read += [each for ids in bench.psa.fetched_ids for each in ids]
        bench.clock.advance(hours=24)

    # Then every invoice with payments was read once, and the new payment is there
    assert sorted(read) == [each.source_id for each in settled]
    assert bench.invoice(2030) == anew


# --- heads of the list ----------------------------------------------------------------------------


def test_an_import_reads_a_head_once(bench: Bench) -> None:
    imported(bench, an_open(), a_settled())

    assert bench.psa.read_from_heads == [(11,), (OPEN, SETTLED)]


def test_the_head_of_a_stored_record_is_read_again(bench: Bench) -> None:
    """Somebody may have stored a newer one since the list was read."""
    imported(bench, an_open())
    bench.psa.read_from_heads.clear()

    imported(bench)

    assert bench.psa.read_from_heads == [(), ()]


def test_a_record_that_a_callback_stores_meanwhile_is_newer_than_its_head(bench: Bench) -> None:
    bench.psa.put(a_customer(), an_invoice(UNPAID, reference="old"))

    def a_callback_comes() -> None:
        bench.psa.put(an_invoice(UNPAID, reference="new"))
        bench.hint(INVOICE, UNPAID)

    bench.run(RunKind.CUSTOMERS)
    bench.psa.meanwhile("list_records", lambda: None)
    bench.psa.meanwhile("list_records", a_callback_comes)
    imported(bench)

    assert bench.invoice(UNPAID).reference == "new"
