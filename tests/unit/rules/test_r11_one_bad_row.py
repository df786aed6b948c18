"""R11: a row that cannot be read is broken alone, and the rest goes on."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.domain.mirrored_kinds import CUSTOMERS
from connectwise_sandbox.kinds import Kind
from connectwise_sandbox.tenant import Corruption
from tests.unit.connectwise.sandbox import World, sandboxed_world


def companies(world: World) -> list[int]:
    return [row["id"] for row in world.engine.tenant.store[Kind.COMPANY]]


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        ({"name": None}, "name is missing"),
        ({"name": ""}, "name cannot be read"),
        ({"status": {"id": "active"}}, "status.id cannot be read"),
        ({"types": [{"id": 0}]}, "types.0.id cannot be read"),
    ],
)
def test_a_malformed_company_is_broken_alone_and_the_reason_holds_no_value(
    overrides: dict[str, Any], reason: str
) -> None:
    world = sandboxed_world()
    bad, *others = companies(world)
    world.engine.tenant.corruptions[Kind.COMPANY, bad] = Corruption(None, overrides)

    result = world.psa().fetch(CUSTOMERS, [bad, *others])

    assert result.broken == {bad: reason}
    assert set(result.found) == set(others)


@pytest.mark.parametrize("date_deleted", ["0001-01-01T00:00:00+02:00", "soon", 7, None])
def test_a_deletion_whose_time_cannot_be_read_is_dated_by_the_answer(date_deleted: object) -> None:
    world = sandboxed_world()
    deleted, *others = companies(world)
    overrides = {"deletedFlag": True, "dateDeleted": date_deleted}
    world.engine.tenant.corruptions[Kind.COMPANY, deleted] = Corruption(None, overrides)

    result = world.psa().fetch(CUSTOMERS, [deleted, *others])

    assert set(result.found) == {deleted, *others}
    archive = result.found[deleted].archive
    assert archive is not None
    assert archive.at.year == world.engine_clock().year
