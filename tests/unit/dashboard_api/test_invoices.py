"""Invoices: lists with filters, details, PDFs, and those made on the platform."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from bridge.domain.customer import Archive, ArchiveReason
from bridge.domain.money import MAX_AMOUNT_MINOR
from bridge.domain.problem import ProblemCode, ProblemReport
from bridge.domain.work_messages import PdfRequest
from bridge.mirror.pdf_keeper import pdf_key
from tests.unit.dashboard_api.world import JPY, Caller, World


@pytest.fixture
def customer_id(partner: Caller) -> str:
    return str(partner.post("/v1/customers", {"name": "Acme"}).json["id"])


def form(customer_id: str, **changes: Any) -> dict[str, Any]:
    return {
        "customer_id": customer_id,
        "number": "P-1",
        "currency": "USD",
        "issued_on": "2026-03-01",
        "due_on": "2026-03-31",
        "line_items": [
            {
                "description": "Setup",
                "amount_minor": 1000,
                "quantity": "2.5",
                "unit_price": "4.00",
            },
            {"description": "Discount", "amount_minor": -50},
        ],
    } | changes


def test_one_invoice_shows_lines_payments_and_where_its_pdf_is(
    world: World, partner: Caller
) -> None:
    connection = world.connection()
    invoice = world.invoice(connection, 7, payments=[31], balance_minor=8950, paid_minor=1050)

    body = partner.get(f"/v1/invoices/{invoice.invoice_id}").json

    assert (body["number"], body["state"]) == ("INV-7", "partially_paid")
    assert body["balance"] == {
        "amount_minor": 8950,
        "currency": "USD",
        "decimals": 2,
        "display": "89.50",
    }
    assert body["status"] == {"id": 3, "name": "Sent", "is_closed": False}
    [line] = body["line_items"]
    assert (line["kind"], line["quantity"], line["unit_price"]) == ("time", "2.5", "40.00")
    [payment] = body["payments"]
    assert payment["amount"]["display"] == "10.50"
    assert body["pdf"] == {"url": f"/v1/invoices/{invoice.invoice_id}/pdf"}


def test_one_payment_of_an_invoice(world: World, partner: Caller) -> None:
    invoice = world.invoice(world.connection(), 7, payments=[31])
    payment_id = invoice.payments[0].payment_id

    body = partner.get(f"/v1/invoices/{invoice.invoice_id}/payments/{payment_id}").json

    assert (body["id"], body["invoice_id"], body["origin"]) == (
        payment_id,
        invoice.invoice_id,
        "connectwise",
    )


def test_amounts_show_as_many_decimals_as_their_currency_has(world: World, partner: Caller) -> None:
    invoice = world.invoice(world.connection(), 7, currency=JPY, balance_minor=-10000)

    body = partner.get(f"/v1/invoices/{invoice.invoice_id}").json

    assert (body["balance"]["decimals"], body["balance"]["display"]) == (0, "-10000")


def test_a_page_says_whether_its_search_ended_early(partner: Caller) -> None:
    assert partner.get("/v1/invoices").json == {
        "items": [],
        "next_cursor": None,
        "is_partial": False,
        "sums": None,
    }


@pytest.mark.parametrize("amount", ["1.0", "x", "1e3", "9" * 17])
def test_an_amount_is_a_whole_number_of_minor_units(partner: Caller, amount: str) -> None:
    assert partner.get("/v1/invoices", amount_minor=amount).status == 422


def test_the_list_filters_by_every_filter(world: World, partner: Caller) -> None:
    acme, other = world.connection(), world.connection(company_id="other")
    world.invoice(acme, 1, due_on=date(2026, 1, 31))
    world.invoice(acme, 2, due_on=date(2026, 2, 28), customer_source_id=2)
    world.invoice(acme, 3, currency=JPY, due_on=date(2026, 3, 31))
    world.invoice(acme, 4, balance_minor=0, due_on=date(2026, 4, 30))
    world.invoice(acme, 5, balance_minor=1, due_on=date(2026, 5, 31))
    world.invoice(other, 6, due_on=None)
    world.invoice(acme, 7, archive=Archive(ArchiveReason.BY_PERSON, world.clock.now()))

    def numbers(**query: str) -> set[str]:
        answer = partner.get("/v1/invoices", **query)
        assert answer.status == 200, answer.text
        return {item["number"] for item in answer.json["items"]}

    assert numbers(connection_id=other.connection_id) == {"INV-6"}
    assert numbers(customer_id=f"{acme.connection_id}-2") == {"INV-2"}
    assert numbers(currency="JPY") == {"INV-3"}
    assert numbers(number="INV-4") == {"INV-4"}
    assert numbers(number="inv") == {f"INV-{number}" for number in range(1, 8)}
    assert numbers(amount_minor="1") == {"INV-5"}
    assert "INV-4" in numbers(amount_minor="10000")
    assert numbers(state="paid") == {"INV-4"}
    assert numbers(state="partially_paid") == {"INV-5"}
    assert numbers(state="archived") == {"INV-7"}
    assert numbers(due_from="2026-02-28", due_to="2026-03-31") >= {"INV-2", "INV-3"}
    assert numbers(due_to="2026-01-31") == {"INV-1"}
    assert len(numbers()) == 7


def test_unpaid_invoices_come_first_and_pages_add_up(world: World, partner: Caller) -> None:
    connection = world.connection()
    for source_id in range(1, 8):
        is_paid = source_id % 2
        world.invoice(connection, source_id, balance_minor=0 if is_paid else 10000)

    items: list[dict[str, Any]] = []
    query = {"limit": "3"}
    for _ in range(3):
        page = partner.get("/v1/invoices", **query).json
        items += page["items"]
        query["cursor"] = page["next_cursor"]
    assert page["next_cursor"] is None
    assert [item["state"] for item in items] == ["open"] * 3 + ["paid"] * 4
    assert len({item["id"] for item in items}) == 7


@pytest.mark.parametrize(
    "query",
    [
        {"state": "unpaid"},
        {"state": "open,paid"},
        {"currency": "usd"},
        {"due_from": "31.01.2026"},
        {"due_from": "1767225600"},
        {"due_from": "2026-02-30"},
        {"customer_id": "../../etc"},
        {"customer_id": "x" * 65},
        {"number": "x" * 101},
        {"due_form": "2026-01-01"},
    ],
)
def test_a_filter_that_cannot_be_meant_is_refused(partner: Caller, query: dict[str, str]) -> None:
    answer = partner.get("/v1/invoices", **query)

    assert (answer.status, answer.problem) == (422, "invalid_input")
    assert [error["field"] for error in answer.json["errors"]] == list(query)


def test_a_cursor_belongs_to_the_list_it_came_from(world: World, partner: Caller) -> None:
    connection = world.connection()
    for source_id in range(1, 4):
        world.invoice(connection, source_id)
    cursor = partner.get("/v1/invoices", limit="1").json["next_cursor"]

    answer = partner.get("/v1/invoices", limit="1", state="open", cursor=cursor)

    assert (answer.status, answer.problem) == (422, "invalid_input")


def test_a_created_invoice_is_open_with_the_sum_of_its_lines(
    partner: Caller, customer_id: str
) -> None:
    created = partner.post("/v1/invoices", form(customer_id))

    assert created.status == 201
    body = partner.get(f"/v1/invoices/{created.json['id']}").json
    assert body == created.json
    assert (body["state"], body["origin"], body["pdf"]) == ("open", "platform", None)
    assert body["total"]["display"] == body["balance"]["display"] == "9.50"
    assert [line["quantity"] for line in body["line_items"]] == ["2.5", None]


@pytest.mark.parametrize(
    ("currency", "display"),
    [("USD", "1.05"), ("JPY", "105"), ("KWD", "0.105"), ("CLF", "0.0105")],
)
def test_minor_units_are_those_of_the_currency(
    partner: Caller, customer_id: str, currency: str, display: str
) -> None:
    lines = [{"description": "One", "amount_minor": 105}]

    body = partner.post("/v1/invoices", form(customer_id, currency=currency, line_items=lines)).json

    assert body["total"]["display"] == display


def test_an_invoice_may_be_for_a_mirrored_customer(world: World, partner: Caller) -> None:
    customer = world.customer(world.connection(), 1)

    assert partner.post("/v1/invoices", form(customer.customer_id)).status == 201


def test_an_invoice_needs_an_open_customer(partner: Caller, customer_id: str) -> None:
    partner.delete(f"/v1/customers/{customer_id}")

    answers = [partner.post("/v1/invoices", form(name)) for name in (customer_id, "0" * 32, "x")]

    assert {answer.text for answer in answers} == {answers[0].text}
    assert answers[0].json["errors"][0]["field"] == "customer_id"


def test_changing_lines_changes_total_and_balance(partner: Caller, customer_id: str) -> None:
    invoice_id = partner.post("/v1/invoices", form(customer_id, reference="old")).json["id"]

    body = partner.patch(
        f"/v1/invoices/{invoice_id}",
        {
            "line_items": [{"description": "Only", "amount_minor": 700}],
            "due_on": None,
            "number": "P-2",
        },
    ).json

    assert (body["total"]["amount_minor"], body["balance"]["amount_minor"]) == (700, 700)
    assert (body["due_on"], body["number"], body["reference"]) == (None, "P-2", "old")


def test_an_archived_invoice_cannot_be_changed(partner: Caller, customer_id: str) -> None:
    invoice_id = partner.post("/v1/invoices", form(customer_id)).json["id"]

    assert [partner.delete(f"/v1/invoices/{invoice_id}").status for _ in range(2)] == [204, 204]
    refused = partner.patch(f"/v1/invoices/{invoice_id}", {"number": "P-2"})

    assert (refused.status, refused.problem) == (409, "archived_record")
    assert partner.get(f"/v1/invoices/{invoice_id}").json["state"] == "archived"


def test_a_mirrored_invoice_follows_connectwise_alone(world: World, partner: Caller) -> None:
    invoice = world.invoice(world.connection(), 7)
    path = f"/v1/invoices/{invoice.invoice_id}"

    answers = [partner.patch(path, {"due_on": "2027-01-01"}), partner.delete(path)]

    assert {(answer.status, answer.problem) for answer in answers} == {(409, "mirrored_record")}
    assert partner.get(path).json["due_on"] == "2026-03-01"


@pytest.mark.parametrize(
    "changes",
    [
        {"number": ""},
        {"number": "x" * 51},
        {"currency": "usd"},
        {"currency": "US"},
        {"issued_on": "01/02/2026"},
        {"issued_on": 20260101},
        {"issued_on": None},
        {"line_items": []},
        {"line_items": [{"description": "x", "amount_minor": 1}] * 201},
        {"line_items": [{"description": "", "amount_minor": 1}]},
        {"line_items": [{"description": "x", "amount_minor": 10.5}]},
        {"line_items": [{"description": "x", "amount_minor": "10"}]},
        {"line_items": [{"description": "x", "amount_minor": True}]},
        {"line_items": [{"description": "x", "amount_minor": MAX_AMOUNT_MINOR + 1}]},
        {"line_items": [{"description": "x", "amount_minor": 1, "quantity": 2.5}]},
        {"line_items": [{"description": "x", "amount_minor": 1, "quantity": "1e3"}]},
        {"line_items": [{"description": "x", "amount_minor": MAX_AMOUNT_MINOR}] * 2},
        {"balance": 0},
        {"state": "paid"},
        {"source_id": 7},
    ],
)
def test_an_invoice_that_breaks_a_limit_is_refused(
    partner: Caller, customer_id: str, changes: dict[str, Any]
) -> None:
    answer = partner.post("/v1/invoices", form(customer_id, **changes))

    assert (answer.status, answer.problem) == (422, "invalid_input")
    assert partner.get("/v1/invoices").json["items"] == []


def test_a_pdf_that_is_kept_is_linked_for_minutes(world: World, partner: Caller) -> None:
    invoice = world.invoice(world.connection(), 7, number="INV/7 ü")
    world.documents.put_pdf(pdf_key(invoice, "i7"), b"%PDF-")

    answer = partner.get(f"/v1/invoices/{invoice.invoice_id}/pdf")

    assert answer.status == 200
    assert "file_name=invoice-INV-7.pdf&lifetime_seconds=300" in answer.json["url"]
    assert answer.json["expires_at"] == "2026-03-02T09:05:00Z"
    assert answer.headers["Cache-Control"] == "no-store"
    assert world.pdf_queue.sent == []


def test_a_pdf_that_is_not_kept_is_asked_for(world: World, partner: Caller) -> None:
    invoice = world.invoice(world.connection(), 7)
    path = f"/v1/invoices/{invoice.invoice_id}/pdf"

    answer = partner.get(path)

    assert (answer.status, answer.json) == (202, {"status_url": path})
    assert int(answer.headers["Retry-After"]) > 0
    assert world.pdf_queue.sent == [PdfRequest(invoice.connection_id or "", invoice.invoice_id)]


def test_a_pdf_that_cannot_come_is_not_promised(world: World, partner: Caller) -> None:
    connection = world.connection()
    trouble = ProblemReport(
        connection.partner_id,
        connection.connection_id,
        ProblemCode.PDF_UNAVAILABLE,
        "invoice/1",
    )
    unreadable = world.invoice(connection, 1)
    world.problems.report(trouble, world.clock.now())
    gone = world.invoice(
        connection, 2, archive=Archive(ArchiveReason.DELETED_IN_CONNECTWISE, world.clock.now())
    )

    answers = [
        partner.get(f"/v1/invoices/{invoice.invoice_id}/pdf") for invoice in (unreadable, gone)
    ]

    assert [(a.status, a.problem) for a in answers] == [
        (409, "pdf_unavailable"),
        (409, "archived_record"),
    ]
    assert answers[0].json["conflicting_id"] == trouble.problem_id
    assert world.pdf_queue.sent == []


def test_a_disconnected_connection_fetches_no_pdf(world: World, partner: Caller) -> None:
    connection = world.connection()
    invoice = world.invoice(connection, 7)
    partner.delete(f"/v1/connections/{connection.connection_id}")

    answer = partner.get(f"/v1/invoices/{invoice.invoice_id}/pdf")

    assert (answer.status, answer.problem) == (409, "disconnected")


def test_a_platform_only_invoice_has_no_pdf(partner: Caller, customer_id: str) -> None:
    invoice_id = partner.post("/v1/invoices", form(customer_id)).json["id"]

    answer = partner.get(f"/v1/invoices/{invoice_id}/pdf")

    assert (answer.status, answer.problem) == (404, "not_found")
