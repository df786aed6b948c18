"""The platform's services record payments, move them on and read them."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.domain.connection import Connection, ConnectionState
from bridge.domain.errors import ConflictError, UnavailableError
from bridge.domain.invoice import Invoice
from bridge.domain.money import MAX_AMOUNT_MINOR, Currency
from bridge.domain.platform_payment import (
    MAX_ALLOCATIONS,
    PlatformPayment,
    Target,
    WriteBackPolicy,
    WriteBackWhen,
)
from bridge.domain.write_back import WriteBack
from tests.unit.dashboard_api.payments import (
    STEPS,
    looking_too_early,
    path_to,
    payment_form,
    stored_payment,
    write_backs,
)
from tests.unit.dashboard_api.world import JPY, Caller, World


@pytest.fixture
def service(world: World) -> Caller:
    return world.service()


# --- recording ---------------------------------------------------------------------------------


def test_a_payment_is_recorded_with_a_write_back_for_each_invoice(
    world: World, service: Caller, connection: Connection
) -> None:
    invoices = [world.invoice(connection, 7), world.invoice(connection, 8)]
    form = payment_form(*invoices, amount_minor=9000, fee_minor=150, reference="auth 17")

    answer = service.put(path_to(connection), form)

    assert answer.status == 201
    body = answer.json
    assert (body["id"], body["connection_id"]) == ("pay-1", connection.connection_id)
    assert body["customer_id"] == invoices[0].customer_id
    assert (body["amount"]["display"], body["fee"]["display"]) == ("90.00", "1.50")
    assert [part["amount"]["amount_minor"] for part in body["allocations"]] == [4000, 4000]
    made = write_backs(world)
    assert [w.invoice_source_id for w in made] == [7, 8]
    assert {w.amount_minor for w in made} == {4000}
    assert {w.target for w in made} == {Target.POSTED}
    assert world.write_back_queue.write_backs == made


def test_the_fee_is_on_no_invoice(
    world: World, service: Caller, connection: Connection, invoice: Invoice
) -> None:
    service.put(path_to(connection), payment_form(invoice, fee_minor=99))

    assert [w.amount_minor for w in write_backs(world)] == [4000]


def test_the_same_content_again_answers_as_before(
    world: World, service: Caller, connection: Connection, invoice: Invoice
) -> None:
    first = service.put(path_to(connection), payment_form(invoice))
    world.clock.advance(hours=1)
    again = service.put(path_to(connection), payment_form(invoice))
    with_customer = service.put(
        path_to(connection), payment_form(invoice, customer_id=invoice.customer_id)
    )

    assert [answer.status for answer in (first, again, with_customer)] == [201, 200, 200]
    assert first.json == again.json == with_customer.json
    assert len(write_backs(world)) == 1
    assert len(world.write_back_queue.write_backs) == 1


def test_the_same_content_answers_with_what_became_of_it(
    service: Caller, connection: Connection, invoice: Invoice
) -> None:
    service.put(path_to(connection), payment_form(invoice))
    service.post(path_to(connection, step="refund"))

    again = service.put(path_to(connection), payment_form(invoice))

    assert (again.status, again.json["state"]) == (200, "refunded")


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_minor": 4001},
        {"method": "ach"},
        {"received_on": "2026-03-02"},
        {"fee_minor": 1},
        {"reference": "other"},
        {"currency": "EUR"},
        {"decimals": 3},
        {"customer_id": "0" * 32},
    ],
)
def test_other_content_under_the_same_id_is_refused(
    world: World,
    service: Caller,
    connection: Connection,
    invoice: Invoice,
    changes: dict[str, Any],
) -> None:
    service.put(path_to(connection), payment_form(invoice))
    before = stored_payment(world)

    answer = service.put(path_to(connection), payment_form(invoice) | changes)

    assert (answer.status, answer.problem) == (409, "payment_id_used")
    assert stored_payment(world) == before
    assert len(world.write_back_queue.write_backs) == 1


def test_a_pending_payment_is_not_settled_by_recording_it_again(
    world: World, service: Caller, connection: Connection, invoice: Invoice
) -> None:
    """An answer of 200 would hide that nothing is written."""
    service.put(path_to(connection), payment_form(invoice, state="pending"))
    before = stored_payment(world)

    answer = service.put(path_to(connection), payment_form(invoice, state="settled"))

    assert (answer.status, answer.problem) == (409, "payment_state")
    assert stored_payment(world) == before
    service.post(path_to(connection, step="settle"))
    for state in ("pending", "settled"):
        again = service.put(path_to(connection), payment_form(invoice, state=state))
        assert (again.status, again.json["state"]) == (200, "settled")


def test_of_two_recordings_at_once_one_counts(
    world: World, service: Caller, connection: Connection, invoice: Invoice
) -> None:
    first = service.put(path_to(connection), payment_form(invoice))

    with looking_too_early(world):
        second = service.put(path_to(connection), payment_form(invoice))
    with looking_too_early(world):
        other = service.put(path_to(connection), payment_form(invoice, method="ach"))

    assert second.json == first.json
    assert (other.status, other.problem) == (409, "payment_id_used")
    assert len(write_backs(world)) == 1
    assert len(world.write_back_queue.write_backs) == 1


def test_a_message_that_could_not_be_sent_loses_no_payment(
    world: World, service: Caller, connection: Connection, invoice: Invoice
) -> None:
    world.write_back_queue.error = UnavailableError("no queue")
    failed = service.put(path_to(connection), payment_form(invoice))
    world.write_back_queue.error = None

    again = service.put(path_to(connection), payment_form(invoice))

    assert (failed.status, failed.problem, again.status) == (503, "unavailable", 200)
    (waiting,) = world.ledger.list_due(world.clock.now(), limit=10)
    assert waiting == write_backs(world)[0]


def test_a_pending_payment_waits_until_it_settles(
    world: World, service: Caller, connection: Connection, invoice: Invoice
) -> None:
    service.put(path_to(connection), payment_form(invoice, state="pending"))
    assert world.write_back_queue.write_backs == []

    answer = service.post(path_to(connection, step="settle"))

    assert (answer.status, answer.json["state"]) == (200, "settled")
    assert [w.target for w in world.write_back_queue.write_backs] == [Target.POSTED]


def test_a_partner_may_want_it_written_when_it_is_initiated(world: World, service: Caller) -> None:
    connection = world.connection(write_back=WriteBackPolicy(when=WriteBackWhen.INITIATED))
    invoice = world.invoice(connection, 7)

    service.put(path_to(connection), payment_form(invoice, state="pending"))

    assert [w.target for w in world.write_back_queue.write_backs] == [Target.POSTED]


@pytest.mark.parametrize(
    "state", [ConnectionState.DISCONNECTED, ConnectionState.DEGRADED, ConnectionState.IMPORTING]
)
def test_what_was_collected_is_taken_whatever_the_connection_is_like(
    world: World, service: Caller, state: ConnectionState
) -> None:
    """Its write-back waits where a person sees it; a payment that was refused would be lost."""
    connection = world.connection(state=state)
    invoice = world.invoice(connection, 7)

    assert service.put(path_to(connection), payment_form(invoice)).status == 201
    assert len(world.write_back_queue.write_backs) == 1


def test_invoices_of_other_decimals_want_them_named(world: World, service: Caller) -> None:
    connection = world.connection()
    odd_yen = world.invoice(connection, 7, currency=Currency("JPY", 2))
    yen = world.invoice(connection, 8, currency=JPY)

    def record(payment_id: str, invoice: Invoice, **changes: Any) -> int:
        form = payment_form(invoice, currency="JPY", **changes)
        return service.put(path_to(connection, payment_id), form).status

    assert record("a", odd_yen) == 422
    assert record("a", odd_yen, decimals=2) == 201
    assert record("b", yen) == 201
    assert record("c", yen, decimals=2) == 422


# --- what is refused ---------------------------------------------------------------------------

NO_AMOUNTS = [1.0, 10.5, 1e3, "10", True, False, None, -1, MAX_AMOUNT_MINOR + 1, [1], {"minor": 1}]


@pytest.mark.parametrize(
    ("field", "amount"),
    [
        *(("fee_minor", amount) for amount in NO_AMOUNTS),
        *(("amount_minor", amount) for amount in [0, *NO_AMOUNTS]),
        *(("allocations", amount) for amount in [0, *NO_AMOUNTS]),
    ],
)
def test_amounts_are_whole_numbers_and_nothing_else(
    world: World, service: Caller, invoice: Invoice, field: str, amount: Any
) -> None:
    form = payment_form(invoice)
    if field == "allocations":
        form["allocations"][0]["amount_minor"] = amount
    else:
        form[field] = amount

    answer = service.put(path_to(invoice), form)

    assert (answer.status, answer.problem) == (422, "invalid_input")
    assert stored_payment(world) is None


def test_an_amount_written_as_a_float_is_refused_even_when_it_is_whole(
    world: World, service: Caller, connection: Connection, invoice: Invoice
) -> None:
    text = (
        f'{{"amount_minor": 4e3, "currency": "USD", "method": "card", "state": "settled", '
        f'"received_on": "2026-03-01", "allocations": '
        f'[{{"invoice_id": "{invoice.invoice_id}", "amount_minor": 4000.0}}]}}'
    )

    answer = service.send("PUT", path_to(connection), text=text)

    fields = {error["field"] for error in answer.json["errors"]}
    assert fields >= {"amount_minor", "allocations.0.amount_minor"}


REFUSED: list[tuple[str, Any]] = [
    ("currency", "usd"),
    ("currency", "DOLLAR"),
    ("decimals", 5),
    ("decimals", True),
    ("method", ""),
    ("method", "a b"),
    ("method", "x" * 41),
    ("received_on", "2026-02-30"),
    ("received_on", 20260301),
    ("received_on", "1999-12-31"),
    ("state", "failed"),
    ("state", "returned"),
    ("state", None),
    ("allocations", []),
    ("allocations", None),
    ("customer_id", "nobody"),
    ("reference", "x" * 201),
    ("reference", "a\nb"),
    ("partner_id", "partner-b"),
    ("connection_id", "0" * 32),
    ("payment_id", "pay-2"),
]


@pytest.mark.parametrize(("field", "value"), REFUSED)
def test_input_outside_the_limits_is_refused(
    world: World, service: Caller, invoice: Invoice, field: str, value: Any
) -> None:
    answer = service.put(path_to(invoice), payment_form(invoice) | {field: value})

    assert (answer.status, answer.problem) == (422, "invalid_input")
    assert stored_payment(world) is None


@pytest.mark.parametrize(
    "field", ["amount_minor", "currency", "method", "received_on", "state", "allocations"]
)
def test_what_must_be_said_must_be_said(
    service: Caller, connection: Connection, invoice: Invoice, field: str
) -> None:
    form = payment_form(invoice)
    del form[field]

    answer = service.put(path_to(connection), form)

    assert answer.json["errors"][0]["field"] == field


@pytest.mark.parametrize("payment_id", ["a.b", "x" * 65, "ä", "a b", "a%23b", "a@b"])
def test_an_id_has_a_narrow_shape(
    world: World, service: Caller, connection: Connection, invoice: Invoice, payment_id: str
) -> None:
    answer = service.put(path_to(connection, payment_id), payment_form(invoice))

    assert answer.status == 422
    assert answer.json["errors"][0]["field"] == "payment_id"
    assert service.get(path_to(connection, payment_id)).status == 404


@pytest.mark.parametrize("payment_id", ["a", "A_b-9", "-", "0" * 64])
def test_any_id_of_that_shape_will_do(
    service: Caller, connection: Connection, invoice: Invoice, payment_id: str
) -> None:
    assert service.put(path_to(connection, payment_id), payment_form(invoice)).status == 201
    assert service.get(path_to(connection, payment_id)).status == 200


def test_allocations_must_add_up_and_name_an_invoice_once(
    service: Caller, connection: Connection, invoice: Invoice
) -> None:
    too_little = payment_form(invoice, amount_minor=3999)
    twice = payment_form(invoice, invoice)
    too_many = payment_form(*[invoice] * (MAX_ALLOCATIONS + 1))

    for form in (too_little, twice, too_many):
        answer = service.put(path_to(connection), form)
        assert (answer.status, answer.json["errors"][0]["field"]) == (422, "allocations")


def test_allocations_must_be_invoices_of_this_connection(
    world: World, service: Caller, connection: Connection, invoice: Invoice
) -> None:
    sibling = world.invoice(world.connection(company_id="other"), 7)
    foreign = world.invoice(world.connection("partner-b"), 7)
    unknown = f"{connection.connection_id}-999"
    platform_only = "f" * 32

    for invoice_id in (sibling.invoice_id, foreign.invoice_id, unknown, platform_only):
        form = payment_form(invoice, amount_minor=8000)
        form["allocations"].append({"invoice_id": invoice_id, "amount_minor": 4000})
        answer = service.put(path_to(connection), form)
        assert (answer.status, answer.json["errors"]) == (
            422,
            [{"field": "allocations", "message": "No such invoice of this connection."}],
        )
    assert stored_payment(world) is None


def test_another_currency_than_the_invoices_is_refused(
    service: Caller, connection: Connection, invoice: Invoice
) -> None:
    answer = service.put(path_to(connection), payment_form(invoice, currency="EUR"))

    assert (answer.status, answer.json["errors"][0]["field"]) == (422, "currency")


# --- moving on ---------------------------------------------------------------------------------

WAYS = {
    "pending": {"settle", "fail", "return", "void"},
    "settled": {"return", "refund", "charge-back"},
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("begin", WAYS)
def test_a_payment_moves_along_its_ways_and_no_others(
    service: Caller, invoice: Invoice, begin: str, step: str
) -> None:
    service.put(path_to(invoice), payment_form(invoice, state=begin))

    answers = [
        service.post(path_to(invoice, step=step), {"reason": "R01 no money"}) for _ in range(2)
    ]

    if STEPS[step] == begin:
        assert [answer.json["state"] for answer in answers] == [begin, begin]
        assert answers[0].json["state_reason"] is None
    elif step in WAYS[begin]:
        assert [answer.status for answer in answers] == [200, 200]
        assert answers[0].json == answers[1].json
        assert answers[0].json["state"] == STEPS[step]
        assert answers[0].json["state_reason"] == "R01 no money"
        assert answers[0].json["state_changed_at"]
    else:
        assert {(a.status, a.problem) for a in answers} == {(409, "payment_state")}
        assert service.get(path_to(invoice)).json["state"] == begin


@pytest.mark.parametrize("last", ["fail", "return", "void"])
@pytest.mark.parametrize("step", STEPS)
def test_what_has_ended_stays_ended(
    service: Caller, connection: Connection, invoice: Invoice, last: str, step: str
) -> None:
    service.put(path_to(connection), payment_form(invoice, state="pending"))
    service.post(path_to(connection, step=last))

    answer = service.post(path_to(connection, step=step))

    assert answer.status == (200 if step == last else 409)


@pytest.mark.parametrize("text", [None, "{}", '{"reason": null}'])
def test_a_step_needs_no_reason(
    service: Caller, connection: Connection, invoice: Invoice, text: str | None
) -> None:
    service.put(path_to(connection), payment_form(invoice))

    answer = service.send("POST", path_to(connection, step="refund"), text=text)

    assert (answer.status, answer.json["state_reason"]) == (200, None)


@pytest.mark.parametrize(
    "body", [{"reason": 7}, {"reason": "x" * 201}, {"reason": "a\x00"}, {"state": "settled"}]
)
def test_a_step_takes_a_short_reason_only(
    service: Caller, connection: Connection, invoice: Invoice, body: dict[str, Any]
) -> None:
    service.put(path_to(connection), payment_form(invoice))

    answer = service.post(path_to(connection, step="refund"), body)

    assert (answer.status, answer.problem) == (422, "invalid_input")


def test_an_undone_payment_is_taken_out_again(
    world: World, service: Caller, connection: Connection, invoice: Invoice
) -> None:
    service.put(path_to(connection), payment_form(invoice))

    service.post(path_to(connection, step="charge-back"))

    assert [w.target for w in world.write_back_queue.write_backs] == [Target.POSTED, Target.ABSENT]


def test_a_payment_that_keeps_moving_is_a_conflict(
    world: World,
    service: Caller,
    connection: Connection,
    invoice: Invoice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service.put(path_to(connection), payment_form(invoice))

    def contested(payment: PlatformPayment, **_: object) -> None:
        raise ConflictError("moved")

    monkeypatch.setattr(world.ledger, "move_payment", contested)
    answer = service.post(path_to(connection, step="refund"))

    assert (answer.status, answer.problem) == (409, "conflict")


@pytest.mark.parametrize("step", STEPS)
def test_an_unknown_payment_cannot_move(
    service: Caller, connection: Connection, invoice: Invoice, step: str
) -> None:
    answer = service.post(path_to(connection, "never", step))

    assert (answer.status, answer.problem) == (404, "not_found")


def test_there_are_no_other_steps_and_methods(
    service: Caller, connection: Connection, invoice: Invoice
) -> None:
    service.put(path_to(connection), payment_form(invoice))

    assert service.post(path_to(connection, step="pay")).problem == "no_such_route"
    assert service.delete(path_to(connection)).headers["Allow"] == "GET, PUT"
    assert service.patch(path_to(connection), {}).status == 405


# --- reading -----------------------------------------------------------------------------------


def test_a_service_reads_a_payment_with_its_write_backs(
    world: World, service: Caller, connection: Connection, invoice: Invoice
) -> None:
    service.put(path_to(connection), payment_form(invoice))

    body = service.get(path_to(connection)).json

    (shown,) = body["write_backs"]
    write_back: WriteBack = write_backs(world)[0]
    assert shown["invoice_id"] == invoice.invoice_id
    assert (shown["target"], shown["state"]) == ("posted", "pending")
    assert shown["connectwise_payment_id"] is None
    assert shown["next_look_at"] == write_back.created_at.isoformat().replace("+00:00", "Z")
