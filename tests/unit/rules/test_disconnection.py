"""Disconnecting forgets every secret, whatever ConnectWise says to it."""

from __future__ import annotations

import pytest

from bridge.domain.connection import ConnectionState
from bridge.domain.errors import (
    BridgeError,
    NotFoundError,
    PermissionMissingError,
    UnavailableError,
)
from tests.unit.connections.test_connect import REQUEST
from tests.unit.dashboard_api.world import World


@pytest.mark.parametrize("error", [None, UnavailableError("down"), PermissionMissingError("no")])
def test_keys_and_the_callback_secret_are_gone(error: BridgeError | None) -> None:
    world = World()
    connection = world.connector.connect(REQUEST)

    def remove_callbacks(url_prefix: str) -> None:
        if error:
            raise error

    world.psa.remove_callbacks = remove_callbacks  # type: ignore[method-assign]

    world.disconnector.disconnect(connection.partner_id, connection.connection_id)

    with pytest.raises(NotFoundError):
        world.vault.get_credentials(connection.connection_id, is_fresh=True)
    left = world.connections.get(connection.connection_id).value
    assert left is not None
    assert (left.state, left.callback_secret) == (ConnectionState.DISCONNECTED, None)


def test_a_disconnecting_that_broke_off_is_ended_by_repeating_it() -> None:
    # Given that Secrets Manager does not answer
    world = World()
    connection = world.connector.connect(REQUEST)
    delete = world.vault.delete_credentials

    def unavailable(connection_id: str) -> None:
        raise UnavailableError("no answer")

    world.vault.delete_credentials = unavailable  # type: ignore[method-assign]
    with pytest.raises(UnavailableError):
        world.disconnector.disconnect(connection.partner_id, connection.connection_id)
    world.vault.delete_credentials = delete  # type: ignore[method-assign]

    world.disconnector.disconnect(connection.partner_id, connection.connection_id)

    with pytest.raises(NotFoundError):
        world.vault.get_credentials(connection.connection_id, is_fresh=True)
