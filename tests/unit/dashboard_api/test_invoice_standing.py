"""One invoice is explained in a sentence with the next step, and is fetched again when asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from bridge.connections.minute_shares import TIMES_A_MINUTE
from bridge.domain.connection import Connection
from bridge.domain.customer import Archive, ArchiveReason
from bridge.domain.filters import ImportFilters, InvoiceFilter
from bridge.domain.hint import HintReason
from bridge.domain.invoice import BillingStatus, Invoice
from bridge.domain.problem import ProblemCode
from bridge.domain.write_back import Reason, WriteBackState
from bridge.figures.invoice_explanation import Why
from bridge.ports import Activity
from dashboard_api.models.invoice_explanation import _SENTENCES
from tests.fakes.clock import START
from tests.unit.dashboard_api.payments import recorded
from tests.unit.dashboard_api.world import Caller, World

LATE = date(2020, 1, 1)


def standing(partner: Caller, invoice: Invoice) -> Any:
    answer = partner.get(f"/v1/invoices/{invoice.invoice_id}/standing")
    assert answer.status == 200, answer.text
    return answer.json


@pytest.mark.parametrize(
    ("changes", "why", "words"),
    [
        ({"balance_minor": 0, "paid_minor": 10000}, "payments_differ", "do not add up"),
        ({"due_on": LATE}, "overdue", "100.00 USD is open and was due on 2020-01-01."),
        ({"due_on": None}, "open", "100.00 USD is open, and nothing of it was paid."),
        (
            {"due_on": None, "status": BillingStatus(4, "Closed", is_closed=True)},
            "closed_unpaid",
            "ConnectWise's status “Closed” closes it, and 100.00 USD is open.",
        ),
        (
            {"total_minor": -500, "balance_minor": -500, "due_on": LATE},
            "credit_open",
            "It is a credit of 5.00 USD",
        ),
        ({"payments_complete": False}, "payments_incomplete", "still being read"),
        (
            {"archive": Archive(ArchiveReason.DELETED_IN_CONNECTWISE, START)},
            "deleted_there",
            f"deleted in ConnectWise; that was found on {START:%Y-%m-%d}",
        ),
        ({"archive": Archive(ArchiveReason.LEFT_FILTER, START)}, "left_filter", "outside"),
        ({"archive": Archive(ArchiveReason.BY_PERSON, START)}, "archived", "A person archived"),
    ],
)
def test_an_invoice_is_explained(
    *,
    world: World,
    connection: Connection,
    partner: Caller,
    changes: dict[str, Any],
    why: str,
    words: str,
) -> None:
    invoice = world.invoice(connection, 7, **changes)

    found = standing(partner, invoice)

    assert found["why"] == why
    assert words in found["sentence"]
    assert found["next_step"].endswith(".")


@pytest.mark.parametrize(
    ("balance_minor", "why"), [(0, "paid"), (-50, "overpaid"), (40, "partly_paid")]
)
def test_money_that_arrived_explains_an_invoice(
    world: World, connection: Connection, partner: Caller, balance_minor: int, why: str
) -> None:
    # Given an invoice of 10.00 with a payment of 10.50, or of 10.90 with the same
    total = 1050 + balance_minor
    invoice = world.invoice(
        connection,
        7,
        payments=[31],
        total_minor=total,
        balance_minor=balance_minor,
        due_on=None,
    )

    assert standing(partner, invoice)["why"] == why


def test_an_invoice_outside_the_filters_says_so(world: World, partner: Caller) -> None:
    filters = ImportFilters(invoice=InvoiceFilter(location_ids=frozenset({3})))
    invoice = world.invoice(world.connection(filters=filters), 7)

    assert standing(partner, invoice)["why"] == "outside_filters"


def test_a_record_that_cannot_be_read_comes_with_its_problem(
    world: World, connection: Connection, partner: Caller
) -> None:
    invoice = world.invoice(connection, 7)
    report = connection.report(ProblemCode.RECORD_MALFORMED, "invoice/7", "d")
    world.problems.report(report, world.clock.now())

    found = standing(partner, invoice)

    assert found["why"] == "unreadable"
    assert [each["id"] for each in found["problems"]] == [report.problem_id]


def test_the_platforms_payments_are_shown_with_their_write_backs(
    world: World, connection: Connection, partner: Caller
) -> None:
    # Given a payment on its way
    invoice = world.invoice(connection, 7)
    write_back = recorded(world, connection, invoice, "pay-1")
    found = standing(partner, invoice)
    (payment,) = found["platform_payments"]
    assert (found["why"], payment["payment_id"]) == ("payment_on_its_way", "pay-1")
    assert payment["write_back"]["state"] == "pending"
    # When it comes to wait for a person
    waiting = replace(write_back, state=WriteBackState.MANUAL, reason=Reason.OVERPAYMENT)
    world.ledger.save_write_back(waiting, expected_version=1)
    # Then the sentence says so, and the payment leads to its problem
    found = standing(partner, invoice)
    assert found["why"] == "payment_waits_for_person"
    assert found["platform_payments"][0]["write_back"]["problem_id"]


def test_every_explanation_has_its_sentence() -> None:
    assert set(_SENTENCES) == set(Why)


def test_an_invoice_is_fetched_again_at_a_bounded_rate(
    world: World, connection: Connection, partner: Caller
) -> None:
    invoice = world.invoice(connection, 7)
    path = f"/v1/invoices/{invoice.invoice_id}/fetch"

    answer = partner.post(path)

    assert (answer.status, bool(answer.json["asked_at"])) == (202, True)
    (hint,) = [each for each in world.hints.sent if each.source_id == 7]
    assert (hint.reason, hint.partner_id) == (HintReason.SEARCH, "partner-a")
    for _ in range(TIMES_A_MINUTE[Activity.RECORD_FETCH] - 1):
        assert partner.post(path).status == 202
    assert partner.post(path).problem == "too_many_requests"
    world.clock.advance(seconds=timedelta(minutes=1).total_seconds() + 1)
    assert partner.post(path).status == 202


def test_an_invoice_of_the_platform_has_nothing_to_fetch(world: World, partner: Caller) -> None:
    world.connection()
    customer_id = partner.post("/v1/customers", {"name": "Only here"}).json["id"]
    form = {
        "customer_id": customer_id,
        "number": "P-1",
        "currency": "USD",
        "issued_on": "2026-03-01",
        "line_items": [{"description": "x", "amount_minor": 100}],
    }
    invoice_id = partner.post("/v1/invoices", form).json["id"]

    assert partner.post(f"/v1/invoices/{invoice_id}/fetch").problem == "platform_record"
    assert partner.get(f"/v1/invoices/{invoice_id}/standing").json["why"] == "open"


# --- payments that are still to be read -----------------------------------------------------------


def lacking(world: World, connection: Connection) -> Invoice:
    return world.invoice(connection, 9, balance_minor=0, payments_complete=False)


def test_an_invoice_that_is_opened_has_its_payments_read_at_once(
    world: World, partner: Caller, connection: Connection
) -> None:
    invoice = lacking(world, connection)

    shown = partner.get(f"/v1/invoices/{invoice.invoice_id}")

    assert shown.json["payments_complete"] is False
    assert [hint.source_id for hint in world.hints.take_due()] == [invoice.source_id]


def test_a_whole_invoice_is_read_from_the_mirror_alone(
    world: World, partner: Caller, invoice: Invoice
) -> None:
    partner.get(f"/v1/invoices/{invoice.invoice_id}")

    assert not world.hints.take_due()


def test_invoices_that_are_opened_again_and_again_cost_their_share_alone(
    world: World, partner: Caller, connection: Connection
) -> None:
    invoice = lacking(world, connection)

    answers = [partner.get(f"/v1/invoices/{invoice.invoice_id}") for _ in range(30)]

    assert {answer.status for answer in answers} == {200}
    assert len(world.hints.take_due(limit=100)) == TIMES_A_MINUTE[Activity.RECORD_FETCH]
