"""What every ledger lists as due: a share of each partner's, however much of one is stuck."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bridge.domain.identity import mirrored_id
from bridge.domain.platform_payment import Allocation
from bridge.domain.write_back import WriteBack
from bridge.ports import LedgerStore
from bridge.store import due_listing, keys
from bridge.store.table import Table
from tests.builders.payments import a_platform_payment, write_backs_for
from tests.builders.records import CONNECTION, OTHER_CONNECTION, OTHER_PARTNER, PARTNER
from tests.contract.ledger import MINUTE, LedgerTable
from tests.fakes.clock import START, FakeClock

NOW = START + 60 * MINUTE
AT_ONCE = 40


def record(
    ledger: LedgerStore,
    count: int,
    *,
    partner_id: str = PARTNER,
    connection_id: str = CONNECTION,
    first_due: datetime = START,
) -> list[WriteBack]:
    """Record so many write-backs of a partner, each due a second after the one before."""
    made: list[WriteBack] = []
    while len(made) < count:
        numbers = range(len(made), min(len(made) + AT_ONCE, count))
        payment = a_platform_payment(
            f"{connection_id[-4:]}-{len(made)}",
            partner_id=partner_id,
            allocations=tuple(
                Allocation(mirrored_id(connection_id, 1001 + number), 100) for number in numbers
            ),
        )
        write_backs = [
            replace(write_back, due_at=first_due + timedelta(seconds=number))
            for number, write_back in zip(numbers, write_backs_for(payment), strict=True)
        ]
        ledger.record(payment, write_backs)
        made += write_backs
    return made


def partners_of(due: Sequence[WriteBack]) -> Counter[str]:
    return Counter(each.partner_id for each in due)


def test_500_stuck_ones_of_one_partner_hide_nothing_of_another(ledger: LedgerStore) -> None:
    record(ledger, 520)
    (fresh,) = record(
        ledger,
        1,
        partner_id=OTHER_PARTNER,
        connection_id=OTHER_CONNECTION,
        first_due=START + 30 * MINUTE,
    )
    due = ledger.list_due(NOW, limit=500)
    assert fresh in due[:2]
    assert partners_of(due) == {PARTNER: 50, OTHER_PARTNER: 1}
    assert ledger.list_due(NOW, limit=2)[1] == fresh


def test_a_partner_gets_its_longest_due_ones(ledger: LedgerStore) -> None:
    made = record(ledger, 130)
    assert ledger.list_due(NOW, limit=500, share=120) == tuple(made[:120])
    assert ledger.list_due(NOW, limit=500, share=7) == tuple(made[:7])
    assert ledger.list_due(START + timedelta(seconds=4), limit=500) == tuple(made[:5])


def test_partners_come_in_turn(ledger: LedgerStore) -> None:
    many = record(ledger, 9)
    few = record(
        ledger,
        2,
        partner_id=OTHER_PARTNER,
        connection_id=OTHER_CONNECTION,
        first_due=START + MINUTE,
    )
    due = ledger.list_due(NOW, limit=6, share=5)
    assert due == (many[0], few[0], many[1], few[1], many[2], many[3])


def test_a_connection_that_does_not_answer_gets_one(ledger: LedgerStore) -> None:
    silent = record(ledger, 60)
    others = record(ledger, 60, connection_id=OTHER_CONNECTION, first_due=START + MINUTE)
    due = ledger.list_due(NOW, limit=500, silent={CONNECTION})
    assert due == (silent[0], *others[:49])


def test_a_partners_connections_come_in_turn(ledger: LedgerStore) -> None:
    first = record(ledger, 60)
    second = record(ledger, 60, connection_id=OTHER_CONNECTION, first_due=START + MINUTE)
    due = ledger.list_due(NOW, limit=500, share=4)
    assert due == (first[0], second[0], first[1], second[1])


def test_partners_whose_ids_begin_alike_are_told_apart(ledger: LedgerStore) -> None:
    for number, partner_id in enumerate(("p", "p-", "p.", "pp", "p_")):
        connection_id = f"{number}" * 32
        record(ledger, 3, partner_id=partner_id, connection_id=connection_id)
    due = ledger.list_due(NOW, limit=500, share=2)
    assert set(partners_of(due).values()) == {2}
    assert len(partners_of(due)) == 5


# --- what the index holds ----------------------------------------------------------------------


@pytest.fixture
def on_table(ledger_table: LedgerTable, clock: FakeClock) -> LedgerStore:
    return ledger_table.store(clock)


def items_of(ledger_table: LedgerTable) -> list[Any]:
    found = ledger_table.client.scan(TableName=ledger_table.name)["Items"]
    return [item for item in found if item["sk"]["S"].startswith("WRITE_BACK#")]


def make_old(ledger_table: LedgerTable) -> None:
    """Leave the items as version 0.1.0 wrote them."""
    for item in items_of(ledger_table):
        kept = {name: value for name, value in item.items() if not name.startswith("gsi3")}
        ledger_table.client.put_item(TableName=ledger_table.name, Item=kept)


def test_what_is_due_stands_with_its_connection_in_the_due_index(
    ledger_table: LedgerTable, on_table: LedgerStore
) -> None:
    record(on_table, 1)
    (item,) = items_of(ledger_table)
    spread, partner, connection, at, write_back = item["gsi3sk"]["S"].split("#")
    assert item["gsi3pk"]["S"] == f"DUE_WRITE_BACK#{int(spread, 16) % 4}"
    assert (partner, connection) == (PARTNER, CONNECTION)
    assert (at, write_back) == ("2026-03-02T09:00:00.000000Z", f"{CONNECTION[-4:]}-0.1001")
    assert item["gsi1pk"]["S"] == "DUE_WRITE_BACK", "where workers of 0.1.0 look"


def test_what_version_0_1_0_wrote_is_found(
    ledger_table: LedgerTable, on_table: LedgerStore
) -> None:
    record(on_table, 60)
    (other,) = record(on_table, 1, partner_id=OTHER_PARTNER, connection_id=OTHER_CONNECTION)
    make_old(ledger_table)
    due = on_table.list_due(NOW, limit=500)
    assert partners_of(due) == {PARTNER: 50, OTHER_PARTNER: 1}
    assert other in due[:2]


def test_a_record_that_nobody_can_read_keeps_no_other_waiting(
    ledger_table: LedgerTable, on_table: LedgerStore
) -> None:
    _, good = record(on_table, 2)
    broken = next(item for item in items_of(ledger_table) if item["sk"]["S"].endswith("-0"))
    key = {name: broken[name] for name in ("pk", "sk")}
    ledger_table.client.update_item(
        TableName=ledger_table.name,
        Key=key,
        UpdateExpression="SET #d.#s = :s",
        ExpressionAttributeNames={"#d": "data", "#s": "state"},
        ExpressionAttributeValues={":s": {"S": "of a later release"}},
    )
    due = on_table.list_due(NOW, limit=500)
    assert good in due
    assert len(due) == 1


@pytest.mark.parametrize("start", [0, 1, 0x7FFF, 0xFFFF])
def test_wherever_a_tick_begins_it_comes_round(
    start: int,
    ledger_table: LedgerTable,
    on_table: LedgerStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for number in range(12):
        record(on_table, 2, partner_id=f"partner-{number}", connection_id=f"{number:032x}")
    make_new_only(ledger_table)
    monkeypatch.setattr(random, "randrange", lambda _: start)
    due = on_table.list_due(NOW, limit=500)
    assert set(partners_of(due).values()) == {2}
    assert len(partners_of(due)) == 12


@pytest.mark.parametrize("page_size", [7, 10, 13, 35])
def test_a_page_that_ends_within_a_connection_cuts_nothing(
    page_size: int,
    ledger_table: LedgerTable,
    on_table: LedgerStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for number in range(5):
        record(on_table, 9, connection_id=f"{number:032x}")
    make_new_only(ledger_table)
    monkeypatch.setattr(due_listing, "_PAGE_SIZE", page_size)
    due = due_listing.read_due(
        Table(ledger_table.client, ledger_table.name, FakeClock()), NOW, share=7
    )
    assert set(Counter(each.connection_id for each in due).values()) == {7}


def test_a_tick_reads_a_bounded_number_of_pages(
    ledger_table: LedgerTable, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one tick does not reach, another reaches that begins elsewhere."""
    on_table = ledger_table.store(clock)
    for number in range(20):
        record(on_table, 1, partner_id=f"partner-{number}", connection_id=f"{number:032x}")
    make_new_only(ledger_table)
    monkeypatch.setattr(due_listing, "MAX_READS_OF_SHARD", 1)
    monkeypatch.setattr(due_listing, "_PAGE_SIZE", 2)
    seen: set[str] = set()
    ticks = 0
    while len(seen) < 20 and ticks < 400:
        ticks += 1
        due = on_table.list_due(NOW, limit=500, share=1)
        assert len(due) <= 2 * len(keys.DUE_SHARDS)
        seen |= set(partners_of(due))
    assert len(seen) == 20


def make_new_only(ledger_table: LedgerTable) -> None:
    """Leave the items in the due index alone, as a later release will write them."""
    for item in items_of(ledger_table):
        kept = {name: value for name, value in item.items() if not name.startswith("gsi1")}
        ledger_table.client.put_item(TableName=ledger_table.name, Item=kept)
