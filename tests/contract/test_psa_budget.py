"""How many calls ConnectWise is asked to bear."""

from __future__ import annotations

import pytest

from bridge.domain.identity import RecordKind
from bridge.domain.mirrored_kinds import CUSTOMERS, INVOICES
from bridge.mirror.page_refresh import REFRESH_BATCH
from connectwise_sandbox.kinds import Kind
from tests.unit.connectwise.sandbox import sandboxed_world

CHUNK = REFRESH_BATCH
PAYMENTS = "GET /finance/invoices/{id}/payments"
MAX_CALLS_PER_1000_INVOICES = 30
MAX_CALLS_PER_1000_CUSTOMERS = 20


def test_a_thousand_invoices_with_their_lines_cost_at_most_thirty_calls(
    capsys: pytest.CaptureFixture[str],
) -> None:
    world = sandboxed_world(customers=200, invoices=1_000)
    psa = world.psa()

    ids: list[int] = []
    is_last, after_id = False, 0
    while not is_last:
        page = psa.list_records(RecordKind.INVOICE, after_id=after_id, limit=1_000)
        ids += [head.source_id for head in page.records]
        is_last, after_id = page.is_last, page.last_id
    found = 0
    for start in range(0, len(ids), CHUNK):
        found += len(psa.fetch(INVOICES, ids[start : start + CHUNK]).found)

    assert found == len(world.engine.tenant.store[Kind.INVOICE])
    calls = dict(psa.calls)
    payments = calls.pop(PAYMENTS)
    with capsys.disabled():
        print(f"\n{found} invoices: {sum(calls.values())} calls {calls}, {payments} for payments")
    assert sum(calls.values()) <= MAX_CALLS_PER_1000_INVOICES
    with_payments = [
        row for row in world.engine.tenant.store[Kind.INVOICE] if row["payments"] or row["credits"]
    ]
    assert payments == len(with_payments)


def test_a_batch_of_invoices_costs_one_call_for_heads_and_one_for_each_kind_of_line() -> None:
    world = sandboxed_world(customers=40, invoices=CHUNK)
    psa = world.psa()

    psa.fetch(INVOICES, [row["id"] for row in world.engine.tenant.store[Kind.INVOICE]])

    calls = dict(psa.calls)
    calls.pop(PAYMENTS)
    assert set(calls.values()) == {1}
    assert len(calls) == 4


def test_a_thousand_customers_with_their_mail_cost_few_calls(
    capsys: pytest.CaptureFixture[str],
) -> None:
    world = sandboxed_world(customers=1_000, invoices=10)
    psa = world.psa()

    page = psa.list_records(RecordKind.CUSTOMER, after_id=0, limit=1_000)
    ids = [head.source_id for head in page.records]
    for start in range(0, len(ids), CHUNK):
        psa.fetch(CUSTOMERS, ids[start : start + CHUNK])

    with capsys.disabled():
        print(f"\n{len(ids)} customers: {sum(psa.calls.values())} calls {dict(psa.calls)}")
    assert sum(psa.calls.values()) <= MAX_CALLS_PER_1000_CUSTOMERS


def test_no_url_is_longer_than_connectwise_allows() -> None:
    world = sandboxed_world(customers=30, invoices=400)
    psa = world.psa()
    ids = [row["id"] for row in world.engine.tenant.store[Kind.INVOICE]]

    psa.fetch(INVOICES, [*ids, *range(2_000_000_000, 2_000_000_300)])
    psa.list_records_by_id(RecordKind.INVOICE, ids)

    api = len("https://api-na.myconnectwise.net")
    longest = max(len(call.target) for call in world.engine.calls.recent(5_000))
    assert 1_800 < longest + api <= 2_000
