"""What a service records has to make sense; what was stored before stays readable."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from bridge.domain.invoice import Invoice, InvoiceType
from bridge.domain.platform_payment import MAX_ALLOCATIONS
from tests.fakes.clock import FakeClock
from tests.unit.dashboard_api.payments import path_to, payment_form, recorded, stored_payment
from tests.unit.dashboard_api.world import Answer, Caller, World


@pytest.fixture
def invoice(world: World) -> Invoice:
    return world.invoice(world.connection(), 7)


@pytest.fixture
def service(world: World) -> Caller:
    return world.service()


def error(answer: Answer) -> tuple[int, str, str]:
    """The status, the field's name and what is said about it."""
    (only,) = answer.json["errors"]
    return answer.status, only["field"], only["message"]


# The clock shows 2 March 2026.
@pytest.mark.parametrize("received_on", ["2026-03-03", "2026-03-02", "2021-03-02"])
def test_a_day_from_tomorrow_to_five_years_back_is_taken(
    service: Caller, invoice: Invoice, received_on: str
) -> None:
    answer = service.put(path_to(invoice), payment_form(invoice, received_on=received_on))
    assert (answer.status, answer.json["received_on"]) == (201, received_on)


@pytest.mark.parametrize(
    ("received_on", "what"),
    [
        ("2026-03-04", "at most one day after today"),
        ("2099-01-01", "at most one day after today"),
        ("2021-03-01", "at most 5 years before today"),
        ("2000-01-01", "at most 5 years before today"),
    ],
)
def test_any_other_day_is_refused(
    world: World, service: Caller, invoice: Invoice, received_on: str, what: str
) -> None:
    answer = service.put(path_to(invoice), payment_form(invoice, received_on=received_on))

    status, field, message = error(answer)
    assert (status, field) == (422, "received_on")
    assert what in message
    assert "give the day on which the money was received" in message
    assert stored_payment(world) is None


def test_five_years_before_a_leap_day_end_with_february() -> None:
    world = World(FakeClock(datetime(2028, 2, 29, 9, tzinfo=UTC), remaining_seconds=29))
    invoice = world.invoice(world.connection(), 7)
    statuses = [
        world.service().put(path_to(invoice, day), payment_form(invoice, received_on=day)).status
        for day in ("2023-02-28", "2023-02-27")
    ]
    assert statuses == [201, 422]


@pytest.mark.parametrize(("fee_minor", "status"), [(0, 201), (4000, 201), (4001, 422)])
def test_a_fee_is_the_amount_at_most(
    service: Caller, invoice: Invoice, fee_minor: int, status: int
) -> None:
    answer = service.put(path_to(invoice), payment_form(invoice, fee_minor=fee_minor))

    assert answer.status == status
    if status == 422:
        assert error(answer)[1:] == (
            "fee_minor",
            "Give the fee in minor units, from 0 to the payment's amount.",
        )


def test_what_was_stored_under_other_rules_is_read_moved_and_told_again(
    world: World, service: Caller, partner: Caller, invoice: Invoice
) -> None:
    recorded(world, world.stored_connection(str(invoice.connection_id)), invoice)
    stored = world.ledger.get_payment("partner-a", "pay-1")
    assert stored.value is not None
    odd = replace(stored.value, received_on=date(2099, 1, 1), fee_minor=9000)
    world.ledger.move_payment(odd, expected_version=1, write_backs=[])

    told = payment_form(invoice, received_on="2099-01-01", fee_minor=9000)
    answers = [
        service.put(path_to(invoice), told),
        service.get(path_to(invoice)),
        partner.get("/v1/platform-payments/pay-1"),
        service.post(path_to(invoice, step="refund")),
    ]

    assert [answer.status for answer in answers] == [200] * 4
    assert {answer.json["received_on"] for answer in answers} == {"2099-01-01"}


def test_as_many_allocations_as_one_transaction_holds_are_taken_and_one_more_is_refused(
    world: World, service: Caller
) -> None:
    connection = world.connection()
    invoices = [world.invoice(connection, 100 + place) for place in range(50)]

    most = service.put(path_to(connection), payment_form(*invoices[:49]))
    more = service.put(path_to(connection, "pay-2"), payment_form(*invoices))
    moved = service.post(path_to(connection, step="refund"))

    assert MAX_ALLOCATIONS == 49
    assert (most.status, len(most.json["allocations"])) == (201, 49)
    assert (more.status, error(more)[1]) == (422, "allocations")
    assert "49" in error(more)[2]
    assert (moved.status, moved.json["state"]) == (200, "refunded")


CREDITS: list[dict[str, Any]] = [
    {"type": InvoiceType.CREDIT_MEMO, "total_minor": -10000, "balance_minor": -10000},
    {"type": InvoiceType.CREDIT_MEMO, "total_minor": 0, "balance_minor": 0},
    {"total_minor": -10000, "balance_minor": 0},
]


@pytest.mark.parametrize("changes", CREDITS)
def test_nothing_is_owed_on_a_credit_memo(
    world: World, service: Caller, changes: dict[str, Any]
) -> None:
    connection = world.connection()
    invoices = [world.invoice(connection, 7), world.invoice(connection, 8, **changes)]

    answer = service.put(path_to(connection), payment_form(*invoices))

    assert error(answer) == (
        422,
        "allocations",
        "Nothing is owed on a credit memo; allocate the payment to invoices.",
    )
    assert stored_payment(world) is None


def test_a_paid_invoice_and_one_of_nothing_are_left_to_the_worker(
    world: World, service: Caller
) -> None:
    """The mirror may lag, and a payment that was refused would be lost."""
    connection = world.connection()
    invoices = [
        world.invoice(connection, 7, balance_minor=0),
        world.invoice(connection, 8, total_minor=0, balance_minor=0),
    ]
    assert service.put(path_to(connection), payment_form(*invoices)).status == 201
