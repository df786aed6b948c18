"""Indexes find what conditions ask for, and a page touches about as many records as it shows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectwise_sandbox.clock import wire_time
from connectwise_sandbox.in_process_client import INVOICES, PsaClient
from connectwise_sandbox.kinds import Kind, Record
from connectwise_sandbox.listing import narrow_table
from connectwise_sandbox.query import compile_conditions, shape_of
from connectwise_sandbox.records import Records
from connectwise_sandbox.store import Table

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
SHAPE = shape_of("productItem")


def product(record_id: int, invoice_id: int, second: int | None = 0, quantity: int = 1) -> Record:
    """Return a product that was changed so many seconds after BEGIN, None for unknown."""
    record: Record = {"id": record_id, "invoice": {"id": invoice_id}, "quantity": quantity}
    if second is not None:
        record["_info"] = {"lastUpdated": wire_time(BEGIN + timedelta(seconds=second))}
    return record


small = st.integers(0, 6)
products = st.builds(product, small, small, st.none() | small, small)
moments = st.builds(
    "[2026-01-01T00:00:0{}{}]".format, small, st.sampled_from(["", "Z", ".5Z", ".000001"])
)
clauses = st.one_of(
    st.builds("id {} {}".format, st.sampled_from(["=", "<", "<=", ">", ">=", "!="]), small),
    st.builds("ID > {}.5".format, small),
    st.builds("id in ({}, {})".format, small, small),
    st.builds("Invoice/Id in ({}, {})".format, small, small),
    st.builds("invoice/id = {}".format, small),
    st.builds("company/id = {}".format, small),
    st.builds("invoice/id not in ({})".format, small),
    st.builds("quantity > {}".format, small),
    st.builds(
        "lastUpdated {} {}".format, st.sampled_from(["=", "<", "<=", ">", ">=", "!="]), moments
    ),
)
queries = st.one_of(
    st.just(""),
    clauses,
    st.lists(clauses, min_size=2, max_size=4).map(" and ".join),
    st.lists(clauses, min_size=2, max_size=3).map(" or ".join),
    st.builds("{} and ({} or {})".format, clauses, clauses, clauses),
)


def ids(records: Any) -> list[int]:
    return [record["id"] for record in records]


@settings(deadline=None, max_examples=400)
@given(
    before=st.lists(products, max_size=8),
    after=st.lists(products | st.integers(0, 6), max_size=6),
    query=queries,
    last_id=st.integers(-1, 7),
)
def test_indexes_never_change_what_is_found_whatever_was_stored_and_removed(
    before: list[Record], after: list[Record | int], query: str, last_id: int
) -> None:
    table = Table(Kind.PRODUCT, Random(1))
    for record in before:
        table.put(record)
    narrow_table(table, "lastUpdated > [2026-01-01]", SHAPE)
    for change in after:
        if isinstance(change, dict):
            table.put(change)
        elif table.get(change) is not None:
            table.remove(change)
    meets = compile_conditions(query, SHAPE)
    expected = [record["id"] for record in table if meets(record)]

    found = narrow_table(table, query, SHAPE)

    assert ids(filter(meets, found)) == expected
    if found.met == query:
        assert ids(found) == ids(found[:99]) == expected
        assert len(found) == len(found.counted()) == len(expected)
    assert ids(filter(meets, found.after(last_id))) == [each for each in expected if each > last_id]


@pytest.mark.parametrize(
    "query",
    [
        "invoice/id in (1, 2)",
        "id > 2 and ID <= 4",
        "lastUpdated >= [2026-01-01] and lastUpdated < [2026-01-02]",
        "lastUpdated > [2026-01-01T00:00:04] and id > 0",
        "id in (1, 2) and invoice/id = 1",
    ],
)
def test_conditions_that_indexes_know_need_no_look_at_the_records(query: str) -> None:
    table = Table(Kind.PRODUCT, Random(1))
    for number in range(6):
        table.put(product(number, number, number))

    assert narrow_table(table, query, SHAPE).met == query


# The work of one call ---------------------------------------------------------------------------

SIZES = (100, 3_000)


class CountingDict(dict[int, Record]):
    """Counts how often a record is looked at."""

    looks = 0

    def __getitem__(self, key: int) -> Record:
        type(self).looks += 1
        return super().__getitem__(key)


@pytest.fixture(scope="module", params=SIZES)
def large(request: pytest.FixtureRequest) -> Iterator[PsaClient]:
    """Books of different sizes, whose tables count how many records are looked at."""
    psa = PsaClient(seed=3, customers=8, invoices=1)
    template = next(iter(psa.tenant.store[Kind.INVOICE]))
    line = next(iter(psa.tenant.store[Kind.PRODUCT]))
    for number in range(request.param):
        moment = wire_time(BEGIN + timedelta(minutes=number))
        info = template["_info"] | {"lastUpdated": moment}
        company = template["company"] | {"id": number % (request.param // 10)}
        invoice_id = 3_000_000 + number
        psa.tenant.store[Kind.INVOICE].put(
            template | {"id": invoice_id, "company": company, "_info": info}
        )
        psa.tenant.store[Kind.PRODUCT].put(
            line | {"id": 6_000_000 + number, "invoice": {"id": invoice_id}}
        )
    for kind in (Kind.INVOICE, Kind.PRODUCT, Kind.PAYMENT):
        table = psa.tenant.store[kind]
        table._records = CountingDict(table._records)
    yield psa
    CountingDict.looks = 0


LAST_CHANGES = {size: wire_time(BEGIN + timedelta(minutes=size - 20, seconds=-1)) for size in SIZES}
CALLS: list[tuple[str, dict[str, Any], bool]] = [
    (f"{INVOICES}/3000050", {}, False),
    (f"{INVOICES}/3000050/payments", {}, False),
    (INVOICES, {"pageSize": 25}, False),
    (INVOICES, {"pageSize": 25, "page": 3, "orderBy": "id asc"}, False),
    (INVOICES, {"pageSize": 25, "pageId": 3_000_060}, True),
    (INVOICES, {"pageSize": 25, "conditions": "id > 3000060", "orderBy": "id"}, False),
    (INVOICES, {"pageSize": 25, "conditions": "id in (3000001, 3000051)"}, False),
    (INVOICES, {"pageSize": 25, "conditions": "company/id = 7"}, False),
    (INVOICES, {"conditions": "lastUpdated > [{changed}]"}, False),
    (INVOICES, {"conditions": "lastUpdated > [{changed}]"}, True),
    (INVOICES, {"conditions": "lastUpdated > [2020-01-01]"}, False),
    (INVOICES, {"conditions": "lastUpdated > [2020-01-01]", "pageId": 3_000_060}, True),
    (INVOICES, {"conditions": "total != null and balance != null"}, True),
    ("/procurement/products", {"conditions": "invoice/id in (3000001, 3000051)"}, False),
    (f"{INVOICES}/count", {}, False),
    (f"{INVOICES}/count", {"conditions": "lastUpdated > [{changed}]"}, False),
    (f"{INVOICES}/count", {"conditions": "lastUpdated > [2020-01-01]"}, False),
    (f"{INVOICES}/count", {"conditions": "id > 3000060"}, False),
]


@pytest.mark.parametrize(("path", "parameters", "is_forward"), CALLS)
def test_a_call_looks_at_few_records_however_many_there_are(
    large: PsaClient, path: str, parameters: dict[str, Any], is_forward: bool
) -> None:
    changed = LAST_CHANGES[len(large.tenant.store[Kind.INVOICE]) - 1]
    parameters = {
        name: value.format(changed=changed) if isinstance(value, str) else value
        for name, value in parameters.items()
    }
    send = large.forward if is_forward else lambda *a, **kw: large.send("GET", *a, **kw)
    send(path, **parameters)
    CountingDict.looks = 0

    answer = send(path, **parameters)

    assert answer.status == 200
    assert CountingDict.looks <= 2 * 25


def test_records_may_stand_in_no_table() -> None:
    records = Records.of([{"id": 3}, {"id": 1}, {"id": 2}])

    assert ids(records) == [1, 2, 3]
    assert ids(records.after(1)) == [2, 3]
    assert ids(records.where(lambda record: record["id"] != 2)[1:]) == [3]
    assert records[0] == {"id": 1}
    assert len(records.where(lambda record: record["id"] > 1).counted()) == 2
