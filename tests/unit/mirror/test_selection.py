"""Which records of its pages a run takes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bridge.domain.identity import RecordKind
from bridge.domain.run import Counters, RunKind
from tests.builders.records import a_customer, a_paid_invoice, an_invoice
from tests.unit.mirror.bench import TWO_PAGES, Bench, fill

INVOICE = RecordKind.INVOICE


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
    assert run.invoices == Counters(seen=4, updated=2, unchanged=1, skipped=1)


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
