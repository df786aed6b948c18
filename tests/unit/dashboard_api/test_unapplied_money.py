"""What was collected and that no invoice gets is seen, summed, and a problem unless it is meant."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.domain.connection import Connection
from bridge.domain.invoice import Invoice
from bridge.domain.money import Currency
from bridge.payments import unapplied_sums
from tests.unit.dashboard_api.payments import act, path_to, payment_form
from tests.unit.dashboard_api.world import Caller, World

LIST = "/v1/platform-payments"


@pytest.fixture
def service(world: World) -> Caller:
    return world.service()


def part_paid(invoice: Invoice, **changes: Any) -> dict[str, Any]:
    """50.00, of which the invoice gets 20.00."""
    part = [{"invoice_id": invoice.invoice_id, "amount_minor": 2000}]
    return payment_form(invoice, amount_minor=5000, allocations=part) | changes


def open_problems(partner: Caller) -> list[dict[str, Any]]:
    items = partner.get("/v1/problems").json["items"]
    return [item for item in items if item["code"] == "payment_unapplied"]


def sums(partner: Caller, connection: Connection, **query: str) -> list[tuple[str, str, int]]:
    path = f"/v1/connections/{connection.connection_id}/platform-payments/unapplied"
    answer = partner.get(path, **query)
    assert answer.status == 200, answer.text
    return [
        (each["customer_id"], each["amount"]["display"], each["payment_count"])
        for each in answer.json["sums"]
    ]


def test_the_part_that_no_invoice_gets_is_shown(
    service: Caller, partner: Caller, invoice: Invoice
) -> None:
    told = service.put(path_to(invoice), part_paid(invoice)).json
    shown = partner.get(f"{LIST}/pay-1").json

    assert told["unapplied"]["amount_minor"] == shown["unapplied"]["amount_minor"] == 3000
    assert shown["unapplied"]["display"] == "30.00"
    assert shown["is_unapplied_meant"] is False


def test_it_is_a_problem_that_a_person_may_dismiss(
    service: Caller, partner: Caller, invoice: Invoice
) -> None:
    service.put(path_to(invoice), part_paid(invoice))

    (problem,) = open_problems(partner)
    assert (problem["payment_id"], problem["record_id"]) == ("pay-1", None)
    assert problem["subject"] == "platform_payment/pay-1"
    assert problem["actions"] == ["dismiss"]
    assert act(partner, problem["id"], "dismiss").json["state"] == "resolved"

    service.put(path_to(invoice), part_paid(invoice))
    service.post(path_to(invoice, step="settle"))
    assert open_problems(partner) == [], "it was seen to"


def test_it_is_no_problem_where_it_is_meant(
    service: Caller, partner: Caller, connection: Connection, invoice: Invoice
) -> None:
    meant = part_paid(invoice, is_unapplied_meant=True)
    told = service.put(path_to(invoice), meant)
    again = service.put(path_to(invoice), part_paid(invoice))

    assert (told.status, told.json["is_unapplied_meant"]) == (201, True)
    assert (again.status, again.json) == (200, told.json)
    assert open_problems(partner) == []
    assert sums(partner, connection) == [(invoice.customer_id, "30.00", 1)]


def test_what_is_allocated_to_the_cent_opens_no_problem(
    service: Caller, partner: Caller, connection: Connection, invoice: Invoice
) -> None:
    told = service.put(path_to(invoice), payment_form(invoice))

    assert told.json["unapplied"]["amount_minor"] == 0
    assert open_problems(partner) == []
    assert sums(partner, connection) == []


@pytest.mark.parametrize("meant", [1, "true", None])
def test_meaning_it_is_said_by_true_or_false(
    service: Caller, invoice: Invoice, meant: object
) -> None:
    answer = service.put(path_to(invoice), part_paid(invoice, is_unapplied_meant=meant))
    assert (answer.status, answer.json["errors"][0]["field"]) == (422, "is_unapplied_meant")


@pytest.mark.parametrize(
    "steps",
    ["settled return", "settled refund", "settled charge-back", "pending void", "pending fail"],
)
def test_it_ends_with_the_money(
    service: Caller, partner: Caller, connection: Connection, invoice: Invoice, steps: str
) -> None:
    begin, step = steps.split()
    service.put(path_to(invoice), part_paid(invoice, state=begin))
    assert len(open_problems(partner)) == 1

    moved = service.post(path_to(invoice, step=step))

    assert moved.json["unapplied"]["amount_minor"] == 0
    assert open_problems(partner) == []
    assert sums(partner, connection) == []


def test_a_lost_answer_loses_no_problem(
    world: World,
    service: Caller,
    partner: Caller,
    invoice: Invoice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The function died between storing the payment and opening the problem."""
    with monkeypatch.context() as patch:
        patch.setattr(world.problems, "report", lambda *_: None)
        service.put(path_to(invoice), part_paid(invoice))
    assert open_problems(partner) == []

    assert service.put(path_to(invoice), part_paid(invoice)).status == 200

    assert len(open_problems(partner)) == 1


def test_sums_are_made_for_each_customer_and_currency(
    world: World, service: Caller, partner: Caller, connection: Connection, invoice: Invoice
) -> None:
    other = world.invoice(connection, 8, customer_source_id=2)
    euro = world.invoice(connection, 9, currency=Currency("EUR", 2))
    elsewhere = world.invoice(world.connection(company_id="other"), 7)
    for number, each in enumerate([invoice, invoice, other, euro, elsewhere]):
        form = part_paid(each, currency=each.currency.code, reference=str(number))
        assert service.put(path_to(each, f"pay-{number}"), form).status == 201
    service.put(path_to(invoice, "whole"), payment_form(invoice))

    first, second = invoice.customer_id, other.customer_id
    assert sums(partner, connection) == [
        (first, "30.00", 1),
        (first, "60.00", 2),
        (second, "30.00", 1),
    ]
    assert sums(partner, connection, customer_id=second) == [(second, "30.00", 1)]


def test_sums_over_more_payments_than_are_counted_say_so(
    service: Caller,
    partner: Caller,
    connection: Connection,
    invoice: Invoice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(unapplied_sums, "MAX_SUMMED", 2)
    path = f"/v1/connections/{connection.connection_id}/platform-payments/unapplied"
    complete = []
    for number in range(3):
        service.put(path_to(invoice, f"pay-{number}"), part_paid(invoice))
        complete.append(partner.get(path).json["is_complete"])

    assert complete == [True, True, False]
    assert sums(partner, connection) == [(invoice.customer_id, "60.00", 2)]


def test_payments_with_an_unapplied_part_are_listed_alone(
    service: Caller, partner: Caller, invoice: Invoice
) -> None:
    service.put(path_to(invoice, "whole"), payment_form(invoice))
    service.put(path_to(invoice, "part"), part_paid(invoice))

    items = partner.get(LIST, unapplied_only="true").json["items"]

    assert [item["id"] for item in items] == ["part"]


def test_a_payment_without_any_invoice_is_refused(service: Caller, invoice: Invoice) -> None:
    answer = service.put(path_to(invoice), part_paid(invoice, allocations=[]))
    assert (answer.status, answer.json["errors"][0]["field"]) == (422, "allocations")
