"""Pages, filters, orders and fields of lists; counts; bundles; rows that are broken."""

from __future__ import annotations

import json
import re
from itertools import chain
from typing import Any

import pytest

from connectwise_sandbox.in_process_client import INVOICES, PsaClient
from connectwise_sandbox.kinds import Kind
from connectwise_sandbox.messages import Response

BOOKS = PsaClient(seed=2, customers=8, invoices=60)
"""Only read from in this module."""


def next_page(psa: PsaClient, answer: Response) -> Response | None:
    """Follow the next link of a forward-only page, as the public clients do."""
    url = answer.headers["link"].partition(";")[0].strip("<>")
    if not url:
        return None
    path = url.partition("/apis/3.0")[2]
    return psa.forward(path)


def relations(answer: Response) -> list[str]:
    return re.findall(r'rel="(\w+)"', answer.headers["link"])


def read_all(psa: PsaClient, path: str, **parameters: Any) -> list[list[int]]:
    pages = []
    answer: Response | None = psa.forward(path, **parameters)
    while answer is not None:
        pages.append([row["id"] for row in answer.json()])
        answer = next_page(psa, answer)
    return pages


def test_a_page_has_25_records_unless_the_client_says_otherwise() -> None:
    assert len(BOOKS.get(INVOICES)) == 25
    assert len(BOOKS.get(INVOICES, pageSize=60)) == 60


@pytest.mark.parametrize("size", [0, 1_001, 5_000])
def test_a_page_size_outside_its_range_is_refused_as_recorded(size: int) -> None:
    answer = BOOKS.send("GET", INVOICES, pageSize=size)

    assert answer.status == 400
    assert answer.json() == {
        "code": "InvalidObject",
        "message": "pageSize object is invalid",
        "errors": [
            {
                "code": "OutOfRange",
                "message": "The field pageSize must be between 1 and 1000.",
                "resource": "pageSize",
                "field": "pageSize",
            }
        ],
    }


@pytest.mark.parametrize("size", [1, 1_000])
def test_a_page_size_at_an_end_of_its_range_is_served(size: int) -> None:
    assert len(BOOKS.get(INVOICES, pageSize=size)) == min(size, 60)


def test_the_first_page_has_no_link_to_itself_as_first() -> None:
    first = BOOKS.send("GET", INVOICES, pageSize=25)
    second = BOOKS.send("GET", INVOICES, pageSize=25, page=2)

    assert relations(first) == ["next", "last"]
    assert relations(second) == ["first", "prev", "next", "last"]


@pytest.mark.parametrize("name", ["page", "pageSize"])
@pytest.mark.parametrize("value", ["x", "-1", "1.5", "٣", "99999999999"])
def test_a_page_that_is_no_number_is_refused(name: str, value: str) -> None:
    parameters: dict[str, Any] = {name: value}
    assert BOOKS.send("GET", INVOICES, **parameters).status == 400


def test_the_page_after_the_last_is_empty() -> None:
    answer = BOOKS.send("GET", INVOICES, page=9, pageSize=25)

    assert answer.json() == []
    assert 'page=3>; rel="prev"' in answer.headers["link"]
    assert 'rel="next"' not in answer.headers["link"]


def test_forward_pages_end_with_an_empty_link_after_the_last_page() -> None:
    pages = read_all(BOOKS, INVOICES, pageSize=25)

    assert [len(page) for page in pages] == [25, 25, 10, 0]
    assert list(chain(*pages)) == [row["id"] for row in BOOKS.tenant.store[Kind.INVOICE]]


def test_forward_pages_may_end_with_the_page_that_is_not_full() -> None:
    psa = PsaClient(seed=2, customers=8, invoices=60, forward_only_end="short_page")

    assert [len(page) for page in read_all(psa, INVOICES, pageSize=25)] == [25, 25, 10]


def test_forward_pages_ignore_the_page_number_and_refuse_an_order() -> None:
    first = BOOKS.forward(INVOICES, pageSize=5, page=7).json()

    assert first == BOOKS.get(INVOICES, pageSize=5)
    assert BOOKS.forward(INVOICES, orderBy="id").status == 400


def test_forward_pages_are_stable_while_records_come_and_go() -> None:
    psa = PsaClient(invoices=30)
    first = psa.forward(INVOICES, pageSize=10)
    seen = [row["id"] for row in first.json()]
    psa.people.delete_invoice(seen[0])
    added = psa.people.create_invoice(psa.company()["id"])["id"]

    rest = read_all(psa, INVOICES, pageSize=10, pageId=seen[-1])

    ids = seen + list(chain(*rest))
    assert len(ids) == len(set(ids)) == 31
    assert ids[-1] == added


def test_navigable_pages_shift_while_records_go() -> None:
    psa = PsaClient(invoices=30)
    ids = [row["id"] for row in psa.get(INVOICES, pageSize=30)]
    psa.people.delete_invoice(ids[0])

    second = psa.get(INVOICES, pageSize=10, page=2)

    assert second[0]["id"] == ids[11]


def test_conditions_filter_lists_and_counts_alike() -> None:
    conditions = 'type = "Standard" and total > 100'
    rows = BOOKS.get(INVOICES, conditions=conditions, pageSize=1000)

    assert rows
    assert all(row["type"] == "Standard" and row["total"] > 100 for row in rows)
    assert BOOKS.get(f"{INVOICES}/count", conditions=conditions) == {"count": len(rows)}


def test_the_last_change_can_be_asked_for_although_it_stands_in_the_info() -> None:
    rows = BOOKS.get(INVOICES, orderBy="lastUpdated desc", pageSize=60)
    moments = [row["_info"]["lastUpdated"] for row in rows]
    assert moments == sorted(moments, reverse=True)

    newer = BOOKS.get(INVOICES, conditions=f"lastUpdated > [{moments[9]}]", pageSize=60)

    assert len(newer) == sum(moment > moments[9] for moment in moments)


def test_child_and_custom_field_conditions_look_into_arrays() -> None:
    contact = next(row for row in BOOKS.tenant.store[Kind.CONTACT] if row["communicationItems"])
    value = contact["communicationItems"][0]["value"]
    found = BOOKS.get("/company/contacts", childConditions=f'communicationItems/value = "{value}"')
    assert [row["id"] for row in found] == [contact["id"]]

    with_field = BOOKS.get(
        "/company/companies", customFieldConditions='caption = "Tenant" and value != null'
    )

    assert with_field
    assert all(row["customFields"][0]["caption"] == "Tenant" for row in with_field)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("conditions", "total >"),
        ("conditions", "status/name = Open"),
        ("conditions", "lastUpdated > 2026-01-01"),
        ("childConditions", "items/x in (1)"),
        ("orderBy", "id sideways"),
        ("customFieldConditions", "("),
    ],
)
def test_a_query_that_cannot_be_read_is_a_400(name: str, text: str) -> None:
    parameters: dict[str, Any] = {name: text}
    answer = BOOKS.send("GET", INVOICES, **parameters)

    assert answer.status == 400
    assert answer.json()["message"]


def test_fields_trim_lists_single_records_and_what_was_created() -> None:
    psa = PsaClient()
    invoice_id = psa.bill()

    listed = psa.get(INVOICES, fields="id,status/id")
    single = psa.get(f"{INVOICES}/{invoice_id}", fields="id,balance")
    path = f"{INVOICES}/{invoice_id}/payments"
    created = psa.send("POST", path, {"amount": 1}, fields="id,amount").json()

    assert listed == [{"id": invoice_id, "status": {"id": 1}}]
    assert set(single) == {"id", "balance"}
    assert set(created) == {"id", "amount"}


def test_nulls_are_left_out_money_is_a_double_and_info_holds_texts() -> None:
    psa = PsaClient()
    psa.bill("147350")

    text = psa.send("GET", INVOICES).body.decode()

    assert "null" not in text
    assert '"total":147350.0' in text
    info = json.loads(text)[0]["_info"]
    assert all(isinstance(value, str) for value in info.values())
    assert {"lastUpdated", "updatedBy", "dateEntered", "enteredBy", "products_href"} <= set(info)


# Broken rows ------------------------------------------------------------------------------------


def corrupt(psa: PsaClient, **fields: Any) -> None:
    assert psa.admin("POST", "/corrupt-rows", fields).status == 200


def test_one_corrupt_row_breaks_every_page_that_holds_it() -> None:
    psa = PsaClient(invoices=30)
    ids = [row["id"] for row in psa.get(INVOICES, pageSize=30)]
    corrupt(psa, id=ids[4], flavour="breaks_page")

    broken = psa.send("GET", INVOICES, pageSize=10)

    assert broken.status == 500
    assert broken.json()["message"] == "String was not recognized as a valid Boolean."
    assert psa.send("GET", INVOICES, pageSize=10, page=2).status == 200
    assert psa.send("GET", INVOICES, conditions=f"id = {ids[4]}").status == 500
    assert psa.send("GET", f"{INVOICES}/{ids[4]}").status == 500
    assert psa.forward(INVOICES, pageSize=10, pageId=ids[4]).status == 200


def test_a_corrupt_row_may_pass_on_small_pages() -> None:
    psa = PsaClient(invoices=30)
    ids = [row["id"] for row in psa.get(INVOICES, pageSize=30)]
    corrupt(psa, id=ids[4], flavour="breaks_page", fails_above_rows=5)

    assert psa.send("GET", INVOICES, pageSize=10).status == 500
    assert psa.send("GET", INVOICES, pageSize=5).status == 200
    assert psa.send("GET", f"{INVOICES}/{ids[4]}").status == 200


@pytest.mark.parametrize(
    ("flavour", "name", "value"),
    [
        ("bad_total", "total", "abc"),
        ("bad_type", "type", "Hologram"),
        ("missing_currency", "currency", None),
    ],
)
def test_a_row_may_hold_nonsense(flavour: str, name: str, value: object) -> None:
    psa = PsaClient(invoices=5)
    row = psa.get(INVOICES)[2]
    corrupt(psa, id=row["id"], flavour=flavour)

    shown = psa.get(INVOICES)[2]

    assert shown.get(name) == value
    assert shown | {name: row[name]} == row
    psa.admin("DELETE", "/corrupt-rows")
    assert psa.get(INVOICES)[2] == row


# Bundles and searches ---------------------------------------------------------------------------


def test_a_bundle_answers_each_request_by_itself() -> None:
    requests = [
        {
            "Version": "2019.3",
            "SequenceNumber": 1,
            "ResourceType": "invoice",
            "ApiRequest": {"Filters": {"conditions": "id > 0"}, "Page": {"page": 2, "pageSize": 7}},
        },
        {"sequenceNumber": 2, "resourceType": "company", "apiRequest": {"id": 1}},
        {"sequenceNumber": 3, "resourceType": "spaceship", "apiRequest": {}},
    ]

    results = BOOKS.send("POST", "/system/bundles", {"requests": requests}).json()["results"]

    assert [result["success"] for result in results] == [True, False, False]
    assert results[0]["count"] == 7
    assert results[0]["entities"] == BOOKS.get(INVOICES, pageSize=7, page=2)
    assert results[1]["statusCode"] == 404
    assert results[1]["error"]["message"] == "Company 1 not found"


def test_a_bundle_of_counts_counts() -> None:
    request = {"sequenceNumber": 1, "resourceType": "invoice", "apiRequest": {}}

    answer = BOOKS.send("POST", "/system/bundles/count", {"requests": [request]})

    assert answer.json()["results"][0]["count"] == 60


def test_a_bundle_obeys_the_rights_of_each_request() -> None:
    psa = PsaClient()
    cell = {"module": "Finance", "row": "Invoicing", "action": "inquire", "level": "None"}
    psa.admin("PATCH", "/permissions", cell)
    request = {"sequenceNumber": 1, "resourceType": "invoice", "apiRequest": {}}

    result = psa.send("POST", "/system/bundles", {"requests": [request]}).json()["results"][0]

    assert (result["statusCode"], result["error"]["code"]) == (403, "Security")


@pytest.mark.parametrize("body", [{}, {"requests": []}, [], {"requests": [1] * 101}])
def test_a_bundle_without_usable_requests_is_a_400(body: object) -> None:
    assert BOOKS.send("POST", "/system/bundles", body).status == 400


def test_tickets_are_searched_with_conditions_in_the_body() -> None:
    tickets = BOOKS.get("/service/tickets", pageSize=1000)
    wanted = tickets[-1]["id"]

    answer = BOOKS.send("POST", "/service/tickets/search", {"conditions": f"id = {wanted}"})

    assert [row["id"] for row in answer.json()] == [wanted]
