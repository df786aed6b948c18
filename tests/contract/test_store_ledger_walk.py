"""A connection's write-backs, walked page by page, those of one invoice side by side."""

from itertools import groupby

from bridge.domain.identity import mirrored_id
from bridge.domain.platform_payment import Allocation
from bridge.domain.write_back import WriteBack
from bridge.ports import LedgerStore
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
