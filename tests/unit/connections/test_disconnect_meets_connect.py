"""A partner may connect again while disconnecting still asks ConnectWise."""

from __future__ import annotations

from bridge.domain.connection import ConnectionState
from tests.unit.connections.companies import FIRST_DOOR, KEYS, MINE, Companies


def test_the_keys_of_a_connection_that_is_up_again_stay() -> None:
    world = Companies()
    connection = world.connect()
    remove_callbacks = world.psa.remove_callbacks

    def remove_slowly(url_prefix: str) -> None:
        world.psa.remove_callbacks = remove_callbacks  # type: ignore[method-assign]
        remove_callbacks(url_prefix)
        world.connect(MINE, FIRST_DOOR)

    world.psa.remove_callbacks = remove_slowly  # type: ignore[method-assign]

    world.disconnect(connection)

    assert world.now_of(connection).state is ConnectionState.IMPORTING
    assert world.vault.get_credentials(connection.connection_id).public_key == KEYS[0]
