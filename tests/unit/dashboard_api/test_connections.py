"""Connections that are there: reading, changing, verifying, disconnecting."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from bridge.domain.connection import CallbackSecret, ConnectionState
from bridge.domain.errors import (
    CredentialsRejectedError,
    PermissionMissingError,
    UnavailableError,
    WrongCompanyError,
)
from bridge.domain.identity import RecordKind
from bridge.domain.permissions import REQUIRED_RIGHTS, Bound, Column, Restriction, Right
from bridge.domain.problem import ProblemCode, ProblemReport
from bridge.domain.run import RunKind
from bridge.wiring import use_cases
from tests.fakes.clock import START
from tests.unit.dashboard_api.world import PRIVATE_KEY, Caller, World

INVOICING = Right("Finance", "Invoicing", Column.INQUIRE)
NEW_KEYS = {"public_key": "new-public", "private_key": "new-private"}


def test_the_list_shows_all_connections_oldest_first(world: World, partner: Caller) -> None:
    first = world.connection(company_id="first")
    world.clock.advance(minutes=1)
    second = world.connection(company_id="second")

    items = partner.get("/v1/connections").json["items"]

    assert [item["id"] for item in items] == [first.connection_id, second.connection_id]


def test_one_connection_shows_its_health(world: World, partner: Caller) -> None:
    connection = world.connection()
    run = use_cases.run_starter(world).start(connection, RunKind.CUSTOMERS)

    body = partner.get(f"/v1/connections/{connection.connection_id}").json

    assert body["callbacks"] == "registered"
    assert body["latest_run"]["id"] == run.run_id
    assert body["missing_rights"] == []
    assert body["site_url"] == "https://na.psa.test"


def test_one_connection_tells_until_when_all_changes_are_known(
    world: World, partner: Caller
) -> None:
    """Quiet looks leave no run behind, so that the latest run may be long ago."""
    connection = world.connection()
    path = f"/v1/connections/{connection.connection_id}"
    assert partner.get(path).json["known_until"] is None
    world.runs.set_watermark(connection.connection_id, RecordKind.INVOICE, START)
    assert partner.get(path).json["known_until"] is None

    later = START + timedelta(hours=1)
    world.runs.set_watermark(connection.connection_id, RecordKind.CUSTOMER, later)

    assert datetime.fromisoformat(partner.get(path).json["known_until"]) == START


def test_a_name_can_be_changed(world: World, partner: Caller) -> None:
    connection = world.connection()

    answer = partner.patch(f"/v1/connections/{connection.connection_id}", {"name": "Berlin"})

    assert (answer.status, answer.json["name"]) == (200, "Berlin")
    assert world.psa.calls == []


def test_new_keys_are_proven_before_they_replace_the_old(world: World, partner: Caller) -> None:
    connection = world.connection()
    world.psa.failures["read_system_info"] = CredentialsRejectedError("401")

    answer = partner.patch(
        f"/v1/connections/{connection.connection_id}", {"credentials": NEW_KEYS, "name": "Berlin"}
    )

    assert (answer.status, answer.problem) == (422, "credentials_rejected")
    assert world.vault.get_credentials(connection.connection_id).private_key == PRIVATE_KEY
    assert world.stored_connection(connection.connection_id).name == "acme"


def test_new_keys_mend_a_degraded_connection(world: World, partner: Caller) -> None:
    connection = world.connection()
    use_cases.connection_health(world).report_failure(connection, CredentialsRejectedError("401"))
    path = f"/v1/connections/{connection.connection_id}"
    assert partner.get(path).json["state"] == "degraded"

    answer = partner.patch(path, {"credentials": NEW_KEYS})

    assert answer.json["state"] == "active"
    assert answer.json["open_problem_count"] == 0
    stored = world.vault.get_credentials(connection.connection_id)
    assert (stored.private_key, stored.callback_secret) == ("new-private", "old-secret")


def test_verifying_says_each_right_and_repairs_the_callbacks(world: World, partner: Caller) -> None:
    connection = world.connection()

    answer = partner.post(f"/v1/connections/{connection.connection_id}/verify")

    body = answer.json
    assert (answer.status, body["outcome"], body["callbacks_registered"]) == (200, "accepted", True)
    assert len(body["rights"]) == len(REQUIRED_RIGHTS)
    assert body["rights"][0] == {
        "module": "Companies",
        "row": "Company Maintenance",
        "column": "Inquire",
        "finding": "granted",
    }
    assert "old-secret" in world.psa.callback_urls[0]


def test_a_missing_right_degrades_until_it_is_granted(world: World, partner: Caller) -> None:
    connection = world.connection()
    path = f"/v1/connections/{connection.connection_id}"
    world.psa.missing_rights = {INVOICING}

    partner.post(f"{path}/verify")

    degraded = partner.get(path).json
    assert degraded["state"] == "degraded"
    assert degraded["missing_rights"] == ["Finance > Invoicing: Inquire"]
    assert degraded["open_problem_count"] == 1

    world.psa.missing_rights = set()
    partner.post(f"{path}/verify")

    mended = partner.get(path).json
    assert (mended["state"], mended["missing_rights"]) == ("active", [])
    assert mended["open_problem_count"] == 0


def test_verifying_an_import_leaves_it_importing(world: World, partner: Caller) -> None:
    connection = world.connection(state=ConnectionState.IMPORTING)
    use_cases.run_starter(world).start(connection, RunKind.IMPORT)

    body = partner.post(f"/v1/connections/{connection.connection_id}/verify").json

    assert body["connection"]["state"] == "importing"
    assert len(world.run_queue.sent) == 1


def test_rejected_credentials_are_a_finding(world: World, partner: Caller) -> None:
    connection = world.connection()
    world.psa.failures["read_system_info"] = CredentialsRejectedError("401")

    answer = partner.post(f"/v1/connections/{connection.connection_id}/verify")

    assert (answer.status, answer.json["outcome"]) == (200, "credentials_rejected")
    assert answer.json["connection"]["state"] == "degraded"
    assert [p["code"] for p in partner.get("/v1/problems").json["items"]] == [
        "credentials_rejected"
    ]


def test_a_company_that_moved_away_is_a_finding(world: World, partner: Caller) -> None:
    connection = world.connection()
    world.psa.failures["check_rights"] = WrongCompanyError("404")

    answer = partner.post(f"/v1/connections/{connection.connection_id}/verify")

    assert answer.json["outcome"] == "wrong_company"


def test_verifying_an_unreachable_connectwise_changes_nothing(
    world: World, partner: Caller
) -> None:
    connection = world.connection()
    world.psa.failures["read_system_info"] = UnavailableError("timeout")

    answer = partner.post(f"/v1/connections/{connection.connection_id}/verify")

    assert (answer.status, answer.problem) == (503, "unavailable")
    assert world.stored_connection(connection.connection_id) == connection
    assert partner.get("/v1/problems").json["items"] == []


def test_rotating_keeps_the_registered_secret_valid_for_a_day(
    world: World, partner: Caller
) -> None:
    connection = world.connection()

    answer = partner.post(f"/v1/connections/{connection.connection_id}/rotate-callback-secret")

    secret = world.vault.get_credentials(connection.connection_id).callback_secret
    assert answer.status == 200
    assert secret != "old-secret"
    assert world.stored_connection(connection.connection_id).callback_secret == CallbackSecret(
        _sha256(secret), _sha256("old-secret"), world.clock.now() + timedelta(hours=24)
    )
    assert secret in world.psa.callback_urls[0]


def test_a_rotation_that_fails_at_connectwise_loses_no_callback(
    world: World, partner: Caller
) -> None:
    connection = world.connection()
    path = f"/v1/connections/{connection.connection_id}/rotate-callback-secret"
    world.psa.failures["ensure_callbacks"] = UnavailableError("timeout")

    assert partner.post(path).status == 503

    kept = world.vault.get_credentials(connection.connection_id).callback_secret
    live = world.stored_connection(connection.connection_id).callback_secret
    assert live == CallbackSecret(_sha256(kept), _sha256("old-secret"))


def test_disconnecting_forgets_the_secrets_and_keeps_the_records(
    world: World, partner: Caller
) -> None:
    connection = world.connection()
    world.psa.callback_urls = [
        f"https://bridge.test/webhooks/connectwise/{connection.connection_id}/x?recordId="
    ]
    run = use_cases.run_starter(world).start(connection, RunKind.SWEEP)
    invoice = world.invoice(connection, 7)
    path = f"/v1/connections/{connection.connection_id}"

    answer = partner.delete(path)

    assert (answer.status, answer.text) == (204, "")
    body = partner.get(path).json
    assert (body["state"], body["callbacks"]) == ("disconnected", "none")
    assert world.stored_connection(connection.connection_id).callback_secret is None
    assert world.psa.callback_urls == []
    assert partner.get(f"{path}/runs/{run.run_id}").json["state"] == "cancelled"
    assert partner.get(f"/v1/invoices/{invoice.invoice_id}").status == 200
    assert PRIVATE_KEY not in repr(vars(world.vault))


def test_disconnecting_works_without_connectwise_and_twice(world: World, partner: Caller) -> None:
    connection = world.connection()
    world.psa.failures["remove_callbacks"] = UnavailableError("gone")
    path = f"/v1/connections/{connection.connection_id}"

    assert [partner.delete(path).status for _ in range(2)] == [204, 204]


def test_a_disconnected_connection_can_only_be_connected_again(
    world: World, partner: Caller
) -> None:
    connection = world.connection(state=ConnectionState.DISCONNECTED)
    path = f"/v1/connections/{connection.connection_id}"

    answers = [
        partner.post(f"{path}/verify"),
        partner.post(f"{path}/rotate-callback-secret"),
        partner.patch(path, {"credentials": NEW_KEYS}),
        partner.patch(path, {"filters": {}}),
        partner.put(f"{path}/filters", {}),
        partner.post(f"{path}/filters/preview", {}),
        partner.post(f"{path}/filters/archive-left"),
    ]

    assert {(answer.status, answer.problem) for answer in answers} == {(409, "disconnected")}
    assert world.psa.calls == []


def test_problems_of_rights_found_by_a_run_are_settled_by_verifying(
    world: World, partner: Caller
) -> None:
    connection = world.connection()
    scope = (connection.partner_id, connection.connection_id)
    for code in (ProblemCode.RIGHT_MISSING, ProblemCode.CALLBACKS_BROKEN):
        world.problems.report(ProblemReport(*scope, code, "connection"), world.clock.now())
    world.problems.report(
        ProblemReport(*scope, ProblemCode.RECORD_MALFORMED, "invoice/7"), world.clock.now()
    )

    partner.post(f"/v1/connections/{connection.connection_id}/verify")

    still_open = partner.get("/v1/problems").json["items"]
    assert [problem["subject"] for problem in still_open] == ["invoice/7"]


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def test_a_denied_call_names_the_right_at_once(world: World, partner: Caller) -> None:
    # Given a refusal that a worker met, long after the last verification
    connection = world.connection()
    path = f"/v1/connections/{connection.connection_id}"
    denied = PermissionMissingError("no", rights=("Finance > Invoicing: Inquire",))

    use_cases.connection_health(world).report_failure(connection, denied)

    assert partner.get(path).json["missing_rights"] == ["Finance > Invoicing: Inquire"]
    [problem] = partner.get("/v1/problems").json["items"]
    assert problem["code"] == "right_missing"
    assert problem["detail"] == (
        "The API member's security role lacks Finance > Invoicing: Inquire."
    )

    partner.post(f"{path}/verify")
    assert partner.get(path).json["missing_rights"] == []


LIMITED = Restriction(INVOICING, Bound.LOCATION, "Tampa Office")
SHOWN = {
    "module": "Finance",
    "row": "Invoicing",
    "column": "Inquire",
    "bound": "location",
    "limit": "Tampa Office",
}


def test_a_member_limited_to_a_location_is_told_when_connecting(
    world: World, partner: Caller
) -> None:
    world.psa.restrictions = (LIMITED,)

    form = {"company_id": "acme", "public_key": "p", "private_key": PRIVATE_KEY}
    connected = partner.post("/v1/connections", form)

    assert (connected.status, connected.json["restrictions"]) == (201, [SHOWN])
    [problem] = partner.get("/v1/problems").json["items"]
    assert (problem["code"], problem["actions"]) == ("books_partly_hidden", ["verify", "dismiss"])
    assert (
        "Finance > Invoicing: Inquire is limited to the location Tampa Office" in problem["detail"]
    )


def test_a_restriction_is_shown_by_verifying_until_it_is_lifted(
    world: World, partner: Caller
) -> None:
    connection = world.connection()
    path = f"/v1/connections/{connection.connection_id}"
    world.psa.restrictions = (LIMITED, Restriction(INVOICING, Bound.LEVEL, "My"))

    verified = partner.post(f"{path}/verify").json

    assert [each["bound"] for each in verified["connection"]["restrictions"]] == [
        "location",
        "level",
    ]
    [problem] = partner.get("/v1/problems").json["items"]
    assert 'Finance > Invoicing: Inquire is "My" instead of "All"' in problem["detail"]

    world.psa.restrictions = ()
    partner.post(f"{path}/verify")

    assert partner.get(path).json["restrictions"] == []
    assert partner.get("/v1/problems").json["items"] == []


def test_restrictions_that_cannot_be_read_stay_as_they_were_known(
    world: World, partner: Caller
) -> None:
    connection = world.connection()
    path = f"/v1/connections/{connection.connection_id}"
    world.psa.restrictions = (LIMITED,)
    partner.post(f"{path}/verify")
    world.psa.failures["read_restrictions"] = UnavailableError("timeout")

    assert partner.post(f"{path}/verify").json["connection"]["restrictions"] == [SHOWN]
