"""The two buttons: who may press them, what comes back, and when they are free again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.domain.connection import ConnectionState
from bridge.domain.run import RunKind
from bridge.wiring import use_cases
from manual_fetch.api import MAX_BODY_BYTES, ManualFetchApi
from tests.builders.records import CONNECTION, OTHER_CONNECTION, OTHER_PARTNER, PARTNER
from tests.unit.conftest import LogLines
from tests.unit.mirror.bench import Bench


@pytest.fixture
def api(bench: Bench) -> ManualFetchApi:
    owned = use_cases.owned_connections(bench)
    return ManualFetchApi(owned, bench.manual_fetch, bench.clock)


def event(
    body: str = '{"kind": "fetch_new"}',
    *,
    partner_id: str = PARTNER,
    connection_id: str = CONNECTION,
    **changes: Any,
) -> dict[str, Any]:
    claims = {"token_use": "id", "custom:partner_id": partner_id, "sub": "user-1"}
    return {
        "requestContext": {
            "requestId": "request-1",
            "authorizer": {"jwt": {"claims": claims}},
            "http": {"method": "POST"},
        },
        "rawPath": f"/v1/connections/{connection_id}/fetches",
        "pathParameters": {"connection_id": connection_id},
        "body": body,
        "isBase64Encoded": False,
    } | changes


def problem(answer: dict[str, Any]) -> tuple[int, str]:
    return answer["statusCode"], json.loads(answer["body"])["type"].rpartition(":")[2]


@pytest.mark.parametrize(
    ("kind", "free_at"),
    [("fetch_new", "2026-03-02T10:00:00Z"), ("fetch_unpaid", "2026-03-02T21:00:00Z")],
)
def test_a_click_starts_a_run(bench: Bench, api: ManualFetchApi, kind: str, free_at: str) -> None:
    answer = api.answer(event(json.dumps({"kind": kind})))

    started = json.loads(answer["body"])
    assert answer["statusCode"] == 202
    assert (started["kind"], started["state"], started["free_at"]) == (kind, "queued", free_at)
    run = bench.runs.get(CONNECTION, started["run_id"]).value
    assert run is not None
    assert run.kind is RunKind(kind)
    assert answer["headers"]["Location"] == f"/v1/connections/{CONNECTION}/runs/{run.run_id}"


def test_a_second_click_is_told_when_it_is_free_again(bench: Bench, api: ManualFetchApi) -> None:
    api.answer(event())
    bench.clock.advance(minutes=20)

    answer = api.answer(event())

    assert problem(answer) == (429, "window_taken")
    assert answer["headers"]["Retry-After"] == "2400"
    assert json.loads(answer["body"])["free_at"] == "2026-03-02T10:00:00Z"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{}",
        "[]",
        "nonsense",
        '{"kind": "import"}',
        '{"kind": "fetch_new", "partner_id": "x"}',
        '{"kind": "fetch_new"}' + " " * MAX_BODY_BYTES,
    ],
)
def test_anything_but_a_known_kind_is_refused(bench: Bench, api: ManualFetchApi, body: str) -> None:
    assert problem(api.answer(event(body))) == (422, "invalid_input")
    assert bench.run_queue.sent == []


@pytest.mark.parametrize("connection_id", [OTHER_CONNECTION, "", "../x", "0" * 5000])
def test_a_connection_that_is_not_there_is_not_found(
    api: ManualFetchApi, connection_id: str
) -> None:
    assert problem(api.answer(event(connection_id=connection_id))) == (404, "not_found")


def test_another_partners_connection_looks_as_if_it_were_not_there(
    bench: Bench, api: ManualFetchApi
) -> None:
    answer = api.answer(event(partner_id=OTHER_PARTNER))

    assert problem(answer) == (404, "not_found")
    assert bench.run_queue.sent == []


def test_a_connection_that_is_not_syncing_fetches_nothing(
    bench: Bench, api: ManualFetchApi
) -> None:
    bench.change_connection(state=ConnectionState.DISCONNECTED)

    assert problem(api.answer(event()))[0] == 409
    assert bench.run_queue.sent == []


def test_a_call_without_a_token_is_refused(api: ManualFetchApi) -> None:
    answer = api.answer(event(requestContext={"requestId": "request-1"}))

    assert problem(answer) == (403, "not_allowed")


def test_a_click_is_told_in_one_line(
    bench: Bench, api: ManualFetchApi, named_lines: LogLines
) -> None:
    started = json.loads(api.answer(event())["body"])
    api.answer(event(connection_id="nobody"))
    done, refused = named_lines("API request")
    assert (done["status"], done["made_id"]) == (202, started["run_id"])
    assert (done["partner_id"], done["user_id"]) == (PARTNER, "user-1")
    assert done["connection_id"] == CONNECTION
    assert refused["status"] == 404
    assert "connection_id" not in refused
