"""What the receiver reads of a connection is what the connection says, on every store."""

from dataclasses import replace

import pytest

from bridge.domain.connection import SYNCING_STATES, CallbackSecret, ConnectionState
from bridge.store.callback_endpoints import SYNCING
from tests.builders.operations import a_connection
from tests.contract.conftest import Stores


def test_the_states_in_which_callbacks_are_taken_are_the_same() -> None:
    assert {state.value for state in SYNCING_STATES} == SYNCING


@pytest.mark.parametrize("state", ConnectionState)
@pytest.mark.parametrize("previous", [None, "b" * 64])
def test_an_endpoint_is_read_as_the_connection_has_it(
    stores: Stores, state: ConnectionState, previous: str | None
) -> None:
    connection = replace(
        a_connection(), state=state, callback_secret=CallbackSecret("a" * 64, previous)
    )
    stores.connections.save(connection, expected_version=0)
    assert stores.callback_endpoints.get(connection.connection_id) == connection.callback_endpoint


def test_a_connection_without_a_secret_has_an_endpoint_without_one(stores: Stores) -> None:
    connection = a_connection(state=ConnectionState.ACTIVE, callback_secret=None)
    stores.connections.save(connection, expected_version=0)
    endpoint = stores.callback_endpoints.get(connection.connection_id)
    assert endpoint is not None
    assert endpoint.secret is None


def test_an_unknown_connection_has_no_endpoint(stores: Stores) -> None:
    assert stores.callback_endpoints.get("0" * 32) is None
