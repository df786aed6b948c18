"""What ConnectWise was seen to lack is asked for again when it may have changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from bridge.domain.connection import Connection
from tests.unit.connections.companies import OTHER_KEYS, Companies


def verify(world: Companies, connection: Connection) -> None:
    world.verifier.verify(connection)


def change_keys(world: Companies, connection: Connection) -> None:
    public_key, private_key = OTHER_KEYS
    world.verifier.change_keys(connection, public_key=public_key, private_key=private_key)


@pytest.mark.parametrize("change", [verify, change_keys])
def test_new_rights_or_keys_may_offer_what_was_missed(
    change: Callable[[Companies, Connection], None],
) -> None:
    world = Companies()
    connection = world.connect()
    missed = replace(world.now_of(connection), information_missed_at=world.clock.now())
    version = world.connections.get(connection.connection_id).version
    world.connections.save(missed, expected_version=version)

    change(world, missed)

    assert world.now_of(connection).information_missed_at is None
