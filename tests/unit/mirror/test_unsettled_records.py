"""A balance that lags behind its payment is looked at again within a minute."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.domain.errors import UnavailableError
from bridge.domain.hint import HintReason
from bridge.domain.identity import RecordKind
from bridge.domain.invoice import Invoice
from bridge.domain.run import RunKind
from bridge.mirror.refreshed import LOOKS_AFTER_SECONDS
from tests.builders.records import a_customer, a_payment, an_invoice
from tests.unit.mirror.bench import Bench

INVOICE = RecordKind.INVOICE


def paid(balance_minor: int) -> Invoice:
    """An invoice of 110.00 that lists a payment of 50.00 and shows this balance."""
    return replace(an_invoice(), balance_minor=balance_minor, payments=(a_payment(),))


@pytest.fixture(autouse=True)
def books(bench: Bench) -> None:
    bench.psa.put(a_customer(), an_invoice())
    bench.hint(INVOICE, 1001)
    bench.hints.take_due()


def fetches_of(bench: Bench) -> int:
    return bench.psa.calls.count("fetch_invoices")


@pytest.mark.parametrize("lag_seconds", [1, 9, 24, 49])
def test_a_late_balance_arrives_within_a_minute(bench: Bench, lag_seconds: int) -> None:
    started = bench.clock.now()
    bench.psa.put(paid(11000))
    bench.hint(INVOICE, 1001)
    assert bench.invoice(1001).balance_minor == 11000

    # When ConnectWise shows the balance some seconds later and tells nobody
    while bench.invoice(1001).balance_minor != 6000:
        due_at = bench.hints.next_due_at()
        assert due_at is not None
        bench.clock.advance(seconds=max(0, (due_at - bench.clock.now()).total_seconds()))
        if bench.clock.now() - started >= timedelta(seconds=lag_seconds):
            bench.psa.put_silently(paid(6000))
        bench.hint_processor.process(bench.hints.take_due())

    assert bench.clock.now() - started <= timedelta(minutes=1)
    bench.work_off_hints()


def test_a_payment_that_a_delta_finds_is_looked_at_again_as_well(bench: Bench) -> None:
    bench.clock.advance(seconds=3600)
    bench.psa.put(paid(11000))
    bench.run(RunKind.INVOICES)
    assert bench.invoice(1001).balance_minor == 11000
    bench.psa.put_silently(paid(6000))

    bench.work_off_hints()

    assert bench.invoice(1001).balance_minor == 6000


def test_a_payment_that_its_list_shows_late_is_looked_for_as_well(bench: Bench) -> None:
    bench.psa.put(replace(an_invoice(), balance_minor=6000))
    bench.hint(INVOICE, 1001)
    bench.psa.put_silently(paid(6000))

    bench.work_off_hints()

    assert bench.invoice(1001).payments == (a_payment(),)


def test_a_balance_that_never_agrees_costs_a_few_looks_a_change(bench: Bench) -> None:
    bench.psa.put(paid(11000))
    before = fetches_of(bench)
    bench.hint(INVOICE, 1001)
    bench.work_off_hints()
    assert fetches_of(bench) - before == 1 + len(LOOKS_AFTER_SECONDS)

    # Nothing changed, so that a further callback starts one look only
    bench.hint(INVOICE, 1001)
    bench.work_off_hints()
    assert fetches_of(bench) - before == 1 + len(LOOKS_AFTER_SECONDS) + 2


def test_a_callback_about_an_invoice_that_still_disagrees_has_it_looked_at_once_more(
    bench: Bench,
) -> None:
    # Given an invoice that an earlier run stored while its balance lagged behind
    bench.psa.put(paid(11000))
    bench.hint(INVOICE, 1001)
    bench.hints.waiting.clear()

    # When ConnectWise calls back before it shows the balance
    bench.hint(INVOICE, 1001)
    (look,) = bench.hints.waiting
    bench.psa.put_silently(paid(6000))
    bench.work_off_hints()

    # Then the last look brings it
    assert look.body.reason is HintReason.UNSETTLED
    assert look.body.attempts == len(LOOKS_AFTER_SECONDS)
    assert bench.invoice(1001).balance_minor == 6000


def test_records_that_agree_are_not_looked_at_again(bench: Bench) -> None:
    bench.psa.put(paid(6000))
    bench.hint(INVOICE, 1001)
    assert bench.hints.next_due_at() is None


def test_a_credit_memo_whose_money_is_listed_late_is_looked_at_again(bench: Bench) -> None:
    memo = an_invoice(total_minor=-11000, balance_minor=-11001, paid_minor=1)
    bench.psa.put(memo)
    bench.hint(INVOICE, 1001)
    paid_memo = replace(memo, payments=(a_payment(amount_minor=1),))
    bench.psa.put_silently(paid_memo)

    bench.work_off_hints()

    assert bench.invoice(1001).payments == paid_memo.payments


def test_a_credit_memo_that_was_applied_elsewhere_is_not_waited_for(bench: Bench) -> None:
    bench.psa.put(an_invoice(total_minor=-11000, balance_minor=-5000))
    bench.hint(INVOICE, 1001)
    assert bench.hints.next_due_at() is None


def test_a_record_that_changes_at_every_look_is_not_looked_at_for_ever(bench: Bench) -> None:
    bench.psa.put(paid(11000))
    before = fetches_of(bench)
    changes = iter(range(1, 100))

    def change() -> None:
        bench.psa.put(replace(paid(11000), reference=f"change {next(changes)}"))
        bench.psa.meanwhile("fetch_invoices", change)

    bench.psa.meanwhile("fetch_invoices", change)
    bench.hint(INVOICE, 1001)
    bench.work_off_hints()

    assert fetches_of(bench) - before == 1 + len(LOOKS_AFTER_SECONDS)


def test_a_look_that_fails_is_made_again_as_a_look(bench: Bench) -> None:
    bench.psa.put(paid(11000))
    bench.hint(INVOICE, 1001)
    bench.psa.fail("fetch_invoices", UnavailableError("down"), times=2)

    bench.work_off_hints()

    assert fetches_of(bench) <= 2 + 2 + len(LOOKS_AFTER_SECONDS)


def test_an_import_starts_no_looks(bench: Bench) -> None:
    """Old invoices may disagree for good, and nothing says that one of them just changed."""
    bench.psa.put(*(an_invoice(each, balance_minor=4000) for each in range(3001, 3010)))

    bench.run(RunKind.IMPORT)

    assert bench.hints.next_due_at() is None
