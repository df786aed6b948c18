"""Partner users decide about payments that could not be written, or that nobody knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bridge.domain.connection import Connection, ConnectionState
from bridge.domain.identity import RecordKind
from bridge.domain.mirrored_kinds import INVOICES
from bridge.domain.platform_payment import Target
from bridge.domain.problem import ProblemCode, ProblemReport, record_subject
from bridge.domain.write_back import (
    Decision,
    DecisionKind,
    Reason,
    ShownPayment,
    Timings,
    WriteBack,
    WriteBackState,
)
from bridge.domain.write_back.changes import confirm, hand_over, state_post
from bridge.ports import NO_OWNER
from tests.builders.records import a_payment, an_invoice
from tests.unit.dashboard_api.payments import (
    act,
    put_in_state,
    recorded,
    shown_write_back,
    write_backs,
)
from tests.unit.dashboard_api.world import Caller, World


def waiting_problem(
    world: World, write_back: WriteBack, reason: Reason, shown: Sequence[ShownPayment] = ()
) -> str:
    put_in_state(world, hand_over(write_back, reason, shown))
    open_ids = world.problems.open_of_connection("partner-a", write_back.connection_id)
    (problem_id,) = open_ids
    return problem_id


def test_retrying_starts_from_the_beginning(
    world: World, partner: Caller, write_back: WriteBack
) -> None:
    problem_id = waiting_problem(world, write_back, Reason.OVERPAYMENT)

    answer = act(partner, problem_id, "retry")

    assert (answer.status, answer.json["state"]) == (200, "resolved")
    body = shown_write_back(partner)
    assert (body["state"], body["reason"]) == ("pending", None)
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
    assert (shown_write_back(partner)["state"], shown_write_back(partner)["actions"]) == (state, [])
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
    assert shown_write_back(partner)["state"] == "pending"


def test_an_undone_payment_that_was_entered_by_hand_is_taken_out_by_hand(
    world: World, partner: Caller, write_back: WriteBack
) -> None:
    undone = replace(write_back, target=Target.ABSENT)
    problem_id = waiting_problem(world, undone, Reason.REVERSE_BY_HAND)

    answer = act(partner, problem_id, "mark_done")

    assert answer.json["state"] == "resolved"
    assert shown_write_back(partner)["state"] == "reversed"


def test_a_payment_problem_cannot_be_dismissed(
    world: World, partner: Caller, write_back: WriteBack
) -> None:
    problem_id = waiting_problem(world, write_back, Reason.REFUSED)

    answer = act(partner, problem_id, "dismiss")

    assert (answer.status, answer.problem) == (409, "action_not_offered")


@pytest.fixture
def surplus_id(world: World, connection: Connection) -> str:
    """The id of a problem about two payments that somebody made with our API member's keys."""
    trouble = ProblemReport(
        "partner-a",
        connection.connection_id,
        ProblemCode.PAYMENT_SURPLUS,
        record_subject(RecordKind.INVOICE, 7),
        "d",
    )
    world.problems.report(trouble, world.clock.now())
    invoice = an_invoice(7, connection_id=connection.connection_id, partner_id="partner-a")
    member = connection.member_identifier
    theirs = [a_payment(number, of=invoice, applied_by=member) for number in (501, 502)]
    world.records.save(replace(invoice, payments=tuple(theirs)), expected_version=0)
    return trouble.problem_id


def test_a_surplus_is_dismissed_payment_by_payment(
    world: World, partner: Caller, connection: Connection, surplus_id: str
) -> None:
    body = partner.get(f"/v1/problems/{surplus_id}").json
    first = act(partner, surplus_id, "dismiss", connectwise_payment_id=501)
    second = act(partner, surplus_id, "dismiss", connectwise_payment_id=502)

    assert body["actions"] == ["dismiss"]
    assert body["record_id"] == f"{connection.connection_id}-7"
    assert [each["connectwise_payment_id"] for each in body["payments"]] == [501, 502]
    assert first.json["state"] == "open"
    assert [each["connectwise_payment_id"] for each in first.json["payments"]] == [502]
    assert (second.json["state"], second.json["payments"]) == ("resolved", [])
    owners = {501: NO_OWNER, 502: NO_OWNER}
    assert world.ledger.owners(connection.books, [501, 502]) == owners


@pytest.mark.parametrize("names", [{}, {"connectwise_payment_id": None}])
def test_who_dismisses_a_surplus_names_a_payment(
    world: World, partner: Caller, connection: Connection, surplus_id: str, names: dict[str, None]
) -> None:
    answer = act(partner, surplus_id, "dismiss", **names)

    assert (answer.status, answer.json["errors"][0]["field"]) == (422, "connectwise_payment_id")
    assert world.ledger.owners(connection.books, [501, 502]) == {}


def test_a_payment_that_a_post_of_ours_may_have_made_is_not_dismissed(
    world: World, partner: Caller, connection: Connection
) -> None:
    """Given a post whose answer was lost, and a payment that the mirror shows since."""
    invoice = world.invoice(connection, 7)
    write_back = recorded(world, connection, invoice)
    member = connection.member_identifier
    lost = state_post(write_back, world.clock.now(), Timings(), balance_minor=11000, member=member)
    put_in_state(world, lost)
    made = a_payment(
        501, of=invoice, applied_by=member, amount_minor=lost.amount_minor, paid_on=lost.paid_on
    )
    stored = world.records.get(INVOICES, "partner-a", invoice.invoice_id)
    world.records.save(replace(invoice, payments=(made,)), expected_version=stored.version)
    trouble = ProblemReport(
        "partner-a",
        connection.connection_id,
        ProblemCode.PAYMENT_SURPLUS,
        record_subject(RecordKind.INVOICE, 7),
    )
    world.problems.report(trouble, world.clock.now())

    answer = act(partner, trouble.problem_id, "dismiss", connectwise_payment_id=501)

    assert (answer.status, answer.problem) == (409, "may_be_ours")
    assert world.ledger.owners(connection.books, [501]) == {}


def test_a_shown_payment_is_adopted_by_its_id(
    world: World, partner: Caller, write_back: WriteBack
) -> None:
    equal = ShownPayment(501, write_back.amount_minor, write_back.paid_on, "Member")
    problem_id = waiting_problem(world, write_back, Reason.LOOKS_WRITTEN, [equal])

    body = partner.get(f"/v1/problems/{problem_id}").json
    refused = [
        act(partner, problem_id, "adopt"),
        act(partner, problem_id, "adopt", connectwise_payment_id=502),
    ]
    answer = act(partner, problem_id, "adopt", connectwise_payment_id=501)

    assert body["payments"] == [
        {
            "connectwise_payment_id": 501,
            "amount_minor": write_back.amount_minor,
            "amount": {
                "amount_minor": write_back.amount_minor,
                "currency": "USD",
                "decimals": 2,
                "display": "40.00",
            },
            "paid_on": write_back.paid_on.isoformat(),
            "applied_by": "Member",
        }
    ]
    assert [each.json["errors"][0]["field"] for each in refused] == ["connectwise_payment_id"] * 2
    assert answer.status == 200
    (stored,) = write_backs(world)
    assert stored.decision == Decision(DecisionKind.ADOPT, 501)
    assert world.write_back_queue.write_backs[-1] == stored


def test_a_reversal_in_the_books_names_its_entry(
    world: World, partner: Caller, write_back: WriteBack
) -> None:
    confirmed = confirm(write_back, 501, world.clock.now())
    undone = replace(confirmed, target=Target.ABSENT)
    problem_id = waiting_problem(world, undone, Reason.INVOICE_LOCKED)

    refused = act(partner, problem_id, "reverse_in_books", reference=" ")
    answer = act(partner, problem_id, "reverse_in_books", reference="JE-2026-17")

    assert (refused.status, refused.json["errors"][0]["field"]) == (422, "reference")
    assert answer.json["state"] == "resolved"
    body = shown_write_back(partner)
    assert (body["state"], body["connectwise_payment_id"]) == ("reversed_by_hand", 501)
    assert write_backs(world)[0].hand_reference == "JE-2026-17"


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
