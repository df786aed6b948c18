"""Lists of servers that cap, overfill or misorder pages, or manage small ones; odd clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from bridge.connectwise import bulk_reader
from bridge.connectwise.psa import ConnectWisePsa
from bridge.domain.errors import UntrueListError
from bridge.domain.identity import RecordKind
from bridge.domain.mirrored_kinds import CUSTOMERS, INVOICES
from bridge.ports import ListedPage
from connectwise_sandbox.kinds import Kind
from tests.fakes.clock import START
from tests.unit.connectwise.sandbox import World, sandboxed_world

INVOICE, CUSTOMER = RecordKind.INVOICE, RecordKind.CUSTOMER


@pytest.fixture(scope="module")
def stocked() -> World:
    return sandboxed_world(customers=12, invoices=130)


@pytest.fixture
def world() -> World:
    return sandboxed_world(customers=12, invoices=130)


def switch(world: World, **switches: Any) -> None:
    for name, value in switches.items():
        setattr(world.engine.switches, name, value)


def ids(world: World, kind: Kind = Kind.INVOICE) -> list[int]:
    return [row["id"] for row in world.engine.tenant.store[kind]]


def all_pages(psa: ConnectWisePsa, kind: RecordKind = INVOICE) -> list[ListedPage]:
    pages, after_id, size = [], 0, 1_000
    for _ in range(200):
        page = psa.list_records(kind, after_id=after_id, limit=size)
        pages.append(page)
        if page.is_last:
            return pages
        after_id, size = page.last_id, page.managed_size
    raise AssertionError("the list does not end")


def listed(pages: list[ListedPage]) -> list[int]:
    return [each.source_id for page in pages for each in page.records]


@pytest.mark.parametrize("rows", [1, 7, 100])
def test_a_server_that_caps_its_pages_without_a_word_is_read_to_the_end(
    world: World, rows: int
) -> None:
    switch(world, page_row_limit=rows, link_header=False, requests_per_minute=0)
    psa = world.psa()

    assert listed(all_pages(psa)) == ids(world)
    assert set(psa.fetch(INVOICES, ids(world)[:20]).found) == set(ids(world)[:20])
    assert len(psa.list_billing_statuses()) == len(
        [row for row in world.engine.tenant.store[Kind.BILLING_STATUS] if not row["inactiveFlag"]]
    )


def test_lines_and_payments_are_whole_whatever_the_pages(world: World) -> None:
    whole = world.psa().fetch(INVOICES, ids(world)[:40]).found
    switch(world, page_row_limit=2, link_header=False, requests_per_minute=0)

    assert world.psa().fetch(INVOICES, ids(world)[:40]).found == whole


def test_an_invoice_with_too_many_lines_is_shown_and_says_what_it_lacks(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = ids(world)[:40]
    whole = world.psa().fetch(INVOICES, wanted).found
    monkeypatch.setattr(bulk_reader, "MAX_ROWS_OF_ONE", 2)

    fetched = world.psa().fetch(INVOICES, wanted)

    assert (set(fetched.found), fetched.broken) == (set(wanted), {})
    assert fetched.incomplete
    for source_id, sentence in fetched.incomplete.items():
        assert f"the lines of invoice {whole[source_id].number} are left out" in sentence
    for source_id, invoice in fetched.found.items():
        assert invoice.total_minor == whole[source_id].total_minor
        assert sum(line.amount_minor for line in invoice.line_items) == invoice.total_minor


@pytest.mark.parametrize("answer", ["html_502", "html_503", "html_504", "json_500", "nothing"])
@pytest.mark.parametrize("rows", [1, 30])
def test_a_server_that_does_not_manage_large_pages_is_read_in_small_ones(
    world: World, answer: str, rows: int
) -> None:
    switch(world, heavy_page_rows=rows, heavy_page_answer=answer, requests_per_minute=0)
    psa = world.psa()
    world.clock.set_remaining(100_000)

    pages = all_pages(psa)
    wanted = ids(world)[:12]
    fetched = psa.fetch(INVOICES, wanted)

    assert listed(pages) == ids(world)
    assert [page.broken_ids for page in pages if page.broken_ids] == []
    assert pages[-1].managed_size <= rows
    assert (set(fetched.found), fetched.broken) == (set(wanted), {})
    assert set(psa.fetch(CUSTOMERS, ids(world, Kind.COMPANY)).found) == set(
        ids(world, Kind.COMPANY)
    )


@pytest.mark.parametrize(
    "switches", [{"page_surplus_rows": 1}, {"forward_only_order": "falling"}], ids=str
)
def test_a_list_that_no_true_server_gives_is_refused(
    world: World, switches: dict[str, Any]
) -> None:
    switch(world, **switches)

    with pytest.raises(UntrueListError):
        world.psa().list_records(INVOICE, after_id=0, limit=50)


def test_a_list_costs_no_call_more_where_the_header_says_that_it_ends(stocked: World) -> None:
    psa = stocked.psa()

    psa.list_billing_statuses()

    assert sum(psa.calls.values()) == 1


# --- clocks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("minutes", [-20, 20])
def test_the_servers_own_clock_is_told_as_it_is(world: World, minutes: int) -> None:
    switch(world, server_clock_minutes_off=minutes)

    page = world.psa().list_records(INVOICE, after_id=0, limit=1)

    assert page.server_time == START + timedelta(minutes=minutes)


class Dated(httpx.BaseTransport):
    """Answers every list with one record and a ``Date`` of a test's choice."""

    def __init__(self, date: str) -> None:
        self._date = date

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=[{"id": 7}], headers={"Date": self._date, "Link": ""})


@pytest.mark.parametrize(
    "date",
    [
        "Fri, 31 Dec 9999 23:59:59 -1400",
        "Mon, 01 Jan 0001 00:00:00 +1400",
        "Thu, 01 Jan 2099 00:00:00 GMT",
        "yesterday",
        "",
    ],
)
def test_no_date_of_a_server_costs_a_list(world: World, date: str) -> None:
    psa = world.gateway(Dated(date)).open(world.connection)

    page = psa.list_records(INVOICE, after_id=0, limit=10)

    assert [each.source_id for each in page.records] == [7]
    assert page.server_time in (
        START,
        datetime(2099, 1, 1, tzinfo=UTC),
        datetime(2000, 12, 31, 10, tzinfo=UTC),  # a year of two digits, to Python's parser
    )


# --- what moves without a new date of change ------------------------------------------------------


def moved(world: World, kind: RecordKind, before: dict[int, str]) -> set[int]:
    after = {
        each.source_id: each.change_fingerprint
        for page in all_pages(world.psa(), kind)
        for each in page.records
    }
    return {each for each in after if after[each] != before.get(each)}


def marks(world: World, kind: RecordKind) -> dict[int, str]:
    return {
        each.source_id: each.change_fingerprint
        for page in all_pages(world.psa(), kind)
        for each in page.records
    }


def test_a_merge_moves_the_marks_of_the_invoices_that_it_moved(world: World) -> None:
    invoices = world.engine.tenant.store[Kind.INVOICE]
    loser = next(iter(invoices))["company"]["id"]
    winner = next(each for each in ids(world, Kind.COMPANY) if each != loser)
    theirs = {row["id"] for row in invoices if row["company"]["id"] == loser}
    before = marks(world, INVOICE)

    world.engine.people.merge_companies(loser, winner)

    assert moved(world, INVOICE, before) == theirs


@pytest.mark.parametrize("change", [{"name": "Mailed out"}, {"closedFlag": True}], ids=str)
def test_a_status_that_is_renamed_or_closes_moves_its_invoices_marks(
    world: World, change: dict[str, Any]
) -> None:
    invoices = world.engine.tenant.store[Kind.INVOICE]
    statuses = world.engine.tenant.store[Kind.BILLING_STATUS]
    status = next(
        row
        for row in statuses
        if not row["closedFlag"] and any(each["status"]["id"] == row["id"] for each in invoices)
    )
    theirs = {row["id"] for row in invoices if row["status"]["id"] == status["id"]}
    before = marks(world, INVOICE)

    statuses.put(status | change)
    for row in [row for row in invoices if row["id"] in theirs]:
        shown = {"name": change.get("name", status["name"])}
        shown["isClosed"] = change.get("closedFlag", False)
        invoices.put(row | {"status": row["status"] | shown})

    assert moved(world, INVOICE, before) == theirs
