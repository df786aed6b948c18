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
    "overrides",
    [{"name": None}, {"name": ""}, {"status": {"id": "active"}}, {"types": [{"id": 0}]}],
)
def test_an_odd_company_is_read_with_the_others(overrides: dict[str, Any]) -> None:
    world = sandboxed_world()
    odd, *others = companies(world)
    world.engine.tenant.corruptions[Kind.COMPANY, odd] = Corruption(None, overrides)

    result = world.psa().fetch(CUSTOMERS, [odd, *others])

    assert result.broken == {}
    assert set(result.found) == {odd, *others}
    assert result.found[odd].name


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
