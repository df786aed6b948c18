"""R8: nobody reads, writes, infers or slows another partner's things.

Every route that takes an id is called by A with B's ids and with ids that nobody has; the
answers must not differ by a letter, and nothing of B's may change.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pytest

from bridge.domain.archiving import Archiving, moment_of
from bridge.domain.mirrored_kinds import INVOICES
from bridge.domain.problem import ProblemCode, ProblemReport
from bridge.domain.run import RunKind
from bridge.wiring import use_cases
from tests.unit.dashboard_api.payments import path_to, payment_form, recorded
from tests.unit.dashboard_api.world import Answer, Caller, World

UNDO_ID = "20260302T090000000000Z"
KEYS = {"public_key": "p", "private_key": "k"}
LINE = {"description": "x", "amount_minor": 1}
BODIES: dict[str, Any] = {
    "changeConnection": {"name": "mine", "credentials": KEYS, "filters": {}},
    "moveConnection": {"company_id": "mine", **KEYS},
    "saveFilters": {},
    "previewFilters": {},
    "undoArchive": {"undo_id": UNDO_ID},
    "changeCustomer": {"name": "mine"},
    "changeInvoice": {"number": "mine", "line_items": [LINE]},
    "actOnProblem": {"action": "dismiss"},
    "setBackWatermark": {"kind": "invoice", "at": "2026-03-01T00:00:00Z"},
}
SERVED_ELSEWHERE = {"startFetch", "receiveCallback"}


@dataclass(frozen=True)
class Ids:
    """One of everything that a path can name."""

    connection_id: str
    run_id: str
    customer_id: str
    invoice_id: str
    payment_id: str
    problem_id: str
    platform_payment_id: str
    kind: ClassVar[str] = "invoices"


def operations(*, for_services: bool = False) -> list[tuple[str, str, str]]:
    """Return (method, path, operation id) of every route with an id in its path."""
    document = World().caller(None).get("/openapi.json").json
    return [
        (method.upper(), path, operation["operationId"])
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if "{" in path
        if operation["operationId"] not in SERVED_ELSEWHERE
        if ("security" in operation) == for_services
    ]


def things_of(world: World, partner_id: str) -> tuple[Ids, Ids]:
    """Give the partner one of everything; return the mirrored and the platform-only ones."""
    connection = world.connection(partner_id)
    world.customer(connection, 1)
    invoice = world.invoice(connection, 7, payments=[31])
    run = use_cases.run_starter(world).start(connection, RunKind.SWEEP)
    trouble = ProblemReport(
        partner_id, connection.connection_id, ProblemCode.RECORD_PARKED, "invoice/7", "d"
    )
    world.problems.report(trouble, world.clock.now())
    archiving = Archiving(
        connection.connection_id, UNDO_ID, moment_of(UNDO_ID), connection.filters, invoice_count=1
    )
    world.archivings.save(archiving, expected_version=0)
    caller = world.partner(partner_id)
    customer_id = caller.post("/v1/customers", {"name": f"Only {partner_id}"}).json["id"]
    own_invoice = {
        "customer_id": customer_id,
        "number": "P-1",
        "currency": "USD",
        "issued_on": "2026-03-01",
        "line_items": [LINE],
    }
    invoice_id = caller.post("/v1/invoices", own_invoice).json["id"]
    recorded(world, connection, invoice, f"pay-of-{partner_id}", state="pending")
    mirrored = Ids(
        connection.connection_id,
        run.run_id,
        f"{connection.connection_id}-1",
        invoice.invoice_id,
        f"{connection.connection_id}-31",
        trouble.problem_id,
        f"pay-of-{partner_id}",
    )
    return mirrored, replace(mirrored, customer_id=customer_id, invoice_id=invoice_id)


UNKNOWN = Ids(
    "0" * 32, "1" * 32, "2" * 32 + "-1", "3" * 32 + "-7", "4" * 32 + "-31", "5" * 32, "pay-of-none"
)
UNKNOWN_PLATFORM = Ids("0" * 32, "1" * 32, "2" * 32, "3" * 32, "4" * 32, "5" * 32, "6" * 64)
SHAPELESS = Ids("x", "%00", "a-b", "..", "ü", "'", "a.b")


def call(caller: Caller, method: str, path: str, operation: str, ids: Ids) -> Answer:
    if path.startswith(("/v1/platform-payments", "/v1/connections/{connection_id}/payments")):
        path = path.replace("{payment_id}", "{platform_payment_id}")
    filled = re.sub(r"\{(\w+)\}", lambda match: str(getattr(ids, match[1])), path)
    return caller.send(method, filled, BODIES.get(operation))


@pytest.mark.parametrize(("method", "path", "operation"), operations())
def test_anothers_ids_look_like_ids_that_nobody_has(method: str, path: str, operation: str) -> None:
    # Given two partners with one of everything
    world = World()
    things_of(world, "partner-a")
    mirrored, platform = things_of(world, "partner-b")
    intruder = world.partner("partner-a")
    calls_before = list(world.psa.calls)
    before = snapshot(world)

    # When A asks for B's things, and for nobody's
    answers = [
        call(intruder, method, path, operation, ids)
        for ids in (mirrored, platform, UNKNOWN, UNKNOWN_PLATFORM, SHAPELESS)
    ]

    # Then nothing tells them apart, and nothing happened
    assert {answer.status for answer in answers} == {404}
    assert {answer.text for answer in answers} == {answers[0].text}
    assert answers[0].problem == "not_found"
    assert {tuple(sorted(answer.headers.items())) for answer in answers} == {
        tuple(sorted(answers[0].headers.items()))
    }
    assert snapshot(world) == before
    assert world.psa.calls == calls_before


@pytest.mark.parametrize(("method", "path", "operation"), operations())
def test_the_owners_ids_do_not_look_so(method: str, path: str, operation: str) -> None:
    """The test above would pass on an API that knows nothing at all."""
    world = World()
    mirrored, platform = things_of(world, "partner-b")

    answers = [
        call(world.partner("partner-b"), method, path, operation, ids)
        for ids in (mirrored, platform)
    ]

    assert any(answer.status != 404 for answer in answers)


def test_anothers_run_under_ones_own_connection_is_unknown() -> None:
    world = World()
    mine, _ = things_of(world, "partner-a")
    theirs, _ = things_of(world, "partner-b")
    intruder = world.partner("partner-a")

    path = f"/v1/connections/{mine.connection_id}/runs/{theirs.run_id}"

    assert intruder.get(path).status == 404
    assert intruder.post(f"{path}/cancel").status == 404


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/v1/connections", {}),
        ("/v1/customers", {}),
        ("/v1/customers", {"connection_id": "{connection_id}"}),
        ("/v1/customers", {"name": "Only partner-b"}),
        ("/v1/invoices", {}),
        ("/v1/invoices", {"connection_id": "{connection_id}"}),
        ("/v1/invoices", {"customer_id": "{customer_id}"}),
        ("/v1/payments", {}),
        ("/v1/payments", {"connection_id": "{connection_id}"}),
        ("/v1/payments", {"customer_id": "{customer_id}"}),
        ("/v1/payments", {"invoice_id": "{invoice_id}"}),
        ("/v1/problems", {"state": "all"}),
        ("/v1/platform-payments", {}),
        ("/v1/platform-payments", {"customer_id": "{connection_id}-1"}),
        ("/v1/platform-payments", {"connection_id": "{connection_id}"}),
        ("/v1/platform-payments", {"invoice_id": "{connection_id}-7"}),
        ("/v1/platform-payments", {"state": "pending"}),
    ],
)
def test_lists_never_hold_anothers_things(path: str, query: dict[str, str]) -> None:
    world = World()
    things_of(world, "partner-a")
    theirs, platform = things_of(world, "partner-b")
    filled = {name: value.format(**vars(theirs)) for name, value in query.items()}

    answer = world.partner("partner-a").get(path, **filled)

    assert answer.status == 200
    for secret in {*vars(theirs).values(), *vars(platform).values(), "partner-b"}:
        assert secret not in answer.text


@pytest.mark.parametrize("path", ["/v1/invoices", "/v1/platform-payments"])
def test_a_cursor_of_anothers_list_leads_nowhere(path: str) -> None:
    world = World()
    for partner_id in ("partner-a", "partner-b"):
        mine, _ = things_of(world, partner_id)
        second = world.invoice(world.stored_connection(mine.connection_id), 8)
        recorded(world, world.stored_connection(mine.connection_id), second, f"2-{partner_id}")
    cursor = world.partner("partner-b").get(path, limit="1").json["next_cursor"]
    assert cursor

    answer = world.partner("partner-a").get(path, limit="1", cursor=cursor)

    assert (answer.status, answer.problem) == (422, "invalid_input")
    assert "partner-a" not in answer.text


SERVICE_READS_AND_STEPS = [each for each in operations(for_services=True) if each[0] != "PUT"]


@pytest.mark.parametrize(("method", "path", "operation"), SERVICE_READS_AND_STEPS)
def test_a_services_tenant_is_the_connections_alone(method: str, path: str, operation: str) -> None:
    # Given two partners, each with a payment, and one of them with a second connection
    world = World()
    mine, _ = things_of(world, "partner-a")
    theirs, _ = things_of(world, "partner-b")
    second = world.connection("partner-a", company_id="second")
    before = snapshot(world)

    # When a service names a payment that is not of the connection that it names
    wrong = [
        replace(mine, platform_payment_id=theirs.platform_payment_id),
        replace(mine, connection_id=second.connection_id),
        replace(mine, platform_payment_id="never"),
        UNKNOWN,
        SHAPELESS,
    ]
    answers = [call(world.service(), method, path, operation, ids) for ids in wrong]

    # Then nothing tells these cases apart, and nothing happened
    assert {(answer.status, answer.text) for answer in answers} == {(404, answers[0].text)}
    assert answers[0].problem == "not_found"
    assert snapshot(world) == before


@pytest.mark.parametrize(("method", "path", "operation"), SERVICE_READS_AND_STEPS)
def test_a_service_reaches_a_payment_through_its_connection(
    method: str, path: str, operation: str
) -> None:
    world = World()
    mine, _ = things_of(world, "partner-a")

    answer = call(world.service(), method, path, operation, mine)

    assert answer.status in (200, 409)


def test_nothing_is_recorded_for_a_connection_that_nobody_has() -> None:
    world = World()
    mine, _ = things_of(world, "partner-a")
    invoice = world.records.get(INVOICES, "partner-a", mine.invoice_id).value
    assert invoice

    for connection_id in (UNKNOWN.connection_id, SHAPELESS.connection_id):
        path = f"/v1/connections/{connection_id}/payments/pay-1"
        answer = world.service().put(path, payment_form(invoice))
        assert (answer.status, answer.problem) == (404, "not_found")


def test_the_same_id_at_two_partners_is_two_payments() -> None:
    world = World()
    connections = [world.connection("partner-a"), world.connection("partner-b")]
    invoices = [world.invoice(connection, 7) for connection in connections]

    for connection, invoice in zip(connections, invoices, strict=True):
        recorded(world, connection, invoice, "pay-1")
    world.service().post(path_to(connections[0], step="refund"))

    states = [world.service().get(path_to(each)).json["state"] for each in connections]
    assert states == ["refunded", "settled"]
    shown = world.partner("partner-b").get("/v1/platform-payments/pay-1").json
    assert (shown["state"], shown["connection_id"]) == ("settled", connections[1].connection_id)


def test_a_payment_cannot_be_recorded_for_anothers_customer() -> None:
    world = World()
    mine, _ = things_of(world, "partner-a")
    theirs, platform = things_of(world, "partner-b")
    invoice = world.records.get(INVOICES, "partner-a", mine.invoice_id).value
    assert invoice
    customers = (theirs.customer_id, platform.customer_id, UNKNOWN.customer_id)

    answers = [
        world.service().put(path_to(invoice), payment_form(invoice, customer_id=customer_id))
        for customer_id in customers
    ]

    assert {answer.status for answer in answers} == {422}
    assert len({answer.text for answer in answers}) == 1


def test_an_invoice_cannot_be_made_for_anothers_customer() -> None:
    world = World()
    theirs, _ = things_of(world, "partner-b")
    form = {
        "number": "P-1",
        "currency": "USD",
        "issued_on": "2026-03-01",
        "line_items": [LINE],
    }

    answers = [
        world.partner("partner-a").post("/v1/invoices", form | {"customer_id": customer_id})
        for customer_id in (theirs.customer_id, UNKNOWN.customer_id)
    ]

    assert [answer.status for answer in answers] == [422, 422]
    assert answers[0].text == answers[1].text


def test_a_partner_named_in_the_body_is_no_partner() -> None:
    world = World()

    answer = world.partner("partner-a").post(
        "/v1/customers", {"name": "x", "partner_id": "partner-b"}
    )

    assert answer.status == 422


def snapshot(world: World) -> Any:
    """Everything that is stored anywhere, deeply copied."""
    stores = (
        world.connections,
        world.records,
        world.runs,
        world.problems,
        world.vault,
        world.documents,
        world.hints,
        world.run_queue,
        world.pdf_queue,
        world.ledger,
        world.write_back_queue,
    )
    return [
        {
            name: copy.deepcopy(value)
            for name, value in vars(store).items()
            if isinstance(value, dict | list)
        }
        for store in stores
    ]
