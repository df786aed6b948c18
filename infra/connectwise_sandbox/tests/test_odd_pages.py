"""Servers cap pages, overfill or misorder them, cannot bear heavy ones, or show odd rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain
from typing import Any

import httpx
import pytest

from connectwise_sandbox.httpx_transport import EngineTransport
from connectwise_sandbox.in_process_client import INVOICES, PsaClient
from connectwise_sandbox.messages import Fate, RawJson, Response, encode_json

ROWS = 30


@pytest.fixture
def psa() -> PsaClient:
    return PsaClient(invoices=ROWS)


def ids_of(answer: Response) -> list[int]:
    assert answer.status == 200
    return [row["id"] for row in answer.json()]


def every_id(psa: PsaClient) -> list[int]:
    return ids_of(psa.send("GET", INVOICES, pageSize=1_000))


def walked_by_number(psa: PsaClient, page_size: int) -> Iterator[list[int]]:
    page = 1
    while rows := ids_of(psa.send("GET", INVOICES, pageSize=page_size, page=page)):
        yield rows
        page += 1


def walked_forward(psa: PsaClient, page_size: int) -> Iterator[list[int]]:
    last_id = 0
    while rows := ids_of(psa.forward(INVOICES, pageSize=page_size, pageId=last_id)):
        yield rows
        last_id = rows[-1]


# The size of a page -----------------------------------------------------------------------------


@pytest.mark.parametrize(("limit", "sizes"), [(1_000, [30]), (12, [12, 12, 6])])
def test_a_page_has_at_most_the_rows_of_the_limit(
    psa: PsaClient, limit: int, sizes: list[int]
) -> None:
    everything = every_id(psa)
    psa.switch(page_row_limit=limit)

    by_number, forward = list(walked_by_number(psa, 1_000)), list(walked_forward(psa, 1_000))

    assert [len(rows) for rows in by_number] == [len(rows) for rows in forward] == sizes
    assert list(chain(*by_number)) == list(chain(*forward)) == everything
    assert psa.get(f"{INVOICES}/count") == {"count": ROWS}


def test_a_limit_leaves_smaller_pages_alone(psa: PsaClient) -> None:
    psa.switch(page_row_limit=12)
    assert len(psa.get(INVOICES, pageSize=7)) == 7


@pytest.mark.parametrize(("surplus", "sizes"), [(0, [10, 10, 10]), (5, [15, 15])])
def test_a_full_page_may_have_more_rows_than_were_asked_for(
    psa: PsaClient, surplus: int, sizes: list[int]
) -> None:
    psa.switch(page_surplus_rows=surplus)

    assert [len(rows) for rows in walked_by_number(psa, 10)] == sizes
    assert [len(rows) for rows in walked_forward(psa, 10)] == sizes


# Links and order --------------------------------------------------------------------------------


@pytest.mark.parametrize("has_link", [True, False])
def test_lists_have_a_link_header_or_none(psa: PsaClient, has_link: bool) -> None:
    psa.switch(link_header=has_link)

    by_number = psa.send("GET", INVOICES, pageSize=10)
    forward = psa.forward(INVOICES, pageSize=10)

    assert ("link" in by_number.headers) is ("link" in forward.headers) is has_link
    assert ids_of(by_number) == ids_of(forward)


@pytest.mark.parametrize("order", ["growing", "falling"])
def test_the_ids_of_a_forward_only_page_grow_or_fall(psa: PsaClient, order: str) -> None:
    first_ten = every_id(psa)[:10]
    psa.switch(forward_only_order=order)

    answer = psa.forward(INVOICES, pageSize=10)

    shown = first_ten if order == "growing" else first_ten[::-1]
    assert ids_of(answer) == shown
    assert f"pageId={shown[-1]}>" in answer.headers["link"]
    assert ids_of(psa.send("GET", INVOICES, pageSize=10)) == first_ten


# Heavy pages ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "status", "part"),
    [
        ("html_502", 502, b"<h1>502 Bad Gateway</h1>"),
        ("html_503", 503, b"<h1>503 Service Unavailable</h1>"),
        ("html_504", 504, b"<h1>504 Gateway Time-out</h1>"),
        ("json_500", 500, b'"A timeout has occured. Please try again."'),
    ],
)
@pytest.mark.parametrize("way", ["send", "forward"])
def test_a_page_of_many_rows_may_fail_and_one_of_few_passes(
    psa: PsaClient, answer: str, status: int, part: bytes, way: str
) -> None:
    psa.switch(heavy_page_rows=10, heavy_page_answer=answer)

    def page_of(size: int) -> Response:
        if way == "forward":
            return psa.forward(INVOICES, pageSize=size)
        return psa.send("GET", INVOICES, pageSize=size)

    heavy = page_of(11)

    assert (heavy.status, heavy.fate) == (status, Fate.SENT)
    assert part in heavy.body
    assert len(ids_of(page_of(10))) == 10


def test_a_heavy_page_may_find_no_answer_at_all(psa: PsaClient) -> None:
    psa.switch(heavy_page_rows=10, heavy_page_answer="nothing")
    http = httpx.Client(
        transport=EngineTransport(psa.engine, wait=psa.clock.advance),
        base_url="http://psa.example/v4_6_release/apis/3.0",
        headers=psa.headers,
        timeout=10,
    )

    with http, pytest.raises(httpx.ReadTimeout):
        http.get(INVOICES, params={"pageSize": 11})

    assert len(ids_of(psa.send("GET", INVOICES, pageSize=10))) == 10


def test_a_page_counts_as_heavy_by_the_rows_that_it_has(psa: PsaClient) -> None:
    few = every_id(psa)[:5]
    psa.switch(heavy_page_rows=10)

    condition = f"id in ({','.join(map(str, few))})"

    assert ids_of(psa.send("GET", INVOICES, pageSize=1_000, conditions=condition)) == few


def test_zero_lets_pages_of_any_size_pass(psa: PsaClient) -> None:
    psa.switch(heavy_page_rows=0)
    assert len(every_id(psa)) == ROWS


# Odd rows ---------------------------------------------------------------------------------------

RAW_VALUES = [
    "1e1000000",
    "1e99999999999999999999",
    "-" + "9" * 5_000,
    "[" * 100_000 + "]" * 100_000,
    '{"id": 1, "id": 2}',
    "NaN",
    '"\\ud800"',
]


def corrupt(psa: PsaClient, **fields: Any) -> None:
    assert psa.admin("POST", "/corrupt-rows", fields).status == 200


@pytest.mark.parametrize("text", RAW_VALUES, ids=lambda text: text[:12])
def test_a_property_may_be_any_text_whatever_it_means(psa: PsaClient, text: str) -> None:
    third = every_id(psa)[2]
    before = psa.send("GET", INVOICES, pageSize=5).body
    corrupt(psa, id=third, raw_overrides={"total": text})

    page = psa.send("GET", INVOICES, pageSize=5)
    single = psa.send("GET", f"{INVOICES}/{third}")

    assert (page.status, single.status) == (200, 200)
    assert page.body.count(f'"total":{text},'.encode()) == 1
    assert f'"total":{text},'.encode() in single.body
    psa.admin("DELETE", "/corrupt-rows")
    assert psa.send("GET", INVOICES, pageSize=5).body == before


@pytest.mark.parametrize("text", ["null", "5", '"x"', "[]", "{}", "[" * 100_000 + "]" * 100_000])
def test_a_row_may_be_any_text(psa: PsaClient, text: str) -> None:
    third = every_id(psa)[2]
    corrupt(psa, id=third, raw_row=text)

    page = psa.send("GET", INVOICES, pageSize=5, fields="id,total").body

    assert f"}},{text},{{".encode() in page
    assert psa.send("GET", f"{INVOICES}/{third}").body == text.encode()


def test_raw_json_stands_in_a_text_as_it_is() -> None:
    payload = {"a": RawJson("1e400"), "b": ['say "\\"', RawJson("[1 ]")], "c": "\ufdd1"}
    written = encode_json(payload).decode()

    assert written == '{"a":1e400,"b":["say \\"\\\\\\"",[1 ]],"c":"\ufdd1"}'
    assert json.loads(written)["b"] == ['say "\\"', [1]]


# Very long invoices -----------------------------------------------------------------------------


def test_an_invoice_may_have_more_lines_than_ten_full_pages(psa: PsaClient) -> None:
    invoice_id = psa.bill(100)

    command = {"count": 10_001, "amount": "0.01"}
    assert psa.admin("POST", f"/invoices/{invoice_id}/lines", command).status == 200

    condition = f"invoice/id = {invoice_id}"
    counted = psa.get("/procurement/products/count", conditions=condition)
    assert counted == {"count": 10_002}
    assert str(psa.invoice(invoice_id)["total"]) == "200.01"
