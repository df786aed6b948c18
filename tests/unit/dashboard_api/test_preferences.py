"""Preferences are known before the first click: when fetches are free, and how things stand."""

from __future__ import annotations

from datetime import datetime, timedelta

from bridge.domain.connection import Connection
from bridge.domain.errors import WindowTakenError
from bridge.domain.problem import ProblemCode
from bridge.domain.run import RunKind
from bridge.entrypoints.problem_documents import describe
from bridge.wiring import use_cases
from tests.unit.dashboard_api.world import Caller, World


def test_a_fetch_says_when_it_is_free_before_anybody_clicks(
    world: World, connection: Connection, partner: Caller
) -> None:
    path = f"/v1/connections/{connection.connection_id}/fetches"
    free = partner.get(path).json["items"]
    assert [(each["kind"], each["is_free"], each["free_at"]) for each in free] == [
        ("fetch_new", True, None),
        ("fetch_unpaid", True, None),
    ]
    assert [each["every_seconds"] for each in free] == [3600, 43200]
    # When one is used
    use_cases.manual_fetch(world).start(connection, RunKind.FETCH_NEW)
    # Then it says until when, and is free again from then on
    taken, other = partner.get(path).json["items"]
    free_at = datetime.fromisoformat(taken["free_at"])
    assert (taken["is_free"], other["is_free"]) == (False, True)
    assert free_at == world.clock.now() + timedelta(hours=1)
    world.clock.advance(seconds=3600)
    assert partner.get(path).json["items"][0]["is_free"] is True


def test_a_used_up_fetch_writes_its_time_as_every_answer_does(world: World) -> None:
    free_at = world.clock.now() + timedelta(hours=1)

    document = describe(WindowTakenError(free_at), world.clock.now())

    assert str(document.members["free_at"]).endswith("Z")
    assert datetime.fromisoformat(str(document.members["free_at"])) == free_at


def test_the_list_of_connections_shows_each_ones_health(
    world: World, connection: Connection, partner: Caller
) -> None:
    report = connection.report(ProblemCode.RIGHT_MISSING, "right/Finance > Invoicing: Inquire")
    world.problems.report(report, world.clock.now())
    run = use_cases.run_starter(world).start(connection, RunKind.IMPORT)

    (listed,) = partner.get("/v1/connections").json["items"]

    assert listed == partner.get(f"/v1/connections/{connection.connection_id}").json
    assert listed["missing_rights"] == ["Finance > Invoicing: Inquire"]
    assert listed["latest_run"]["id"] == run.run_id
    assert (listed["open_problem_count"], listed["callbacks"]) == (1, "registered")
