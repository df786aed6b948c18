"""Following lists to their end, whatever the server says about it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from bridge.connectwise import held_rows
from bridge.connectwise.bulk_reader import BulkReader
from bridge.connectwise.call_limits import PAGE, RECORD
from bridge.connectwise.egress import UnsafeAnswerError
from bridge.connectwise.held_rows import MAX_ROWS_OF_ONE
from bridge.connectwise.listed_rows import row_id
from bridge.domain.errors import (
    OutOfTimeError,
    TooHeavyError,
    TooMuchTogetherError,
    UnavailableError,
    UntrueListError,
)
from tests.unit.connectwise.bench import Bench, Step, bench

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


def test_without_a_link_header_only_an_empty_page_is_the_last() -> None:
    """A server may cap its pages, and then a short page says nothing."""
    it = bench(page(1, 2), page(3), page())

    found = BulkReader(it.client()).forward("/x", {}, after_id=0, limit=2)
    rest = BulkReader(it.client()).forward("/x", {}, after_id=2, limit=2)

    assert (found.is_last, rest.is_last) == (False, True)
    assert ids(list(rest.rows)) == [3]


@pytest.mark.parametrize(
    "answer",
    [
        page(2, 3, **NEXT),
        page(4, 3, **NEXT),
        page(3, 3, **NEXT),
        page(3, 4, 5, 6, 7, 8, **NEXT),
        page(4, 3),
        page("a", **NEXT),
        page(None, **NEXT),
    ],
    ids=["from before", "backwards", "repeated", "too many", "end", "no id", "null"],
)
def test_pages_out_of_order_are_refused(answer: httpx.Response) -> None:
    it = bench(*[answer] * 3)

    with pytest.raises(UntrueListError):
        BulkReader(it.client()).forward("/x", {}, after_id=2, limit=5)


@pytest.mark.parametrize(
    ("link", "is_last"),
    [
        ("", True),
        ('<https://api/x?page=1>; rel="first", <https://api/x?page=2>; rel="prev"', True),
        ('<https://api/x?page=2>; rel="next", <https://api/x?page=9>; rel="last"', False),
        ("<https://api/x?page=2>; rel=NEXT", False),
        ('<https://api/x?page=2>; rel="last next"', False),
        ('<https://cdn.example>; rel="preconnect"', False),
        ('<https://api/docs>; rel="describedby"', False),
    ],
)
def test_a_link_header_ends_a_list_only_where_it_is_about_pages(link: str, is_last: bool) -> None:
    it = bench(page(3, Link=link), page())

    assert BulkReader(it.client()).forward("/x", {}, after_id=0, limit=1).is_last is is_last


def test_rows_without_a_usable_id_are_counted_and_the_list_goes_on() -> None:
    odd = httpx.Response(200, content=b'[{"id":1e1000000},{"id":4},null,{"id":"5"}]', headers=NEXT)
    it = bench(odd, page(6, **ENDED))

    found = BulkReader(it.client()).forward("/x", {}, after_id=2, limit=10)

    assert (ids(list(found.rows)), found.unreadable_rows) == ([4, 6], 3)


@pytest.mark.parametrize("junk", [[None], [None, []], ["text"]])
def test_a_page_of_nothing_but_junk_does_not_end_a_list(junk: list[object]) -> None:
    it = bench(httpx.Response(200, json=junk))

    with pytest.raises(UntrueListError):
        BulkReader(it.client()).forward("/x", {}, after_id=2, limit=5)


# --- what is too heavy -------------------------------------------------------------------------

HTML = "<html>Bad gateway</html>"
HEAVY: dict[str, Step] = {
    "time-out": httpx.ReadTimeout("no answer"),
    "too large": UnsafeAnswerError("too_large"),
    "500 JSON": httpx.Response(500, json={"code": "ConnectWiseApi", "message": "A timeout"}),
    "500 HTML": httpx.Response(500, html=HTML),
    "502 HTML": httpx.Response(502, html=HTML),
    "503 empty": httpx.Response(503),
    "504 text": httpx.Response(504, text="Gateway Time-out"),
}


def serve(it: Bench, *rows: int, heavy_above: int, answer: Step, link: bool = True) -> None:
    """Let the bench serve forward-only and navigable pages, failing on those of too many rows."""

    def play(request: httpx.Request) -> httpx.Response:
        it.sent.append(request)
        query = request.url.params
        if request.url.path.endswith("/count"):
            return httpx.Response(200, json={"count": len(rows)})
        last = re.search(r"id>(\d+)", query.get("conditions", ""))
        after_id = int(query.get("pageId", last[1] if last else 0))
        size = int(query["pageSize"])
        found = [each for each in rows if each > after_id][:size]
        if len(found) > heavy_above:
            if isinstance(answer, Exception):
                it.clock.advance(seconds=PAGE.seconds)
                raise answer
            return answer
        return page(*found, **({"Link": "" if not found else NEXT["Link"]} if link else {}))

    it.play = play  # type: ignore[method-assign]


@pytest.mark.parametrize("answer", HEAVY.values(), ids=HEAVY.keys())
@pytest.mark.parametrize("heavy_above", [1, 7, 100])
def test_a_page_that_is_too_heavy_gets_smaller(answer: Step, heavy_above: int) -> None:
    it = bench()
    serve(it, *range(1, 301), heavy_above=heavy_above, answer=answer)

    found = BulkReader(it.client()).forward("/x", {}, after_id=0, limit=1_000)

    assert ids(list(found.rows)) == list(range(1, 301))
    assert (found.is_last, found.broken_ids) == (True, ())
    assert heavy_above / 2 < found.managed_size <= heavy_above
    timed_out = [each for each in sent_queries(it) if each["pageSize"] == "1000"]
    assert len(timed_out) <= 3


def test_a_page_that_took_too_long_is_not_asked_for_again() -> None:
    it = bench()
    serve(it, *range(1, 301), heavy_above=100, answer=HEAVY["time-out"])

    BulkReader(it.client()).forward("/x", {}, after_id=0, limit=300)

    assert [query["pageSize"] for query in sent_queries(it)][:3] == ["300", "150", "75"]


def test_the_time_that_runs_out_keeps_what_was_learnt() -> None:
    it = bench()
    it.clock.set_remaining(100)
    serve(it, *range(1, 301), heavy_above=10, answer=HEAVY["time-out"])

    def play_with_time(request: httpx.Request) -> httpx.Response:
        it.clock.set_remaining(it.clock.remaining_seconds() - PAGE.seconds / 2)
        return serving(request)

    serving = it.play
    it.play = play_with_time  # type: ignore[method-assign]

    found = BulkReader(it.client()).forward("/x", {}, after_id=5, limit=1_000)

    assert (found.rows, found.last_id, found.is_last) == ((), 5, False)
    assert found.managed_size < 1_000


def test_no_time_at_all_teaches_nothing() -> None:
    it = bench()
    it.clock.set_remaining(1)

    with pytest.raises(OutOfTimeError):
        BulkReader(it.client()).forward("/x", {}, after_id=5, limit=1_000)


def test_a_page_of_one_that_takes_all_the_time_teaches_nothing() -> None:
    """Else a run would ask for it for ever: a page that was learnt from counts as done."""
    it = bench()
    it.clock.set_remaining(100)

    def play(request: httpx.Request) -> httpx.Response:
        it.sent.append(request)
        it.clock.set_remaining(it.clock.remaining_seconds() - RECORD.seconds)
        raise httpx.ReadTimeout("no answer")

    it.play = play  # type: ignore[method-assign]

    with pytest.raises(OutOfTimeError):
        BulkReader(it.client()).forward("/x", {}, after_id=5, limit=1)


@pytest.mark.parametrize("answer", HEAVY.values(), ids=HEAVY.keys())
def test_a_server_that_is_down_has_no_broken_rows(answer: Step) -> None:
    it = bench()

    def play(request: httpx.Request) -> httpx.Response:
        it.sent.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    it.play = play  # type: ignore[method-assign]
    reader = BulkReader(it.client())

    with pytest.raises(TooHeavyError):
        reader.forward("/x", {}, after_id=0, limit=1_000)
    with pytest.raises(TooHeavyError):
        reader.by_ids("/x", {}, range(1, 201))
    with pytest.raises(TooHeavyError):
        reader.all("/x", {})
    assert len(it.sent) < 100


def counted(conditions: str, count: int) -> int:
    """Count those of the ids from 1 on that lie in a range."""
    above, _, through = conditions.partition(" and id<=")
    return max(0, min(count, int(through or count)) - int(above.removeprefix("id>") or 0))


@pytest.mark.parametrize(("limit", "count"), [(1, 60), (5, 60), (1_000, 60)])
def test_a_server_that_counts_and_delivers_no_row_has_no_broken_rows(
    limit: int, count: int
) -> None:
    """Else each record of an outage would become a problem of its own."""
    it = bench()

    def play(request: httpx.Request) -> httpx.Response:
        it.sent.append(request)
        conditions = request.url.params.get("conditions", "")
        if request.url.path.endswith("/count"):
            return httpx.Response(200, json={"count": counted(conditions, count)})
        return httpx.Response(500, json={"code": "ConnectWiseApi", "message": "A timeout"})

    it.play = play  # type: ignore[method-assign]

    with pytest.raises(TooHeavyError):
        BulkReader(it.client()).forward("/x", {}, after_id=0, limit=limit)


def test_a_server_that_counts_whatever_it_is_asked_for_finds_no_broken_row() -> None:
    """It would find one after another, up to the highest id that there can be."""
    it = bench()

    def play(request: httpx.Request) -> httpx.Response:
        it.sent.append(request)
        if request.url.path.endswith("/count"):
            return httpx.Response(200, json={"count": 5})
        return httpx.Response(500, json={"code": "ConnectWiseApi", "message": "A timeout"})

    it.play = play  # type: ignore[method-assign]

    with pytest.raises(UnavailableError):
        BulkReader(it.client()).forward("/x", {}, after_id=0, limit=2)


@pytest.mark.parametrize("deliverable", ["id desc", "id"])
def test_rows_that_are_broken_on_a_whole_page_are_told_beside_another_row(
    deliverable: str,
) -> None:
    it = bench()

    def play(request: httpx.Request) -> httpx.Response:
        it.sent.append(request)
        query = request.url.params
        if request.url.path.endswith("/count"):
            return httpx.Response(200, json={"count": counted(query.get("conditions", ""), 60)})
        if query.get("orderBy") == deliverable:
            return page(99)
        return httpx.Response(500, json={"code": "ConnectWiseApi", "message": "A timeout"})

    it.play = play  # type: ignore[method-assign]

    found = BulkReader(it.client()).forward("/x", {}, after_id=4, limit=2)

    assert found.broken_ids == (5, 6)


@pytest.mark.parametrize("answer", HEAVY.values(), ids=HEAVY.keys())
def test_a_whole_list_is_read_in_smaller_pages_where_it_is_too_heavy(answer: Step) -> None:
    it = bench()
    serve(it, *range(1, 301), heavy_above=100, answer=answer, link=False)

    rows = BulkReader(it.client()).all("/x", {})

    assert ids(rows) == list(range(1, 301))


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

    refused = BulkReader(it.client()).by_ids("/x", {}, [1]).refused

    assert set(refused) == {1}


def test_without_a_link_header_a_list_goes_on_until_an_empty_page() -> None:
    it = bench(page(5, 6), page(7), page())

    sifted = BulkReader(it.client()).by_ids("/x", {}, [1], path="invoice/id")

    assert ids(sifted.rows) == [5, 6, 7]


def lines(*ids_: int, invoice: int) -> list[dict[str, Any]]:
    return [{"id": each, "invoice": {"id": invoice}} for each in ids_]


def serve_lines(it: Bench, of: Mapping[int, int], *, page_rows: int) -> None:
    """Let each invoice have so many lines; -1 stands for a list that never ends."""

    def play(request: httpx.Request) -> httpx.Response:
        it.sent.append(request)
        conditions = request.url.params["conditions"]
        wanted = [int(each) for each in re.findall(r"\d+", conditions.partition(")")[0])]
        last = re.search(r"and id>(\d+)", conditions)
        after = int(last[1]) if last else 0
        endless = [each for each in wanted if of.get(each, 0) < 0]
        if endless:
            return httpx.Response(
                200,
                json=lines(*range(after + 1, after + 1 + page_rows), invoice=endless[0]),
                headers=NEXT,
            )
        every = [
            row
            for each in wanted
            for row in lines(*range(each * 100_000, each * 100_000 + of.get(each, 0)), invoice=each)
        ]
        rest = [row for row in every if row["id"] > after]
        link = NEXT if len(rest) > page_rows else ENDED
        return httpx.Response(200, json=rest[:page_rows], headers=link)

    it.play = play  # type: ignore[method-assign]


@pytest.mark.parametrize(("count", "page_rows"), [(-1, 1_000), (-1, 20), (10_001, 1_000)])
def test_one_invoice_of_too_many_lines_leaves_the_rest_of_its_batch(
    count: int, page_rows: int
) -> None:
    it = bench()
    serve_lines(it, {7: 2, 8: count, 9: 3}, page_rows=page_rows)

    sifted = BulkReader(it.client()).by_ids("/x", {}, [7, 8, 9], path="invoice/id")

    assert set(sifted.refused) == {8}
    assert "10,000" in sifted.refused[8]
    assert sorted({row["invoice"]["id"] for row in sifted.rows}) == [7, 9]
    assert len(sifted.rows) == 5
    assert len(it.sent) <= MAX_ROWS_OF_ONE // page_rows + 5


def test_as_many_lines_as_are_allowed_are_read() -> None:
    it = bench()
    serve_lines(it, {8: MAX_ROWS_OF_ONE}, page_rows=1_000)

    sifted = BulkReader(it.client()).by_ids("/x", {}, [8], path="invoice/id")

    assert (len(sifted.rows), sifted.refused) == (MAX_ROWS_OF_ONE, {})


def test_invoices_whose_lines_would_fill_the_memory_are_not_read_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(held_rows, "MAX_BYTES_TOGETHER", 50_000)
    it = bench()
    serve_lines(it, {**dict.fromkeys(range(1, 9), 9), 9: 200}, page_rows=5)
    reader = BulkReader(it.client())

    with pytest.raises(TooMuchTogetherError):
        reader.by_ids("/x", {}, range(1, 9), path="invoice/id")

    alone = reader.by_ids("/x", {}, [1], path="invoice/id")
    assert len(alone.rows) == 9
    assert set(reader.by_ids("/x", {}, [9], path="invoice/id").refused) == {9}
    with pytest.raises(UntrueListError):
        reader.all("/x", {"conditions": "invoice/id in (9)"})


@pytest.mark.parametrize("path", ["id", "invoice/id"])
def test_a_server_that_answers_other_records_is_given_up_soon(path: str) -> None:
    """It would have to be read to its end for every few ids."""
    it = bench()

    def play(request: httpx.Request) -> httpx.Response:
        it.sent.append(request)
        last = re.search(r"and id>(\d+)", request.url.params["conditions"])
        first = int(last[1]) + 1 if last else 1
        return httpx.Response(
            200,
            json=[{"id": each, "invoice": {"id": each}} for each in range(first, first + 500)],
            headers=NEXT,
        )

    it.play = play  # type: ignore[method-assign]

    with pytest.raises(UnavailableError):
        BulkReader(it.client()).by_ids("/x", {}, [7, 8, 9], path=path)
    assert len(it.sent) == 2


def test_a_list_that_never_ends_is_given_up() -> None:
    def endless(request: httpx.Request) -> httpx.Response:
        last = re.search(r"id>(\d+)", request.url.params.get("conditions", ""))
        return page(int(last[1]) + 1 if last else 1, **NEXT)

    it = bench()
    it.play = endless  # type: ignore[method-assign]

    with pytest.raises(UntrueListError):
        BulkReader(it.client()).all("/x", {})


@pytest.mark.parametrize(
    "answers",
    [
        (page(5, 5, **ENDED),),
        (page(5, **NEXT), page(5, **ENDED)),
        (page(6, 5, **NEXT),),
        (page(*range(1, 1_002), **ENDED),),
    ],
    ids=["repeats", "comes again", "disorder that is continued", "too many"],
)
def test_a_list_that_repeats_or_turns_back_is_refused(answers: tuple[httpx.Response, ...]) -> None:
    it = bench(*answers)

    with pytest.raises(UntrueListError):
        BulkReader(it.client()).all("/x", {})


def test_the_order_of_a_list_that_has_ended_does_not_matter() -> None:
    it = bench(page(6, 5, **ENDED))

    assert ids(BulkReader(it.client()).all("/x", {})) == [6, 5]


@pytest.mark.parametrize("value", [{}, {"count": "5"}, {"count": -1}, {"count": True}, [5], 5])
def test_an_answer_that_is_no_count_is_unavailable(value: object) -> None:
    it = bench(httpx.Response(200, json=value))

    with pytest.raises(UnavailableError):
        BulkReader(it.client()).count("/x", {})
