"""Partner users read what the platform collected and decide about what could not be written."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bridge.domain.connection import Connection, ConnectionState
from bridge.domain.identity import RecordKind
from bridge.domain.invoice import Invoice
from bridge.domain.platform_payment import Target
from bridge.domain.problem import ProblemCode, ProblemReport, record_subject
from bridge.domain.write_back import Reason, WriteBack, WriteBackState
from bridge.payments.write_back_problems import REASON_TEXTS
from bridge.ports import NO_OWNER
from tests.builders.records import a_payment, an_invoice
from tests.unit.dashboard_api.payments import (
    STEPS,
    act,
    path_to,
    payment_form,
    put_in_state,
    recorded,
    stored_payment,
    write_backs,
)
from tests.unit.dashboard_api.world import Caller, World

LIST = "/v1/platform-payments"
PAYMENT = f"{LIST}/pay-1"


@pytest.fixture
def connection(world: World) -> Connection:
    return world.connection()


@pytest.fixture
def invoice(world: World, connection: Connection) -> Invoice:
    return world.invoice(connection, 7)


@pytest.fixture
def write_back(world: World, connection: Connection, invoice: Invoice) -> WriteBack:
    """The write-back of a payment that was just recorded."""
    return recorded(world, connection, invoice)


def shown(partner: Caller) -> dict[str, Any]:
    (write_back,) = partner.get(PAYMENT).json["write_backs"]
    assert isinstance(write_back, dict)
    return write_back


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
    put_in_state(
        world,
        replace(
            write_back.confirmed(501, world.clock.now()).followed_up(Reason.NONE),
            intent_at=world.clock.now(),
        ),
    )

    body = shown(partner)

    assert (body["state"], body["connectwise_payment_id"]) == ("confirmed", 501)
    assert body["last_sent_at"] is not None
    assert {body[name] for name in ("next_look_at", "reason", "detail", "problem_id")} == {None}
    assert body["actions"] == []


@pytest.mark.parametrize(
    "reason", [each for each in Reason if each not in (Reason.NONE, Reason.REVERSE_BY_HAND)]
)
def test_what_waits_for_a_person_says_why_and_what_to_do(
    world: World, partner: Caller, write_back: WriteBack, reason: Reason
) -> None:
    put_in_state(world, write_back.manual(reason))

    body = shown(partner)

    assert (body["reason"], body["detail"]) == (reason.value, REASON_TEXTS[reason])
    assert body["actions"] == ["retry", "mark_done", "cancel"]
    problem = partner.get(f"/v1/problems/{body['problem_id']}").json
    assert problem["code"] == "payment_not_written"
    assert problem["detail"] == body["detail"]
    assert (problem["payment_id"], problem["record_id"]) == ("pay-1", write_back.invoice_id)
    assert problem["actions"] == body["actions"]


def test_a_warning_can_only_be_marked_as_seen_to(
    world: World, partner: Caller, write_back: WriteBack
) -> None:
    confirmed = write_back.confirmed(501, world.clock.now())
    put_in_state(world, confirmed.followed_up(Reason.OTHERS_REPLACED))

    body = shown(partner)
    answers = [act(partner, body["problem_id"], action) for action in ("cancel", "mark_done")]

    assert body["actions"] == ["mark_done"]
    assert (answers[0].status, answers[0].problem) == (409, "already_written")
    assert (answers[1].status, answers[1].json["state"]) == (200, "resolved")
    assert shown(partner)["state"] == "confirmed"


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
    confirmed = replace(write_back.confirmed(501, now), reason=Reason.NO_ANSWER)
    states = {
        write_back.manual(Reason.OVERPAYMENT): ["retry", "mark_done", "cancel"],
        replace(write_back, state=WriteBackState.UNCLEAR, reason=Reason.NO_ANSWER): ["retry"],
        confirmed: ["retry", "mark_done"],
        confirmed.followed_up(Reason.STATUS_REFUSED): ["retry", "mark_done"],
        confirmed.followed_up(Reason.PAYMENT_CHANGED): ["mark_done"],
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
    put_in_state(world, write_back.manual(Reason.OVERPAYMENT))
    stored = world.ledger.get_write_back(write_back.connection_id, write_back.write_back_id)
    done = write_back.confirmed(501, world.clock.now()).followed_up(Reason.NONE)
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


# --- deciding ----------------------------------------------------------------------------------


def waiting_problem(world: World, write_back: WriteBack, reason: Reason) -> str:
    put_in_state(world, write_back.manual(reason))
    open_ids = world.problems.open_of_connection("partner-a", write_back.connection_id)
    (problem_id,) = open_ids
    return problem_id


def test_retrying_starts_from_the_beginning(
    world: World, partner: Caller, write_back: WriteBack
) -> None:
    problem_id = waiting_problem(world, write_back, Reason.OVERPAYMENT)

    answer = act(partner, problem_id, "retry")

    assert (answer.status, answer.json["state"]) == (200, "resolved")
    assert (shown(partner)["state"], shown(partner)["reason"]) == ("pending", None)
    assert world.write_back_queue.write_backs[-1].state is WriteBackState.PENDING


@pytest.mark.parametrize(
    ("action", "state"), [("mark_done", "done_by_hand"), ("cancel", "cancelled")]
)
def test_a_person_may_end_it(
    world: World, partner: Caller, write_back: WriteBack, action: str, state: str
) -> None:
    problem_id = waiting_problem(world, write_back, Reason.INVOICE_LOCKED)
    sent = list(world.write_back_queue.write_backs)

    answer = act(partner, problem_id, action)

    assert (answer.status, answer.json["state"]) == (200, "resolved")
    assert (shown(partner)["state"], shown(partner)["actions"]) == (state, [])
    assert world.write_back_queue.write_backs == sent


@pytest.mark.parametrize("action", ["mark_done", "cancel"])
def test_ending_it_needs_no_connection(
    world: World, partner: Caller, write_back: WriteBack, action: str
) -> None:
    problem_id = waiting_problem(world, write_back, Reason.DISCONNECTED)
    disconnect(world, write_back.connection_id)

    retried = act(partner, problem_id, "retry")
    ended = act(partner, problem_id, action)

    assert (retried.status, retried.problem) == (409, "disconnected")
    assert (ended.status, ended.json["state"]) == (200, "resolved")


def test_what_moved_on_is_not_decided_about(
    world: World, partner: Caller, write_back: WriteBack
) -> None:
    """The world healed between looking at the problem and deciding."""
    problem_id = waiting_problem(world, write_back, Reason.OVERPAYMENT)
    stored = world.ledger.get_write_back(write_back.connection_id, write_back.write_back_id)
    world.ledger.save_write_back(write_back, expected_version=stored.version)

    answer = act(partner, problem_id, "mark_done")

    assert (answer.status, answer.problem) == (409, "no_decision_needed")
    assert shown(partner)["state"] == "pending"


def test_an_undone_payment_that_was_entered_by_hand_is_taken_out_by_hand(
    world: World, partner: Caller, write_back: WriteBack
) -> None:
    undone = replace(write_back, target=Target.ABSENT)
    problem_id = waiting_problem(world, undone, Reason.REVERSE_BY_HAND)

    answer = act(partner, problem_id, "mark_done")

    assert answer.json["state"] == "resolved"
    assert shown(partner)["state"] == "reversed"


def test_a_payment_problem_cannot_be_dismissed(
    world: World, partner: Caller, write_back: WriteBack
) -> None:
    problem_id = waiting_problem(world, write_back, Reason.REFUSED)

    answer = act(partner, problem_id, "dismiss")

    assert (answer.status, answer.problem) == (409, "action_not_offered")


def test_a_surplus_can_be_dismissed(world: World, partner: Caller, connection: Connection) -> None:
    trouble = ProblemReport(
        "partner-a",
        connection.connection_id,
        ProblemCode.PAYMENT_SURPLUS,
        record_subject(RecordKind.INVOICE, 7),
        "d",
    )
    world.problems.report(trouble, world.clock.now())
    invoice = an_invoice(7, connection_id=connection.connection_id, partner_id="partner-a")
    theirs = a_payment(501, of=invoice, applied_by=connection.member_identifier)
    world.records.save(replace(invoice, payments=(theirs,)), expected_version=0)

    body = partner.get(f"/v1/problems/{trouble.problem_id}").json
    answer = act(partner, trouble.problem_id, "dismiss")

    assert world.ledger.owners(connection.connection_id, [501]) == {501: NO_OWNER}

    assert body["actions"] == ["dismiss"]
    assert body["record_id"] == f"{connection.connection_id}-7"
    assert answer.json["state"] == "resolved"


def test_decisions_touch_nothing_in_connectwise(
    world: World, partner: Caller, write_back: WriteBack
) -> None:
    for action in ("retry", "mark_done", "cancel"):
        act(partner, waiting_problem(world, write_backs(world)[0], Reason.REFUSED), action)

    assert world.spy_gateway.calls == []


def disconnect(world: World, connection_id: str) -> None:
    stored = world.connections.get(connection_id)
    assert stored.value
    world.connections.save(
        stored.value.moved_to(ConnectionState.DISCONNECTED), expected_version=stored.version
    )
