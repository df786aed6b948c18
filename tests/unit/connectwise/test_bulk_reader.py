"""Following lists to their end, whatever the server says about it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from bridge.connectwise.bulk_reader import BulkReader, row_id
from bridge.domain.errors import UnavailableError
from tests.unit.connectwise.bench import Bench, bench

NEXT = {"Link": '<https://api/x?pageId=9>; rel="next"'}
ENDED = {"Link": ""}


def page(*ids: object, **headers: str) -> httpx.Response:
    return httpx.Response(200, json=[{"id": each} for each in ids], headers=headers)


def ids(rows: list[Mapping[str, Any]]) -> list[int | None]:
    return [row_id(row) for row in rows]


def sent_queries(it: Bench) -> list[dict[str, str]]:
    return [dict(request.url.params) for request in it.sent]


# --- forward -----------------------------------------------------------------------------------


def test_forward_pages_go_on_from_the_last_id() -> None:
    it = bench(page(3, 4, **NEXT), page(9, **NEXT), page(**ENDED))

    found = BulkReader(it.client()).forward("/x", {"fields": "id"}, after_id=2, limit=5)

    assert (ids(list(found.rows)), found.last_id, found.is_last) == ([3, 4, 9], 9, True)
    assert [query["pageId"] for query in sent_queries(it)] == ["2", "4", "9"]
    assert [query["pageSize"] for query in sent_queries(it)] == ["5", "3", "2"]
    assert {request.headers["pagination-type"] for request in it.sent} == {"forward-only"}
    assert not [query for query in sent_queries(it) if "orderBy" in query]


def test_without_a_link_header_a_short_page_is_the_last() -> None:
    it = bench(page(1, 2), page(3))

    found = BulkReader(it.client()).forward("/x", {}, after_id=0, limit=2)
    rest = BulkReader(it.client()).forward("/x", {}, after_id=2, limit=2)

    assert (found.is_last, rest.is_last) == (False, True)


@pytest.mark.parametrize("answer", [page(2, 1, **NEXT), page("a", **NEXT), page(None, **NEXT)])
def test_pages_that_do_not_advance_end_it(answer: httpx.Response) -> None:
    it = bench(answer)

    with pytest.raises(UnavailableError):
        BulkReader(it.client()).forward("/x", {}, after_id=2, limit=5)


@pytest.mark.parametrize("value", [{"id": 1}, None, "text", 5])
def test_an_answer_that_is_no_list_is_unavailable(value: object) -> None:
    it = bench(httpx.Response(200, content=httpx.Response(200, json=value).content or b"null"))

    with pytest.raises(UnavailableError):
        BulkReader(it.client()).forward("/x", {}, after_id=0, limit=5)


# --- by ids ------------------------------------------------------------------------------------


def test_a_long_list_is_continued_behind_its_last_id() -> None:
    it = bench(
        page(5, 6, Link='<u>; rel="first", <u>; rel="next"'), page(7, Link='<u>; rel="prev"')
    )

    sifted = BulkReader(it.client()).by_ids("/x", {"fields": "id"}, [2, 1], path="invoice/id")

    assert ids(sifted.rows) == [5, 6, 7]
    first, second = sent_queries(it)
    assert first["conditions"] == "invoice/id in (1,2)"
    assert second["conditions"] == "invoice/id in (1,2) and id>6"
    assert first["orderBy"] == second["orderBy"] == "id"


def test_an_alternative_in_conditions_stays_together_when_continued() -> None:
    it = bench(page(5, **NEXT), page(**ENDED))

    BulkReader(it.client()).all("/x", {"conditions": "a=1 or b=2"})

    assert sent_queries(it)[1]["conditions"] == "(a=1 or b=2) and id>5"


def test_rows_without_ids_cannot_be_continued() -> None:
    it = bench(page(None, **NEXT))

    with pytest.raises(UnavailableError):
        BulkReader(it.client()).by_ids("/x", {}, [1])


def test_a_list_that_never_ends_is_given_up() -> None:
    def endless(request: httpx.Request) -> httpx.Response:
        last = re.search(r"id>(\d+)", request.url.params.get("conditions", ""))
        return page(int(last[1]) + 1 if last else 1, **NEXT)

    it = bench()
    it.play = endless  # type: ignore[method-assign]

    with pytest.raises(UnavailableError):
        BulkReader(it.client()).all("/x", {})


@pytest.mark.parametrize("value", [{}, {"count": "5"}, {"count": -1}, {"count": True}, [5], 5])
def test_an_answer_that_is_no_count_is_unavailable(value: object) -> None:
    it = bench(httpx.Response(200, json=value))

    with pytest.raises(UnavailableError):
        BulkReader(it.client()).count("/x", {})
