from __future__ import annotations

import pytest

from tests.unit.dashboard_api.world import Caller, World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def partner(world: World) -> Caller:
    return world.partner("partner-a")
