"""Payments, runs and problems."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.domain.connection import Connection, ConnectionState
from bridge.domain.errors import UnavailableError
from bridge.domain.hint import HintReason
from bridge.domain.identity import RecordKind
from bridge.domain.problem import ProblemCode, ProblemReport
from bridge.domain.run import Counters, Run, RunKind, RunState
from bridge.domain.work_messages import PdfRequest
from bridge.wiring import use_cases
from tests.unit.dashboard_api.world import Answer, Caller, World


def test_payments_are_listed_and_narrowed(world: World, partner: Caller) -> None:
    connection = world.connection()
    world.invoice(connection, 1, payments=[11, 12])
    world.invoice(connection, 2, customer_source_id=2, payments=[13])

    def ids(**query: str) -> set[int]:
        answer = partner.get("/v1/payments", **query)
        assert answer.status == 200, answer.text
        return {item["source_id"] for item in answer.json["items"]}

    assert ids() == {11, 12, 13}
    assert ids(connection_id=connection.connection_id) == {11, 12, 13}
    assert ids(customer_id=f"{connection.connection_id}-2") == {13}
    assert ids(invoice_id=f"{connection.connection_id}-1") == {11, 12}
    assert ids(paid_from="2026-02-21") == set()
    assert ids(paid_to="2026-02-20") == {11, 12, 13}


def test_a_deleted_payment_is_history(world: World, partner: Caller) -> None:
    invoice = world.invoice(world.connection(), 1, payments=[11])
    world.records.save(replace(invoice, payments=()), expected_version=1)

    assert partner.get("/v1/payments").json["items"] == []
    [deleted] = partner.get("/v1/payments", with_deleted="true").json["items"]
    assert deleted["is_deleted"] is True


def test_a_run_shows_how_far_it_is(world: World, partner: Caller) -> None:
    connection = world.connection()
    run = use_cases.run_starter(world).start(connection, RunKind.IMPORT)
    moving = replace(
        run,
        state=RunState.RUNNING,
        step_index=1,
        customers=Counters(seen=50, created=50),
        invoices=Counters(seen=120, created=118, failed=2),
        expected_customers=50,
        expected_invoices=500,
    )
    world.runs.save(moving, expected_version=1)

    body = partner.get(f"/v1/connections/{connection.connection_id}/runs/{run.run_id}").json

    assert body["progress"] == {
        "done": 170,
        "expected": 550,
        "expected_customers": 50,
        "expected_invoices": 500,
    }
    assert body["step"] == {"record_kind": "invoice", "selection": "all", "number": 2, "of": 2}
    assert (body["invoices"]["created"], body["invoices"]["failed"]) == (118, 2)
    assert (body["state"], body["failure"]) == ("running", None)


def test_runs_are_listed_latest_first_in_pages(world: World, partner: Caller) -> None:
    connection = world.connection()
    kinds = (RunKind.IMPORT, RunKind.SWEEP, RunKind.CUSTOMERS)
    for kind in kinds:
        use_cases.run_starter(world).start(connection, kind)
        world.clock.advance(minutes=1)
    path = f"/v1/connections/{connection.connection_id}/runs"

    first = partner.get(path, limit="2").json
    second = partner.get(path, limit="2", cursor=first["next_cursor"]).json

    listed = [run["kind"] for run in first["items"] + second["items"]]
    assert listed == [kind.value for kind in reversed(kinds)]
    assert second["next_cursor"] is None


def test_a_run_can_be_cancelled_and_then_started_again(world: World, partner: Caller) -> None:
    connection = world.connection()
    run = use_cases.run_starter(world).start(connection, RunKind.SWEEP)
    path = f"/v1/connections/{connection.connection_id}/runs/{run.run_id}"

    answers = [partner.post(f"{path}/cancel") for _ in range(2)]

    assert [answer.json["state"] for answer in answers] == ["cancelled", "cancelled"]
    assert use_cases.run_starter(world).start(connection, RunKind.SWEEP).state is RunState.QUEUED


def test_a_run_that_has_ended_cannot_be_cancelled(world: World, partner: Caller) -> None:
    connection = world.connection()
    run = use_cases.run_starter(world).start(connection, RunKind.SWEEP)
    world.runs.save(run.failed("records_failed", world.clock.now()), expected_version=1)

    answer = partner.post(f"/v1/connections/{connection.connection_id}/runs/{run.run_id}/cancel")

    assert (answer.status, answer.problem) == (409, "run_ended")


def test_open_problems_are_listed_unless_asked_otherwise(world: World, partner: Caller) -> None:
    connection = world.connection()
    first = open_problem(world, connection, ProblemCode.RECORD_MALFORMED, "invoice/1")
    second = open_problem(world, connection, ProblemCode.RECORD_PARKED, "customer/2")
    world.problems.resolve(connection.partner_id, second, world.clock.now())

    def ids(**query: str) -> list[str]:
        return [item["id"] for item in partner.get("/v1/problems", **query).json["items"]]

    assert ids() == [first]
    assert ids(state="resolved") == [second]
    assert ids(state="all") == [first, second]


def test_a_problem_says_what_it_is_about_and_what_can_be_done(
    world: World, partner: Caller
) -> None:
    connection = world.connection()
    problem_id = open_problem(world, connection, ProblemCode.RECORD_MALFORMED, "invoice/12")

    body = partner.get(f"/v1/problems/{problem_id}").json

    assert body["record_id"] == f"{connection.connection_id}-12"
    assert body["actions"] == ["retry", "dismiss"]
    assert body["title"] == "A record of ConnectWise cannot be read"


@pytest.mark.parametrize("kind", ["invoice", "customer"])
@pytest.mark.parametrize("code", [ProblemCode.RECORD_MALFORMED, ProblemCode.RECORD_PARKED])
def test_retrying_a_record_looks_at_it_again(
    world: World, partner: Caller, code: ProblemCode, kind: str
) -> None:
    connection = world.connection()
    problem_id = open_problem(world, connection, code, f"{kind}/12")

    answer = act(partner, problem_id, "retry")

    assert (answer.status, answer.json["state"]) == (200, "open")
    (hint,) = world.hints.sent
    assert hint.record == (RecordKind(kind), 12)
    assert hint.connection_id == connection.connection_id
    assert (hint.partner_id, hint.reason) == (connection.partner_id, HintReason.RETRY)


def test_retrying_a_pdf_asks_for_it_again(world: World, partner: Caller) -> None:
    connection = world.connection()
    problem_id = open_problem(world, connection, ProblemCode.PDF_UNAVAILABLE, "invoice/12")

    act(partner, problem_id, "retry")

    invoice_id = f"{connection.connection_id}-12"
    assert world.pdf_queue.sent == [PdfRequest(connection.connection_id, invoice_id)]


@pytest.mark.parametrize("kind", RunKind)
def test_every_kind_of_run_can_be_retried(world: World, partner: Caller, kind: RunKind) -> None:
    connection = world.connection()
    problem_id = open_problem(world, connection, ProblemCode.RUN_FAILED, f"run/{kind.value}")

    answer = act(partner, problem_id, "retry")

    assert (answer.status, answer.json["state"]) == (200, "resolved")
    [run] = world.runs.list_of_connection(connection.connection_id, limit=10).items
    assert run.kind is kind


def test_retrying_a_failed_run_starts_one_like_it(world: World, partner: Caller) -> None:
    connection = world.connection()
    failed = failed_run(world, connection, RunKind.INVOICES)
    problem_id = open_problem(world, connection, ProblemCode.RUN_FAILED, f"run/{failed.kind.value}")

    answer = act(partner, problem_id, "retry")

    assert answer.json["state"] == "resolved"
    newest = world.runs.list_of_connection(connection.connection_id, limit=1).items[0]
    assert (newest.kind, newest.since) == (failed.kind, failed.since)
    assert newest.run_id != failed.run_id


def test_a_retry_that_cannot_be_queued_leaves_the_problem_open(
    world: World, partner: Caller
) -> None:
    connection = world.connection()
    failed = failed_run(world, connection, RunKind.SWEEP)
    problem_id = open_problem(world, connection, ProblemCode.RUN_FAILED, f"run/{failed.kind.value}")
    world.run_queue.error = UnavailableError("no queue")

    answer = act(partner, problem_id, "retry")

    assert (answer.status, answer.problem) == (503, "unavailable")
    assert partner.get(f"/v1/problems/{problem_id}").json["state"] == "open"


def test_approving_a_stopped_archiving_starts_an_approved_sweep(
    world: World, partner: Caller
) -> None:
    connection = world.connection()
    problem_id = open_problem(world, connection, ProblemCode.MASS_ARCHIVE_STOPPED, "sweep")

    answer = act(partner, problem_id, "approve")

    assert answer.json["state"] == "resolved"
    [run] = world.runs.list_of_connection(connection.connection_id, limit=10).items
    assert (run.kind, run.archive_is_approved) == (RunKind.SWEEP, True)


def test_approving_waits_for_a_sweep_that_goes_on(world: World, partner: Caller) -> None:
    connection = world.connection()
    going_on = use_cases.run_starter(world).start(connection, RunKind.SWEEP)
    problem_id = open_problem(world, connection, ProblemCode.MASS_ARCHIVE_STOPPED, "sweep")

    answer = act(partner, problem_id, "approve")

    assert (answer.status, answer.problem) == (409, "run_active")
    assert answer.json["run_id"] == going_on.run_id
    assert partner.get(f"/v1/problems/{problem_id}").json["state"] == "open"


def test_verifying_from_a_problem_settles_it(world: World, partner: Caller) -> None:
    connection = world.connection()
    problem_id = open_problem(world, connection, ProblemCode.CALLBACKS_BROKEN, "connection")

    assert act(partner, problem_id, "verify").json["state"] == "resolved"
    assert "ensure_callbacks" in world.psa.calls


def test_dismissing_resolves_it_even_when_disconnected(world: World, partner: Caller) -> None:
    connection = world.connection(state=ConnectionState.DISCONNECTED)
    problem_id = open_problem(world, connection, ProblemCode.RECORD_PARKED, "invoice/1")

    retried = act(partner, problem_id, "retry")
    dismissed = act(partner, problem_id, "dismiss")

    assert (retried.status, retried.problem) == (409, "disconnected")
    assert (dismissed.json["state"], dismissed.json["actions"]) == ("resolved", [])


def test_an_action_that_is_not_offered_is_refused(world: World, partner: Caller) -> None:
    connection = world.connection()
    problem_id = open_problem(world, connection, ProblemCode.RIGHT_MISSING, "connection")

    refused = act(partner, problem_id, "dismiss")
    unknown = act(partner, problem_id, "explode")

    assert (refused.status, refused.problem) == (409, "action_not_offered")
    assert (unknown.status, unknown.problem) == (422, "invalid_input")


def test_a_resolved_problem_offers_nothing(world: World, partner: Caller) -> None:
    connection = world.connection()
    problem_id = open_problem(world, connection, ProblemCode.RECORD_PARKED, "invoice/1")
    act(partner, problem_id, "dismiss")

    answer = act(partner, problem_id, "retry")

    assert (answer.status, answer.problem) == (409, "action_not_offered")


@pytest.mark.parametrize(
    ("code", "subject", "reason"),
    [
        (ProblemCode.RECORD_PARKED, "connection", "nothing_to_retry"),
        (ProblemCode.RECORD_PARKED, "invoice/x", "nothing_to_retry"),
        (ProblemCode.RUN_FAILED, "run/" + "0" * 32, "nothing_to_retry"),
    ],
)
def test_a_problem_without_a_record_or_run_cannot_be_retried(
    world: World, partner: Caller, code: ProblemCode, subject: str, reason: str
) -> None:
    problem_id = open_problem(world, world.connection(), code, subject)

    answer = act(partner, problem_id, "retry")

    assert (answer.status, answer.problem) == (409, reason)
    assert world.hints.sent == []


def open_problem(world: World, connection: Connection, code: ProblemCode, subject: str) -> str:
    trouble = ProblemReport(
        connection.partner_id, connection.connection_id, code, subject, "Details."
    )
    world.problems.report(trouble, world.clock.now())
    return trouble.problem_id


def failed_run(world: World, connection: Connection, kind: RunKind) -> Run:
    run = use_cases.run_starter(world).start(connection, kind, since=world.clock.now())
    failed = run.failed("records_failed", world.clock.now())
    world.runs.save(failed, expected_version=1)
    world.clock.advance(seconds=1)
    return failed


def act(partner: Caller, problem_id: str, action: str) -> Answer:
    return partner.post(f"/v1/problems/{problem_id}/actions", {"action": action})
