"""Lists show names and numbers beside ids, and are narrowed by all that a person asks for."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from bridge.domain.connection import Connection
from bridge.domain.identity import mirrored_id
from bridge.domain.invoice import BillingStatus, InvoiceType
from bridge.domain.problem import ProblemCode
from bridge.domain.run import RunKind
from bridge.figures import selection_sums
from bridge.wiring import use_cases
from tests.unit.dashboard_api.payments import recorded
from tests.unit.dashboard_api.world import JPY, Caller, World


def numbers(partner: Caller, **query: str) -> list[str]:
    answer = partner.get("/v1/invoices", **query)
    assert answer.status == 200, answer.text
    return [each["number"] for each in answer.json["items"]]


def test_an_invoice_stands_beside_its_customers_name(
    world: World, connection: Connection, partner: Caller
) -> None:
    world.customer(connection, 1, name="Alpine Dental")
    invoice = world.invoice(connection, 7)
    world.invoice(connection, 8, customer_source_id=99)

    items = partner.get("/v1/invoices").json["items"]

    assert [each["customer_name"] for each in items] == ["Alpine Dental", None]
    detail = partner.get(f"/v1/invoices/{invoice.invoice_id}").json
    assert detail["customer_name"] == "Alpine Dental"


def test_overdue_is_what_a_customer_owes_and_was_due_before_today(
    world: World, connection: Connection, partner: Caller
) -> None:
    today = world.clock.now().date()
    world.invoice(connection, 1, due_on=today - timedelta(days=1))
    world.invoice(connection, 2, due_on=today)
    world.invoice(connection, 3, due_on=date(2020, 1, 1), total_minor=-5, balance_minor=-5)
    world.invoice(connection, 4, due_on=date(2020, 1, 1), balance_minor=0)

    assert numbers(partner, overdue_only="true") == ["INV-1"]
    marks = partner.get("/v1/invoices").json["items"]
    assert [each["number"] for each in marks if each["is_overdue"]] == ["INV-1"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"type": "CreditMemo"}, ["INV-1"]),
        ({"status_id": "9"}, ["INV-2"]),
        ({"unpaid_only": "true"}, ["INV-2", "INV-1"]),
        ({"origin": "platform"}, []),
        ({"sort": "-due_on", "unpaid_only": "true"}, ["INV-1", "INV-2"]),
    ],
)
def test_invoices_are_narrowed(
    world: World,
    connection: Connection,
    partner: Caller,
    query: dict[str, str],
    expected: list[str],
) -> None:
    world.invoice(connection, 1, type=InvoiceType.CREDIT_MEMO, due_on=date(2026, 5, 1))
    world.invoice(connection, 2, status=BillingStatus(9, "Nine", is_closed=False))
    world.invoice(connection, 3, balance_minor=0)

    assert numbers(partner, **query) == expected


def test_a_selection_is_added_up_by_currency(
    world: World, connection: Connection, partner: Caller
) -> None:
    world.invoice(connection, 1, balance_minor=2500)
    world.invoice(connection, 2)
    world.invoice(connection, 3, currency=JPY, total_minor=7, balance_minor=7)

    sums = partner.get("/v1/invoices", with_sums="true", limit="1").json["sums"]

    shown = [
        (each["total"]["display"], each["balance"]["display"], each["invoice_count"])
        for each in sums["by_currency"]
    ]
    assert shown == [("7", "7", 1), ("200.00", "125.00", 2)]
    assert sums["is_complete"] is True


def test_a_large_selections_sums_are_least_ones(
    world: World, connection: Connection, partner: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection_sums, "MAX_INVOICES", 2)
    for number in (1, 2, 3):
        world.invoice(connection, number)

    sums = partner.get("/v1/invoices", with_sums="true").json["sums"]

    assert (sums["is_complete"], sums["by_currency"][0]["invoice_count"]) == (False, 2)


def test_payments_stand_beside_invoice_number_and_customer_name(
    world: World, connection: Connection, partner: Caller
) -> None:
    world.customer(connection, 1, name="Alpine Dental")
    invoice = world.invoice(connection, 7, payments=[31])
    recorded(world, connection, invoice, "pay-1")

    (there,) = partner.get("/v1/payments").json["items"]
    (ours,) = partner.get("/v1/platform-payments").json["items"]

    assert (there["invoice_number"], there["customer_name"]) == ("INV-7", "Alpine Dental")
    assert ours["customer_name"] == "Alpine Dental"
    assert ours["allocations"][0]["invoice_number"] == "INV-7"
    payment_id = mirrored_id(connection.connection_id, 31)
    one = partner.get(f"/v1/invoices/{invoice.invoice_id}/payments/{payment_id}").json
    assert (one["invoice_number"], one["customer_name"]) == ("INV-7", "Alpine Dental")


def problems(partner: Caller, **query: str) -> list[str]:
    answer = partner.get("/v1/problems", **query)
    assert answer.status == 200, answer.text
    return [each["subject"] for each in answer.json["items"]]


def test_problems_are_narrowed_by_record_connection_code_and_day(
    world: World, connection: Connection, partner: Caller
) -> None:
    for number, code in ((1, ProblemCode.RECORD_PARKED), (2, ProblemCode.PDF_UNAVAILABLE)):
        world.problems.report(connection.report(code, f"invoice/{number}"), world.clock.now())
    today = world.clock.now().date().isoformat()

    assert problems(partner, record_id=f"{connection.connection_id}-1") == ["invoice/1"]
    assert problems(partner, code="pdf_unavailable") == ["invoice/2"]
    assert problems(partner, connection_id="0" * 32) == []
    assert len(problems(partner, opened_from=today, opened_to=today)) == 2
    assert problems(partner, opened_to="2020-01-01") == []
    refused = partner.get("/v1/problems", opened_from="2026-02-01", opened_to="2026-01-01")
    assert refused.problem == "invalid_input"


def test_runs_are_narrowed_by_kind_state_and_day(
    world: World, connection: Connection, partner: Caller
) -> None:
    starter = use_cases.run_starter(world)
    for kind in (RunKind.SWEEP, RunKind.IMPORT):
        starter.start(connection, kind)
    path = f"/v1/connections/{connection.connection_id}/runs"

    def kinds(**query: str) -> list[Any]:
        return [each["kind"] for each in partner.get(path, **query).json["items"]]

    assert kinds(kind="sweep") == ["sweep"]
    assert kinds(state="failed") == []
    assert kinds(created_to="2020-01-01") == []
    assert sorted(kinds(state="queued")) == ["import", "sweep"]
