"""Partner users read what the platform collected, and what became of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.domain.connection import Connection
from bridge.domain.invoice import Invoice
from bridge.domain.problem import ProblemCode, ProblemReport
from bridge.domain.write_back import (
    Reason,
    ShownPayment,
    Timings,
    WriteBack,
    WriteBackState,
)
from bridge.domain.write_back.changes import confirm, follow_up, hand_over, state_post
from bridge.payments.write_back_problems import REASON_TEXTS
from tests.unit.dashboard_api.payments import (
    STEPS,
    act,
    path_to,
    payment_form,
    put_in_state,
    recorded,
    shown_write_back,
    stored_payment,
)
from tests.unit.dashboard_api.world import Caller, World

LIST = "/v1/platform-payments"
PAYMENT = f"{LIST}/pay-1"


# --- reading -----------------------------------------------------------------------------------


def test_payments_are_listed_latest_first_in_pages(
    world: World, partner: Caller, connection: Connection, invoice: Invoice
) -> None:
    for number in range(3):
        recorded(world, connection, invoice, f"pay-{number}")
        world.clock.advance(minutes=1)

    first = partner.get(LIST, limit="2").json
    second = partner.get(LIST, limit="2", cursor=first["next_cursor"]).json

    listed = [item["id"] for item in first["items"] + second["items"]]
    assert listed == ["pay-2", "pay-1", "pay-0"]
    assert second["next_cursor"] is None


def test_payments_of_one_customer_are_listed(
    world: World, partner: Caller, connection: Connection
) -> None:
    one = world.invoice(connection, 1, customer_source_id=1)
    two = world.invoice(connection, 2, customer_source_id=2)
    recorded(world, connection, one, "pay-1")
    recorded(world, connection, two, "pay-2")

    body = partner.get(LIST, customer_id=two.customer_id).json

    assert [item["id"] for item in body["items"]] == ["pay-2"]


def test_a_payment_shows_what_became_of_it(
    world: World, partner: Caller, write_back: WriteBack
) -> None:
    now = world.clock.now()
    posting = state_post(write_back, now, Timings(), balance_minor=4000)
    confirmed = confirm(posting, 501, now, stated_at=now)
    put_in_state(world, follow_up(confirmed, Reason.NONE))

    body = shown_write_back(partner)

    assert (body["state"], body["connectwise_payment_id"]) == ("confirmed", 501)
    assert body["last_sent_at"] is not None
    assert {body[name] for name in ("next_look_at", "reason", "detail", "problem_id")} == {None}
    assert body["actions"] == []


FIRST_ACTIONS = {
    Reason.LOOKS_WRITTEN: ["retry", "post"],
    Reason.POSSIBLE_DUPLICATE: ["post"],
    Reason.PAYMENT_GONE: ["look", "post"],
    Reason.PAYMENT_REWRITTEN: ["look", "post"],
}
"""What comes first where trying again might double a payment; elsewhere it is ``retry``."""


@pytest.mark.parametrize(
    "reason", [each for each in Reason if each not in (Reason.NONE, Reason.REVERSE_BY_HAND)]
)
def test_what_waits_for_a_person_says_why_and_what_to_do(
    world: World, partner: Caller, write_back: WriteBack, reason: Reason
) -> None:
    put_in_state(world, hand_over(write_back, reason))

    body = shown_write_back(partner)

    assert (body["reason"], body["detail"]) == (reason.value, REASON_TEXTS[reason])
    first = FIRST_ACTIONS.get(reason, ["retry"])
    assert body["actions"] == [*first, "mark_done", "cancel"]
    problem = partner.get(f"/v1/problems/{body['problem_id']}").json
    assert problem["code"] == "payment_not_written"
    assert problem["detail"] == body["detail"]
    assert (problem["payment_id"], problem["record_id"]) == ("pay-1", write_back.invoice_id)
    assert problem["actions"] == body["actions"]


def test_a_warning_can_only_be_marked_as_seen_to(
    world: World, partner: Caller, write_back: WriteBack
) -> None:
    confirmed = confirm(write_back, 501, world.clock.now())
    put_in_state(world, follow_up(confirmed, Reason.OTHERS_REPLACED))

    body = shown_write_back(partner)
    answers = [act(partner, body["problem_id"], action) for action in ("cancel", "mark_done")]

    assert body["actions"] == ["mark_done"]
    assert (answers[0].status, answers[0].problem) == (409, "action_not_offered")
    assert (answers[1].status, answers[1].json["state"]) == (200, "resolved")
    assert shown_write_back(partner)["state"] == "confirmed"


def offered(partner: Caller) -> list[list[str]]:
    """What the open problems offer, each as the list shows it and as it is shown by itself."""
    items = partner.get("/v1/problems").json["items"]
    alone = [partner.get(f"/v1/problems/{item['id']}").json["actions"] for item in items]
    assert [item["actions"] for item in items] == alone
    return alone


def test_a_problem_offers_what_its_write_back_allows_now(
    world: World, partner: Caller, write_back: WriteBack
) -> None:
    """What a person is offered is not refused, however far the payment is."""
    now = world.clock.now()
    confirmed = replace(confirm(write_back, 501, now), reason=Reason.NO_ANSWER)
    equal = ShownPayment(7, write_back.amount_minor, write_back.paid_on, "Member")
    states = {
        hand_over(write_back, Reason.OVERPAYMENT): ["retry", "mark_done", "cancel"],
        hand_over(write_back, Reason.LOOKS_WRITTEN, [equal]): [
            "retry",
            "adopt",
            "post",
            "mark_done",
            "cancel",
        ],
        replace(write_back, state=WriteBackState.UNCLEAR, reason=Reason.NO_ANSWER): ["look"],
        confirmed: ["retry", "mark_done"],
        follow_up(confirmed, Reason.STATUS_REFUSED): ["retry", "mark_done"],
        follow_up(confirmed, Reason.PAYMENT_CHANGED): ["mark_done"],
    }
    for state, actions in states.items():
        put_in_state(world, state)
        assert offered(partner) == [actions]

    (item,) = partner.get("/v1/problems").json["items"]
    assert act(partner, item["id"], "mark_done").json["actions"] == []
    (closed,) = partner.get("/v1/problems", state="resolved").json["items"]
    assert closed["actions"] == []


def test_a_problem_that_outlived_its_write_backs_reason_offers_nothing(
    world: World, partner: Caller, write_back: WriteBack
) -> None:
    put_in_state(world, hand_over(write_back, Reason.OVERPAYMENT))
    stored = world.ledger.get_write_back(write_back.connection_id, write_back.write_back_id)
    done = follow_up(confirm(write_back, 501, world.clock.now()), Reason.NONE)
    world.ledger.save_write_back(done, expected_version=stored.version)
    assert offered(partner) == [[]]


def test_only_problems_of_payments_cost_a_look_at_the_ledger(
    world: World, partner: Caller, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    trouble = ProblemReport(
        connection.partner_id, connection.connection_id, ProblemCode.RECORD_PARKED, "invoice/1", ""
    )
    world.problems.report(trouble, world.clock.now())
    monkeypatch.setattr(world.ledger, "get_write_back", None)
    assert offered(partner) == [["retry", "dismiss"]]


@pytest.mark.parametrize("payment_id", ["never", "a.b", "x" * 65, "%2F"])
def test_an_unknown_payment_is_not_found(partner: Caller, payment_id: str) -> None:
    answer = partner.get(f"{LIST}/{payment_id}")

    assert (answer.status, answer.problem) == (404, "not_found")


# --- no writing --------------------------------------------------------------------------------


def test_a_partner_user_cannot_forge_a_payment(
    world: World, partner: Caller, invoice: Invoice
) -> None:
    answers = [
        partner.put(path_to(invoice), payment_form(invoice)),
        partner.get(path_to(invoice)),
        *(partner.post(path_to(invoice, step=step)) for step in STEPS),
        partner.post(path_to(invoice, step="anything")),
        partner.delete(path_to(invoice)),
    ]

    assert {(answer.status, answer.problem) for answer in answers} == {(403, "not_allowed")}
    assert stored_payment(world) is None
    assert world.write_back_queue.write_backs == []


@pytest.mark.parametrize("method", ["PUT", "POST", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", [LIST, PAYMENT])
def test_partner_routes_only_read(
    world: World, partner: Caller, write_back: WriteBack, path: str, method: str
) -> None:
    before = stored_payment(world)

    answer = partner.send(method, path, {})

    assert (answer.status, answer.problem) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET"
    assert stored_payment(world) == before
