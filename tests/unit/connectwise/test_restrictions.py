"""What limits an API member's sight is read from its own record and from its role's levels."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from bridge.domain.permissions import Bound, Restriction
from tests.unit.connectwise.sandbox import sandboxed_world

MEMBER = "AlternativeAgent"


class Answers(httpx.BaseTransport):
    """Answers each route's end with a prepared body, and any other with ConnectWise's 404."""

    def __init__(self, **bodies: Any) -> None:
        self._bodies = bodies

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.rsplit("/", 1)[-1]
        if name in self._bodies:
            return httpx.Response(200, content=json.dumps(self._bodies[name]))
        return httpx.Response(404, content='{"code":"NotFound","message":"none"}')


def restrictions(**bodies: Any) -> list[tuple[str, Bound, str]]:
    world = sandboxed_world(customers=1, invoices=1)
    psa = world.gateway(Answers(**bodies)).open(world.connection)
    found: tuple[Restriction, ...] = psa.read_restrictions(MEMBER)
    return [(str(each.right), each.bound, each.limit) for each in found]


def member(**fields: Any) -> dict[str, Any]:
    corporate = {"structureLevel": {"id": 1, "name": "Corporate"}}
    return {"id": 7, "identifier": MEMBER} | corporate | fields


INVOICING = "Finance > Invoicing: Inquire"
TAMPA = {"id": 2, "name": "Tampa Office"}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, []),
        ({"restrictLocationFlag": False, "restrictDepartmentFlag": None}, []),
        (
            {"restrictLocationFlag": True, "securityLocation": TAMPA},
            [(INVOICING, Bound.LOCATION, "Tampa Office")],
        ),
        (
            {"structureLevel": {"id": 2, "name": "Location"}, "defaultLocation": TAMPA},
            [(INVOICING, Bound.LOCATION, "Tampa Office")],
        ),
        (
            {"structureLevel": {"id": 2, "name": "Territory"}},
            [(INVOICING, Bound.LOCATION, "Territory")],
        ),
        (
            {"restrictDepartmentFlag": True, "defaultDepartment": {"id": 10, "name": "Services"}},
            [(INVOICING, Bound.DEPARTMENT, "Services")],
        ),
        ({"identifier": "Somebody", "restrictLocationFlag": True}, []),
        ({"structureLevel": "odd", "restrictLocationFlag": "odd"}, []),
    ],
)
def test_a_members_own_record_tells_its_limits(
    fields: dict[str, Any], expected: list[tuple[str, Bound, str]]
) -> None:
    assert restrictions(members=[member(**fields)]) == expected


def test_a_role_that_grants_my_in_place_of_all_is_limited() -> None:
    def cell(module: str, row: str, level: str) -> dict[str, str]:
        return {"moduleName": module, "moduleFunctionName": row, "inquireLevel": level}

    levels = [
        cell("Finance", "Invoicing", "My"),
        cell("System", "Table Setup", "Mine"),
        cell("Companies", "Company Maintenance", "All"),
        cell("Sales", "Opportunity", "My"),
    ]
    assert restrictions(members=[member()], mySecurity=levels) == [
        (INVOICING, Bound.LEVEL, "My"),
        ("System > Table Setup (customize): Inquire", Bound.LEVEL, "Mine"),
    ]


@pytest.mark.parametrize("body", [None, {}, [None, 1, "x"], "text"])
def test_odd_answers_tell_nothing(body: Any) -> None:
    assert restrictions(members=body, mySecurity=body) == []


def test_a_connectwise_without_these_reads_tells_nothing() -> None:
    assert restrictions() == []


def test_a_member_limited_to_a_location_in_the_sandbox_is_told() -> None:
    world = sandboxed_world(customers=4, invoices=12)
    world.engine.switches.visible_location_ids = [2]

    found = world.psa().read_restrictions(world.engine.tenant.identity.member_identifier)

    assert [(str(each.right), each.bound) for each in found] == [(INVOICING, Bound.LOCATION)]
    assert found[0].limit


def test_limits_are_few_and_storable_whatever_a_server_answers() -> None:
    half = {"id": 2, "name": "Tampa \ud83d" + "x" * 1_000}
    rows = [
        member(restrictLocationFlag=True, securityLocation=half | {"name": f"{half['name']}{i}"})
        for i in range(1_000)
    ]
    found = restrictions(members=[*rows, *rows])

    assert 1 <= len(found) <= 20
    for _, _, limit in found:
        assert limit.encode()
        assert len(limit) <= 500
