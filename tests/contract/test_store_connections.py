"""What every ConnectionStore does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.domain.connection import Connection, ConnectionState
from bridge.domain.errors import ConflictError, InvalidInputError
from bridge.domain.filters import CustomerFilter, ImportFilters, InvoiceFilter
from bridge.domain.identity import new_id
from bridge.domain.invoice import InvoiceType
from bridge.ports import ConnectionStore, Stored, SyncingConnection
from tests.builders.operations import a_connection
from tests.builders.records import OTHER_PARTNER, PARTNER
from tests.contract.conftest import Stores
from tests.contract.walk import walk
from tests.fakes.clock import START


def test_a_connection_that_was_never_saved_is_nothing_at_version_0(stores: Stores) -> None:
    assert stores.connections.get(new_id()) == Stored(None, 0)


def test_a_saved_connection_comes_back_with_its_version(stores: Stores) -> None:
    filters = ImportFilters(
        CustomerFilter(status_ids=frozenset({3, 1, 2})),
        InvoiceFilter(types=frozenset({InvoiceType.AGREEMENT, InvoiceType.STANDARD})),
    )
    connection = a_connection(filters=filters, information_missed_at=START)
    assert stores.connections.save(connection, expected_version=0) == 1
    assert stores.connections.get(connection.connection_id) == Stored(connection, 1)


def test_each_save_raises_the_version_by_one(stores: Stores) -> None:
    connection = a_connection()
    stores.connections.save(connection, expected_version=0)
    moved = connection.moved_to(ConnectionState.DEGRADED)
    assert stores.connections.save(moved, expected_version=1) == 2
    assert stores.connections.get(connection.connection_id) == Stored(moved, 2)


@pytest.mark.parametrize("expected_version", [0, 2])
def test_a_save_on_another_version_changes_nothing(stores: Stores, expected_version: int) -> None:
    connection = a_connection()
    stores.connections.save(connection, expected_version=0)
    with pytest.raises(ConflictError):
        stores.connections.save(replace(connection, name="late"), expected_version=expected_version)
    assert stores.connections.get(connection.connection_id) == Stored(connection, 1)


def test_a_partners_connections_are_listed_oldest_first_without_those_of_others(
    stores: Stores,
) -> None:
    young = a_connection(new_id(), created_at=START + timedelta(days=1))
    old = a_connection(new_id(), created_at=START - timedelta(days=1))
    foreign = a_connection(new_id(), partner_id=OTHER_PARTNER)
    for connection in (young, foreign, old):
        stores.connections.save(connection, expected_version=0)
    assert stores.connections.list_of_partner(PARTNER) == (old, young)


def test_only_connections_that_sync_are_listed_as_such(stores: Stores) -> None:
    by_state = {state: a_connection(new_id(), state=state) for state in ConnectionState}
    for connection in by_state.values():
        stores.connections.save(connection, expected_version=0)
    syncing = (ConnectionState.IMPORTING, ConnectionState.ACTIVE, ConnectionState.DEGRADED)
    expected = [ids_of(by_state[state]) for state in syncing]
    assert sorted(all_syncing(stores.connections), key=by_id) == sorted(expected, key=by_id)


def test_a_connection_leaves_and_joins_the_syncing_ones_as_it_changes(stores: Stores) -> None:
    connection = a_connection()
    stores.connections.save(connection, expected_version=0)
    stopped = connection.moved_to(ConnectionState.DISCONNECTED)
    stores.connections.save(stopped, expected_version=1)
    assert all_syncing(stores.connections) == []
    stores.connections.save(connection, expected_version=2)
    assert all_syncing(stores.connections) == [ids_of(connection)]


def test_a_refused_save_does_not_change_who_syncs(stores: Stores) -> None:
    connection = a_connection()
    stores.connections.save(connection, expected_version=0)
    with pytest.raises(ConflictError):
        stores.connections.save(
            connection.moved_to(ConnectionState.DISCONNECTED), expected_version=7
        )
    assert all_syncing(stores.connections) == [ids_of(connection)]


def test_many_syncing_connections_come_each_of_them_once(stores: Stores) -> None:
    connections = [a_connection(new_id(), partner_id=f"partner-{n % 3}") for n in range(30)]
    for connection in connections:
        stores.connections.save(connection, expected_version=0)
    listed = all_syncing(stores.connections)
    assert sorted(listed, key=by_id) == sorted(map(ids_of, connections), key=by_id)


def test_a_cursor_that_nobody_made_is_refused(stores: Stores) -> None:
    with pytest.raises(InvalidInputError):
        stores.connections.list_syncing("bm9uc2Vuc2U=")


def all_syncing(connections: ConnectionStore) -> list[SyncingConnection]:
    return walk(connections.list_syncing)


def ids_of(connection: Connection) -> SyncingConnection:
    return SyncingConnection(connection.connection_id, connection.partner_id)


def by_id(connection: SyncingConnection) -> str:
    return connection.connection_id
