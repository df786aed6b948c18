"""Servers that page, date or order their lists oddly cost time, and never a record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bridge.connectwise.psa import ConnectWisePsa
from bridge.domain.errors import UntrueListError
from bridge.domain.identity import RecordKind
from bridge.domain.mirrored_kinds import INVOICES
from connectwise_sandbox.faults import Effect, Fault
from connectwise_sandbox.kinds import Kind
from connectwise_sandbox.messages import RawJson
from connectwise_sandbox.tenant import Corruption
from tests.fakes.clock import START
from tests.unit.connectwise.sandbox import World, sandboxed_world

INVOICE = RecordKind.INVOICE
MAX_PAGES = 200


@pytest.fixture
def world() -> World:
    return sandboxed_world(customers=6, invoices=60)


def stored_ids(world: World) -> list[int]:
    return [row["id"] for row in world.engine.tenant.store[Kind.INVOICE]]


def switch(world: World, **values: object) -> None:
    for name, value in values.items():
        setattr(world.engine.switches, name, value)


def listed_ids(psa: ConnectWisePsa, limit: int) -> list[int]:
    """Return the ids of a whole list; raises ValueError for one that does not end."""
    listed: list[int] = []
    after_id = 0
    for _ in range(MAX_PAGES):
        page = psa.list_records(INVOICE, after_id=after_id, limit=limit)
        listed += [head.source_id for head in page.records]
        if page.is_last:
            return listed
        after_id = page.last_id
    raise ValueError("the list does not end")


@pytest.mark.parametrize("has_link", [True, False])
@pytest.mark.parametrize("row_limit", [7, 60, 1_000])
def test_a_server_that_caps_its_pages_is_read_to_the_end(
    world: World, row_limit: int, has_link: bool
) -> None:
    switch(world, page_row_limit=row_limit, link_header=has_link)

    assert listed_ids(world.psa(), 1_000) == stored_ids(world)


@pytest.mark.parametrize("has_link", [True, False])
def test_the_lines_and_payments_of_a_server_that_caps_its_pages_are_complete(
    world: World, has_link: bool
) -> None:
    expected = world.psa().fetch(INVOICES, stored_ids(world)).found
    switch(world, page_row_limit=3, link_header=has_link)

    assert world.psa().fetch(INVOICES, stored_ids(world)).found == expected


@pytest.mark.parametrize("answer", ["html_502", "html_503", "html_504", "json_500", "nothing"])
def test_pages_that_a_server_cannot_bear_are_asked_for_smaller(world: World, answer: str) -> None:
    switch(world, heavy_page_rows=20, heavy_page_answer=answer)

    assert listed_ids(world.psa(), 1_000) == stored_ids(world)


@pytest.mark.parametrize(
    "trouble", [{"page_surplus_rows": 5}, {"forward_only_order": "falling"}], ids=str
)
def test_a_list_of_too_many_rows_or_of_falling_ids_is_not_believed(
    world: World, trouble: dict[str, object]
) -> None:
    switch(world, **trouble)

    with pytest.raises(UntrueListError):
        listed_ids(world.psa(), 10)


@pytest.mark.parametrize("minutes", [-20, 0, 20])
def test_a_page_carries_the_servers_clock_even_where_it_is_off(world: World, minutes: int) -> None:
    switch(world, server_clock_minutes_off=minutes)

    page = world.psa().list_records(INVOICE, after_id=0, limit=10)

    assert page.server_time == START + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Thu, 31 Dec 2099 23:59:59 GMT", datetime(2099, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("Fri, 31 Dec 9999 23:59:59 -1400", START),
        ("yesterday", START),
    ],
)
def test_a_date_that_cannot_be_read_costs_no_page_and_counts_as_our_own_time(
    world: World, text: str, moment: datetime
) -> None:
    world.engine.faults.add(Fault(effect=Effect.OTHER_DATE, date=text, times=100))

    page = world.psa().list_records(INVOICE, after_id=0, limit=1_000)

    assert [head.source_id for head in page.records] == stored_ids(world)
    assert page.server_time == moment


@pytest.mark.parametrize(
    "text",
    ["1e1000000", "1e99999999999999999999", "9" * 5_000, "[" * 100_000 + "]" * 100_000, "NaN"],
    ids=lambda text: text[:12],
)
def test_a_row_of_any_text_is_named_and_the_rest_of_its_page_is_read(
    world: World, text: str
) -> None:
    every = stored_ids(world)
    world.engine.tenant.corruptions[Kind.INVOICE, every[4]] = Corruption(
        None, {"total": RawJson(text)}
    )

    fetched = world.psa().fetch(INVOICES, every)

    assert list(fetched.broken) == [every[4]]
    assert set(fetched.found) == {*every} - {every[4]}
    assert listed_ids(world.psa(), 1_000) == every
