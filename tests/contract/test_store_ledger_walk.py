"""A connection's write-backs, walked page by page, those of one invoice side by side."""

from dataclasses import replace
from itertools import groupby
from typing import Any

from bridge.domain.identity import mirrored_id
from bridge.domain.platform_payment import Allocation
from bridge.domain.write_back import WriteBack
from bridge.ports import LedgerStore
from bridge.store.keys import MAX_SOURCE_ID
from tests.builders.payments import a_platform_payment, write_backs_for
from tests.builders.records import CONNECTION


def test_every_write_back_of_a_connection_is_listed_once(ledger: LedgerStore) -> None:
    """Given payments over several invoices, when walked, then each comes once, by invoice."""
    made = set()
    for number in range(7):
        for_invoices = (1001 + number % 3, 2001)
        payment = a_platform_payment(
            f"pay-{number}",
            allocations=tuple(Allocation(mirrored_id(CONNECTION, i), 100) for i in for_invoices),
        )
        write_backs = write_backs_for(payment)
        ledger.record(payment, write_backs)
        made |= {write_back.write_back_id for write_back in write_backs}

    walked: list[WriteBack] = []
    cursor: str | None = None
    while True:
        page = ledger.list_write_backs(CONNECTION, limit=3, cursor=cursor)
        walked += page.items
        cursor = page.next_cursor
        if cursor is None:
            break

    assert len(walked) == len(made)
    assert {write_back.write_back_id for write_back in walked} == made
    invoices = [invoice for invoice, _ in groupby(walked, lambda w: w.invoice_source_id)]
    assert invoices == sorted(set(invoices))


def test_another_connection_has_none_of_them(ledger: LedgerStore) -> None:
    payment = a_platform_payment("pay-1")
    ledger.record(payment, write_backs_for(payment))
    assert ledger.list_write_backs("0" * 32, limit=10).items == ()


def three_invoices(ledger: LedgerStore) -> list[WriteBack]:
    """Write-backs of invoices 1001 to 1003, in this order."""
    made = []
    for number in (1001, 1002, 1003):
        parts = (Allocation(mirrored_id(CONNECTION, number), 100),)
        payment = a_platform_payment(f"pay-{number}", allocations=parts)
        made += write_backs_for(payment)
        ledger.record(payment, write_backs_for(payment))
    return made


def listed(ledger: LedgerStore, **options: Any) -> list[int]:
    page = ledger.list_write_backs(CONNECTION, limit=10, **options)
    return [write_back.invoice_source_id for write_back in page.items]


def test_a_walk_goes_on_past_an_invoice(ledger: LedgerStore) -> None:
    three_invoices(ledger)
    assert listed(ledger, after_invoice=1001) == [1002, 1003]
    assert listed(ledger, after_invoice=1003) == []
    assert listed(ledger, after_invoice=MAX_SOURCE_ID) == []


def test_what_rests_is_listed_apart(ledger: LedgerStore) -> None:
    _, second, _ = three_invoices(ledger)
    assert ledger.set_resting(second, is_resting=True)
    assert listed(ledger) == [1001, 1003]
    assert listed(ledger, is_resting=True) == [1002]
    assert listed(ledger, is_resting=True, after_invoice=1002) == []
    assert ledger.get_write_back(CONNECTION, second.write_back_id).value == second


def test_a_rest_ends_when_it_is_told_to(ledger: LedgerStore) -> None:
    first, *_ = three_invoices(ledger)
    ledger.set_resting(first, is_resting=True)
    assert ledger.set_resting(first, is_resting=False)
    assert listed(ledger) == [1001, 1002, 1003]


def test_any_change_of_a_write_back_ends_its_rest(ledger: LedgerStore) -> None:
    first, *_ = three_invoices(ledger)
    ledger.set_resting(first, is_resting=True)
    ledger.save_write_back(replace(first, waits=1), expected_version=1)
    assert listed(ledger) == [1001, 1002, 1003]


def test_only_what_stands_is_let_rest(ledger: LedgerStore) -> None:
    first, *_ = three_invoices(ledger)
    changed = replace(first, waits=1)
    ledger.save_write_back(changed, expected_version=1)
    assert not ledger.set_resting(first, is_resting=True)
    assert ledger.set_resting(changed, is_resting=True)


def test_a_rest_is_no_change_for_who_read_the_write_back_before(ledger: LedgerStore) -> None:
    first, *_ = three_invoices(ledger)
    ledger.set_resting(first, is_resting=True)
    assert ledger.save_write_back(replace(first, waits=1), expected_version=1) == 2
