"""The local front door behaves as the real one: every operation, with and without a token."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing

import httpx
import pytest

from connectwise_sandbox.server import running_sandbox
from infra.config import LOCAL
from infra.local.demo.clients import BridgeApi, Json
from infra.local.patience import PATIENCE_SECONDS
from infra.local.system import LocalSystem
from tests.e2e.front_door import NO_CONTENT, PARTNER, Operation, Tour, bill, operations

GOOD = {httpx.codes.OK, httpx.codes.CREATED, httpx.codes.ACCEPTED, NO_CONTENT}
# What the tour's books cannot answer well, and the refusal that is right for them.
REFUSED = {
    # The import is over when the tour comes by.
    ("POST", "/v1/connections/{connection_id}/runs/{run_id}/cancel"): httpx.codes.CONFLICT,
}


@pytest.fixture(scope="module")
def description(system: LocalSystem) -> Json:
    answer = httpx.get(f"{system.api_url}/openapi.json", timeout=PATIENCE_SECONDS)
    found: Json = answer.raise_for_status().json()
    return found


@pytest.fixture(scope="module")
def answers(system: LocalSystem) -> Iterator[Mapping[Operation, httpx.Response]]:
    with (
        running_sandbox(seed=11, customers=5, invoices=20) as books,
        closing(BridgeApi(system.api_url, system.partner_token(PARTNER))) as partner,
        closing(BridgeApi(system.api_url, system.service_token())) as services,
    ):
        bill(books)
        yield Tour(partner, services, books).go()


def test_the_tour_visits_every_operation(
    description: Json, answers: Mapping[Operation, httpx.Response]
) -> None:
    assert set(answers) == set(operations(description))


def test_every_operation_works_with_its_token(
    answers: Mapping[Operation, httpx.Response],
) -> None:
    wrong = {
        f"{' '.join(operation)}: {answer.status_code} {answer.text[:200]}"
        for operation, answer in answers.items()
        if answer.status_code not in ({REFUSED[operation]} if operation in REFUSED else GOOD)
    }
    assert not wrong


def test_every_deletion_is_answered_without_content(
    answers: Mapping[Operation, httpx.Response],
) -> None:
    deleted = {
        operation: (answer.status_code, answer.content)
        for operation, answer in answers.items()
        if operation[0] == "DELETE"
    }
    assert len(deleted) > 2
    assert set(deleted.values()) == {(NO_CONTENT, b"")}


def test_no_operation_works_without_a_token(system: LocalSystem, description: Json) -> None:
    with httpx.Client(base_url=system.api_url, timeout=PATIENCE_SECONDS) as nobody:
        statuses = {
            (method, path): nobody.request(method, path).status_code
            for method, path in operations(description)
        }
    assert set(statuses.values()) == {httpx.codes.UNAUTHORIZED}, statuses


def test_a_browser_of_the_dashboards_origin_may_call_every_operation(
    system: LocalSystem, description: Json
) -> None:
    (origin,) = LOCAL.dashboard_origins
    with httpx.Client(base_url=system.api_url, timeout=PATIENCE_SECONDS) as browser:
        for method, path in operations(description):
            asked = {"Origin": origin, "Access-Control-Request-Method": method}
            answer = browser.options(path, headers=asked)
            assert answer.status_code == NO_CONTENT, (method, path)
            assert answer.headers["access-control-allow-origin"] == origin
            allowed = answer.headers["access-control-allow-methods"]
            assert method in allowed or "*" in allowed


def test_an_answer_tells_the_browser_whose_page_may_read_it(system: LocalSystem) -> None:
    (origin,) = LOCAL.dashboard_origins
    seen = {
        asking: httpx.get(
            f"{system.api_url}/openapi.json", headers={"Origin": asking}, timeout=PATIENCE_SECONDS
        ).headers.get("access-control-allow-origin")
        for asking in (origin, "https://elsewhere.example")
    }
    assert seen == {origin: origin, "https://elsewhere.example": None}


def test_a_page_from_elsewhere_may_not_call(system: LocalSystem) -> None:
    answer = httpx.options(
        f"{system.api_url}/v1/invoices",
        headers={"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "GET"},
        timeout=PATIENCE_SECONDS,
    )
    assert "access-control-allow-origin" not in answer.headers
