"""R7: from when on a run takes changes, and when that moment moves."""

from __future__ import annotations

import pytest

from bridge.domain.errors import (
    UnavailableError,
)
from bridge.domain.identity import RecordKind
from bridge.domain.run import MAX_ATTEMPTS_PER_PAGE, Counters, RunKind
from bridge.mirror.run_worker import WATERMARK_OVERLAP
from tests.builders.records import CONNECTION, a_customer, an_invoice
from tests.fakes.clock import START
from tests.unit.mirror.bench import TWO_PAGES, Bench, fill

INVOICE, CUSTOMER = RecordKind.INVOICE, RecordKind.CUSTOMER


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
    bench.psa.fail("list_records", UnavailableError("down"), times=MAX_ATTEMPTS_PER_PAGE)

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
