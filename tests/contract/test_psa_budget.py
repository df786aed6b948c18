"""How many calls ConnectWise is asked to bear."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from bridge.domain.identity import RecordKind
from bridge.domain.mirrored_kinds import CUSTOMERS, INVOICES
from bridge.mirror.page_refresh import REFRESH_BATCH
from bridge.ports import ReadingPlan
from connectwise_sandbox.kinds import Kind
from tests.unit.connectwise.sandbox import sandboxed_world

CHUNK = REFRESH_BATCH
PAYMENTS = "GET /finance/invoices/{id}/payments"
MAX_CALLS_PER_1000_INVOICES = 30
MAX_CALLS_PER_1000_CUSTOMERS = 20
MAX_CALLS_PER_1000_IMPORTED = 8


def _has_payments(row: Mapping[str, Any]) -> bool:
    return bool(row["payments"] or row["credits"] or row["balance"] != row["total"])


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


def test_an_import_of_a_thousand_invoices_costs_eight_calls_and_one_for_each_that_is_partly_paid(
    capsys: pytest.CaptureFixture[str],
) -> None:
    # Given a thousand invoices, most of them paid
    world = sandboxed_world(customers=200, invoices=1_000)
    psa = world.psa()
    rows = list(world.engine.tenant.store[Kind.INVOICE])

    # When they are listed with their heads, and fetched with the payments of open ones alone
    page = psa.list_records(RecordKind.INVOICE, after_id=0, limit=1_000, with_heads=True)
    ids = [head.source_id for head in page.records]
    plan = ReadingPlan(heads=page.heads, is_gapless=page.is_gapless, settled_later=True)
    fetched = psa.fetch(INVOICES, ids, plan=plan)

    # Then all are whole but for the payments of settled ones
    calls = dict(psa.calls)
    payments = calls.pop(PAYMENTS)
    with capsys.disabled():
        print(f"\n{len(ids)} imported: {sum(calls.values())} calls {calls}, {payments} payments'")
    assert sum(calls.values()) <= MAX_CALLS_PER_1000_IMPORTED
    assert payments == sum(1 for row in rows if row["balance"] and _has_payments(row))
    settled = {row["id"] for row in rows if not row["balance"] and _has_payments(row)}
    assert fetched.awaiting_payments == settled
    for source_id, whole in world.psa().fetch(INVOICES, ids[::10]).found.items():
        invoice = fetched.found[source_id]
        assert invoice == (replace(whole, payments=()) if source_id in settled else whole)


def test_lines_of_scattered_invoices_are_read_by_their_ids() -> None:
    world = sandboxed_world(customers=40, invoices=600)
    every_third = [row["id"] for row in world.engine.tenant.store[Kind.INVOICE]][::3]
    psa = world.psa()

    psa.fetch(INVOICES, every_third[:190])
    by_ids = dict(psa.calls)

    assert by_ids["GET /procurement/products"] == 1
    assert all(
        "in%20(" in call.target for call in world.engine.calls.recent(4) if "product" in call.target
    )


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
