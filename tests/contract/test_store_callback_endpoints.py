"""What the receiver reads of a connection is what the connection says, on every store."""

from dataclasses import replace
from typing import Any, cast

import pytest

from bridge.domain.connection import SYNCING_STATES, CallbackSecret, ConnectionState
from bridge.domain.errors import ConflictError
from bridge.store.callback_endpoints import DynamoCallbackEndpoints
from bridge.store.callback_keys import endpoint_key
from bridge.store.connection_endpoints import SYNCING, ConnectionEndpoints
from bridge.store.table import Table, Write
from bridge.wiring import use_cases
from bridge.wiring.ports import Ports
from tests.builders.operations import a_connection
from tests.contract.conftest import Stores, Tables
from tests.fakes.clock import START

SECRETS = [
    None,
    CallbackSecret("a" * 64),
    CallbackSecret("a" * 64, "b" * 64),
    CallbackSecret("a" * 64, "b" * 64, START),
]


def test_the_states_in_which_callbacks_are_taken_are_the_same() -> None:
    assert {state.value for state in SYNCING_STATES} == SYNCING


@pytest.mark.parametrize("state", ConnectionState)
@pytest.mark.parametrize("secret", SECRETS)
def test_an_endpoint_is_read_as_the_connection_has_it(
    stores: Stores, state: ConnectionState, secret: CallbackSecret | None
) -> None:
    connection = a_connection(state=state, callback_secret=secret)
    stores.connections.save(connection, expected_version=0)
    assert stores.callback_endpoints.get(connection.connection_id) == connection.callback_endpoint


def test_an_unknown_connection_has_no_endpoint(stores: Stores) -> None:
    assert stores.callback_endpoints.get("0" * 32) is None


def test_an_endpoint_follows_its_connection_and_goes_with_it(stores: Stores) -> None:
    connection = a_connection()
    version = stores.connections.save(connection, expected_version=0)
    rotated = replace(connection, callback_secret=CallbackSecret("c" * 64, "a" * 64))
    version = stores.connections.save(rotated, expected_version=version)
    assert stores.callback_endpoints.get(connection.connection_id) == rotated.callback_endpoint

    ended = rotated.moved_to(ConnectionState.DISCONNECTED)
    stores.connections.save(ended, expected_version=version)
    assert stores.callback_endpoints.get(connection.connection_id) is None


def test_a_save_that_came_second_leaves_the_endpoint_as_it_is(stores: Stores) -> None:
    connection = a_connection()
    stores.connections.save(connection, expected_version=0)
    with pytest.raises(ConflictError):
        stores.connections.save(replace(connection, company_id="late"), expected_version=0)
    assert stores.callback_endpoints.get(connection.connection_id) == connection.callback_endpoint


@pytest.mark.parametrize("state", ConnectionState)
@pytest.mark.parametrize("secret", SECRETS)
def test_a_connection_that_the_release_before_stored_is_known(
    tables: Tables, on_dynamodb: Stores, state: ConnectionState, secret: CallbackSecret | None
) -> None:
    # Given a connection without an item in the table callbacks
    connection = a_connection(state=state, callback_secret=secret)
    on_dynamodb.connections.save(connection, expected_version=0)
    callbacks = table(tables, tables.callbacks)
    callbacks.transact([Write(key=endpoint_key(connection.connection_id))])

    before = ConnectionEndpoints(table(tables, tables.operations))
    endpoints = DynamoCallbackEndpoints(callbacks, before=before)

    assert endpoints.get(connection.connection_id) == connection.callback_endpoint
    assert endpoints.get("0" * 32) is None


def test_what_an_earlier_release_left_out_is_restored_within_the_hour(
    tables: Tables, on_dynamodb: Stores
) -> None:
    """Why the table callbacks needs no backup."""
    connection = a_connection()
    on_dynamodb.connections.save(connection, expected_version=0)
    callbacks = table(tables, tables.callbacks)
    callbacks.transact([Write(key=endpoint_key(connection.connection_id))])

    use_cases.callback_endpoints(cast(Ports, on_dynamodb)).keep(connection)

    assert on_dynamodb.callback_endpoints.get(connection.connection_id) == (
        connection.callback_endpoint
    )


def table(tables: Tables, name: str) -> Table:
    return Table(tables.client, name, clock=_NO_CLOCK)


_NO_CLOCK: Any = None
