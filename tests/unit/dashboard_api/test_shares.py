"""R15: what one partner may ask for in a time is bounded, and nobody else's share is touched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bridge.connections.minute_shares import TIMES_A_MINUTE
from bridge.domain.problem import CONNECTION_SUBJECT, ProblemCode
from bridge.ports import Activity
from dashboard_api.shares import (
    PAYMENT_BURST,
    PAYMENTS_PER_SECOND,
    REQUEST_BURST,
    REQUESTS_PER_SECOND,
)
from tests.unit.dashboard_api.test_connect import FORM
from tests.unit.dashboard_api.world import Answer, Caller, World

ME = "/v1/me"
KEYS = {"credentials": {"public_key": "new-public", "private_key": "new-private"}}
STATUS = {"write_back": {"when": "settled"}}
FILTERS = {"filters": {"customers": {"company_ids": [7]}}}
MOVE = {"company_id": "acme", "public_key": "k", "private_key": "p"}


@pytest.fixture
def service(world: World) -> Caller:
    return world.service()


def statuses(ask: Callable[[], Answer], times: int) -> set[int]:
    return {ask().status for _ in range(times)}


# --- requests ----------------------------------------------------------------------------------


def test_a_partner_who_floods_the_api_is_put_off(world: World, partner: Caller) -> None:
    assert statuses(lambda: partner.get(ME), REQUEST_BURST) == {200}

    refused = partner.get(ME)

    assert refused.status == 429
    assert refused.problem == "too_many_requests"
    assert refused.headers["Retry-After"] == "1"
    assert refused.json["detail"].endswith("Ask again in 1 seconds.")
    world.clock.advance(seconds=1)
    assert statuses(lambda: partner.get(ME), REQUESTS_PER_SECOND) == {200}
    assert partner.get(ME).status == 429


def test_another_partner_is_served_meanwhile(world: World, partner: Caller) -> None:
    statuses(lambda: partner.get(ME), REQUEST_BURST + 50)
    assert world.partner("partner-b").get(ME).status == 200


def test_payments_of_a_partner_are_recorded_while_his_users_flood_the_dashboard(
    world: World, partner: Caller, service: Caller
) -> None:
    path = f"/v1/connections/{world.connection().connection_id}/payments/pay-1"
    statuses(lambda: partner.get(ME), REQUEST_BURST + 50)
    assert service.get(path).status == 404


def test_a_flood_of_payments_of_one_partner_leaves_those_of_another_alone(
    world: World, service: Caller
) -> None:
    mine = f"/v1/connections/{world.connection().connection_id}/payments/pay-1"
    theirs = f"/v1/connections/{world.connection('partner-b').connection_id}/payments/pay-1"

    assert statuses(lambda: service.get(mine), PAYMENT_BURST) == {404}
    assert service.get(mine).status == 429
    assert service.get(theirs).status == 404

    world.clock.advance(seconds=1)
    assert statuses(lambda: service.get(mine), PAYMENTS_PER_SECOND) == {404}
    assert service.get(mine).status == 429


def test_many_connections_make_no_larger_share(world: World, service: Caller) -> None:
    first, second = (
        f"/v1/connections/{world.connection(company_id=name).connection_id}/payments/pay-1"
        for name in ("acme", "globex")
    )
    statuses(lambda: service.get(first), PAYMENT_BURST)
    assert service.get(second).status == 429


def test_a_connection_that_nobody_has_is_unknown(service: Caller) -> None:
    assert service.get(f"/v1/connections/{'0' * 32}/payments/pay-1").status == 404


# --- calls of a server of the partner's choice -------------------------------------------------


def asked(name: str, partner: Caller, connection_id: str, problem_id: str) -> Answer:
    """Ask for what has ConnectWise called."""
    path = f"/v1/connections/{connection_id}"
    if name == "search":
        return partner.get(f"{path}/records/invoices", number="1")
    requests: dict[str, tuple[str, str, Any]] = {
        "connect": ("POST", "/v1/connections", FORM),
        "move": ("POST", f"{path}/move", MOVE),
        "verify": ("POST", f"{path}/verify", None),
        "new keys": ("PATCH", path, KEYS),
        "rotate": ("POST", f"{path}/rotate-callback-secret", None),
        "verify a problem": ("POST", f"/v1/problems/{problem_id}/actions", {"action": "verify"}),
        "preview": ("POST", f"{path}/filters/preview", {}),
        "choices": ("GET", f"{path}/filter-choices", None),
        "statuses": ("GET", f"{path}/billing-statuses", None),
        "save filters": ("PUT", f"{path}/filters", {}),
        "change filters": ("PATCH", path, FILTERS),
        "change write-back": ("PATCH", path, STATUS),
    }
    return partner.send(*requests[name])


ASKS = {
    "connect": Activity.CONNECTING,
    "move": Activity.CONNECTING,
    "verify": Activity.VERIFYING,
    "new keys": Activity.VERIFYING,
    "rotate": Activity.VERIFYING,
    "verify a problem": Activity.VERIFYING,
    "preview": Activity.FILTER_PREVIEW,
    "choices": Activity.SETUP_LISTS,
    "statuses": Activity.SETUP_LISTS,
    "save filters": Activity.SETUP_LISTS,
    "change filters": Activity.SETUP_LISTS,
    "change write-back": Activity.SETUP_LISTS,
    "search": Activity.RECORD_SEARCH,
}


@pytest.mark.parametrize("name", ASKS)
def test_what_calls_a_server_is_limited_for_each_partner(
    name: str, world: World, partner: Caller
) -> None:
    connection = world.connection()
    report = connection.report(ProblemCode.RIGHT_MISSING, CONNECTION_SUBJECT)

    def ask() -> Answer:
        world.problems.report(report, world.clock.now())
        return asked(name, partner, connection.connection_id, report.problem_id)

    times = TIMES_A_MINUTE[ASKS[name]]
    assert 429 not in statuses(ask, times)
    calls = len(world.psa.calls)

    refused = ask()

    assert (refused.status, refused.problem) == (429, "too_many_requests")
    assert refused.headers["Retry-After"] == "60"
    assert refused.json["detail"].endswith("Ask again in 60 seconds.")
    assert len(world.psa.calls) == calls
    world.clock.advance(seconds=60)
    assert ask().status != 429


def test_what_one_partner_used_up_another_one_has(world: World, partner: Caller) -> None:
    path = f"/v1/connections/{world.connection().connection_id}/verify"
    other = f"/v1/connections/{world.connection('partner-b').connection_id}/verify"
    statuses(lambda: partner.post(path), TIMES_A_MINUTE[Activity.VERIFYING] + 1)
    assert world.partner("partner-b").post(other).status == 200
