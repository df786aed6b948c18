"""R9: what a partner types in as secret is in no answer, log, error, queue or stored record."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from bridge.domain.errors import (
    BridgeError,
    CredentialsRejectedError,
    OutcomeUnknownError,
    PermissionMissingError,
    RefusedError,
    UnavailableError,
    WrongCompanyError,
)
from bridge.domain.write_back import Reason
from bridge.domain.write_back.changes import hand_over
from dashboard_api.models.connections import ConnectInput, ConnectionPatch
from tests.unit.conftest import LogLines
from tests.unit.dashboard_api.payments import (
    path_to,
    payment_form,
    put_in_state,
    write_backs,
)
from tests.unit.dashboard_api.world import Answer, Caller, World

CANARY = "canary-7b1f-secret"
FORM = {"company_id": "acme", "public_key": f"pub-{CANARY}", "private_key": f"prv-{CANARY}"}


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    return caplog


def assert_unspoken(answers: list[Answer], log: pytest.LogCaptureFixture) -> None:
    for answer in answers:
        assert CANARY not in answer.text
        assert CANARY not in repr(answer.headers)
    assert CANARY not in log.text
    assert not [record for record in log.records if CANARY in repr(vars(record))]


def test_keys_live_in_the_vault_alone(
    world: World, partner: Caller, log: pytest.LogCaptureFixture
) -> None:
    created = partner.post("/v1/connections", FORM)
    connection_id = created.json["id"]
    path = f"/v1/connections/{connection_id}"
    secret = world.vault.get_credentials(connection_id).callback_secret

    answers = [
        created,
        partner.get(path),
        partner.get("/v1/connections"),
        partner.post(f"{path}/verify"),
        partner.patch(path, {"credentials": {k: FORM[k] for k in ("public_key", "private_key")}}),
        partner.post(f"{path}/rotate-callback-secret"),
        partner.get(f"{path}/runs"),
        partner.get("/v1/problems", state="all"),
        partner.delete(path),
    ]

    assert {answer.status for answer in answers} <= {200, 201, 204}
    assert_unspoken(answers, log)
    assert not [answer for answer in answers if secret in answer.text]
    stores = (world.connections, world.runs, world.problems, world.run_queue, world.hints)
    assert CANARY not in repr([vars(store) for store in stores])


@pytest.mark.parametrize(
    "failure",
    [
        CredentialsRejectedError(CANARY),
        WrongCompanyError(CANARY),
        PermissionMissingError(CANARY),
        UnavailableError(CANARY),
        OutcomeUnknownError(CANARY),
        RefusedError("InvalidObject", fields=(CANARY,)),
        BridgeError(CANARY),
    ],
    ids=lambda failure: type(failure).__name__,
)
@pytest.mark.parametrize("step", ["read_system_info", "check_rights", "ensure_callbacks"])
def test_no_failure_speaks(
    world: World,
    partner: Caller,
    log: pytest.LogCaptureFixture,
    step: str,
    failure: BridgeError,
) -> None:
    world.psa.failures[step] = failure
    connection = world.connection(company_id="other")
    path = f"/v1/connections/{connection.connection_id}"

    answers = [
        partner.post("/v1/connections", FORM),
        partner.post(f"{path}/verify"),
        partner.patch(path, {"credentials": {"public_key": CANARY, "private_key": CANARY}}),
        partner.post(f"{path}/rotate-callback-secret"),
        partner.get("/v1/problems", state="all"),
    ]

    assert_unspoken(answers, log)


def test_a_bug_does_not_speak(
    world: World,
    partner: Caller,
    log: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def explode(*arguments: object) -> None:
        raise ValueError(f"cannot store {arguments}: {CANARY}")

    monkeypatch.setattr(world.vault, "put_credentials", explode)
    answer = partner.post("/v1/connections", FORM)

    assert answer.status == 500
    assert_unspoken([answer], log)


REJECTED: list[dict[str, Any]] = [
    {"company_id": f"+{CANARY}"},
    {"company_id": [CANARY]},
    {"public_key": f"{CANARY} with a space"},
    {"private_key": CANARY * 20},
    {"private_key": {"value": CANARY}},
    {"private_key": f"{CANARY}\u00fc"},
    {"site_url": f"https://{CANARY} x"},
    {"name": f"\n{CANARY}"},
    {"filters": CANARY},
    {"filters": {"invoices": {"types": [CANARY]}}},
    {"filters": {"invoices": {"date_from": CANARY}}},
    {"filters": {"invoices": {"minimum_balance": CANARY}}},
    {"filters": {"customers": {"status_ids": [CANARY]}}},
    {CANARY: 1},
    {"filters": {CANARY: 1}},
    {"unknown": CANARY},
]


@pytest.mark.parametrize("changes", REJECTED)
def test_rejected_values_are_not_echoed(
    partner: Caller, log: pytest.LogCaptureFixture, changes: dict[str, Any]
) -> None:
    answer = partner.post("/v1/connections", FORM | changes)

    assert answer.status == 422
    assert_unspoken([answer], log)


@pytest.mark.parametrize(
    "text", [f'{{"private_key": "{CANARY}"', f'"{CANARY}"', f'{{"a": NaN, "b": "{CANARY}"}}']
)
def test_unreadable_bodies_are_not_echoed(
    partner: Caller, log: pytest.LogCaptureFixture, text: str
) -> None:
    assert_unspoken([partner.send("POST", "/v1/connections", text=text)], log)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/v1/invoices", {"state": CANARY}),
        ("/v1/invoices", {"due_from": CANARY}),
        ("/v1/invoices", {"limit": CANARY}),
        ("/v1/invoices", {"cursor": CANARY}),
        ("/v1/invoices", {"customer_id": CANARY}),
        ("/v1/invoices", {CANARY: "1"}),
        (f"/v1/invoices/{CANARY}", {}),
        (f"/v1/{CANARY}", {}),
    ],
)
def test_rejected_queries_and_paths_are_not_echoed(
    partner: Caller, log: pytest.LogCaptureFixture, path: str, query: dict[str, str]
) -> None:
    answer = partner.get(path, **query)

    assert answer.status in (404, 422)
    assert_unspoken([answer], log)


def test_what_a_service_tells_of_a_payer_stays_with_the_payment(
    world: World, partner: Caller, log: pytest.LogCaptureFixture
) -> None:
    """A reference and a reason are free texts: they may name people and accounts."""
    invoice = world.invoice(world.connection(), 7)
    service = world.service()
    answers = [
        service.put(path_to(invoice), payment_form(invoice, reference=CANARY)),
        service.post(path_to(invoice, step="return"), {"reason": CANARY}),
        service.put(path_to(invoice), payment_form(invoice, reference=f"other {CANARY}")),
        service.post(path_to(invoice, step="settle"), {"reason": CANARY}),
    ]
    put_in_state(world, hand_over(write_backs(world)[0], Reason.REFUSED))

    assert [answer.status for answer in answers] == [201, 200, 409, 409]
    assert_unspoken([*answers[2:], partner.get("/v1/problems", state="all")], log)
    assert CANARY in partner.get("/v1/platform-payments/pay-1").text
    others = (world.connections, world.problems, world.write_back_queue, world.hints, world.runs)
    assert CANARY not in repr([vars(store) for store in others])


@pytest.mark.parametrize(
    "changes",
    [
        {"reference": [CANARY]},
        {"reference": f"{CANARY}\n"},
        {"method": f"{CANARY} x"},
        {"currency": CANARY},
        {"amount_minor": CANARY},
        {"received_on": CANARY},
        {"state": CANARY},
        {"customer_id": CANARY},
        {"allocations": CANARY},
        {"allocations": [{"invoice_id": CANARY, "amount_minor": 1}]},
        {CANARY: 1},
    ],
)
def test_rejected_payments_are_not_echoed(
    world: World, log: pytest.LogCaptureFixture, changes: dict[str, Any]
) -> None:
    invoice = world.invoice(world.connection(), 7)

    answer = world.service().put(path_to(invoice), payment_form(invoice) | changes)

    assert answer.status == 422
    assert_unspoken([answer], log)


@pytest.mark.parametrize("step", ["", "settle", f"{CANARY}"])
def test_payment_ids_are_not_echoed_and_logged_as_ids_alone(
    world: World, partner: Caller, named_lines: LogLines, step: str
) -> None:
    connection = world.connection()
    path = path_to(connection, CANARY, step)

    answers = [
        world.service().send("POST" if step else "GET", path),
        partner.send("POST" if step else "GET", path),
        partner.get(f"/v1/platform-payments/{CANARY}"),
    ]

    assert {answer.status for answer in answers} <= {403, 404}
    for line in named_lines():
        line.pop("payment_id", None)
    assert_unspoken(answers, named_lines.log)


def test_a_bug_in_recording_does_not_speak(
    world: World, log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*arguments: object) -> None:
        raise ValueError(f"cannot store {arguments}")

    monkeypatch.setattr(world.ledger, "record", explode)
    invoice = world.invoice(world.connection(), 7)
    answer = world.service().put(path_to(invoice), payment_form(invoice, reference=CANARY))

    assert answer.status == 500
    assert_unspoken([answer], log)


def test_models_of_keys_do_not_show_them() -> None:
    keys = {"public_key": CANARY, "private_key": CANARY}
    form = ConnectInput.model_validate({"company_id": "acme", **keys})
    patch = ConnectionPatch.model_validate({"credentials": keys})

    shown = [repr(form), str(form), repr(patch), repr(form.to_request("partner-a"))]

    assert not [text for text in shown if CANARY in text]
