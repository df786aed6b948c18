from __future__ import annotations

import pytest

from bridge.domain.connection import Connection
from bridge.domain.invoice import Invoice
from bridge.domain.write_back import WriteBack
from tests.unit.dashboard_api.payments import recorded
from tests.unit.dashboard_api.world import Caller, World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def partner(world: World) -> Caller:
    return world.partner("partner-a")


@pytest.fixture
def connection(world: World) -> Connection:
    return world.connection()


@pytest.fixture
def invoice(world: World, connection: Connection) -> Invoice:
    return world.invoice(connection, 7)


@pytest.fixture
def write_back(world: World, connection: Connection, invoice: Invoice) -> WriteBack:
    """The write-back of a payment that was just recorded."""
    return recorded(world, connection, invoice)
