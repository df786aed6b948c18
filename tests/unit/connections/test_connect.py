"""Connecting survives being killed between any two steps, and two requests at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest

from bridge.connections.callbacks import sha256_of
from bridge.connections.connect import ConnectionRequest
from bridge.domain.connection import (
    SET_UP_LEASE,
    Connection,
    ConnectionState,
    Credentials,
)
from bridge.domain.errors import BridgeError, ConflictError, NotPossibleError
from bridge.domain.run import RunKind, RunState
from infra.local.patience import PATIENCE_SECONDS
from tests.unit.dashboard_api.world import World

REQUEST = ConnectionRequest("partner-a", Credentials("acme", "public", "private"))
# Everything that connecting does to the outside, in any order.
EFFECTS = (
    ("connections", "save"),
    ("vault", "put_credentials"),
    ("psa", "ensure_callbacks"),
    ("runs", "start"),
    ("run_queue", "send"),
)


class Killed(BaseException):  # no error of ours: the process is gone
    """The Lambda stops here, and nobody catches it."""


@contextmanager
def killed_at(world: World, number: int, *, after: bool) -> Iterator[list[str]]:
    """Kill the process at the n-th effect, before or after it happened."""
    done: list[str] = []
    originals = {(owner, name): getattr(getattr(world, owner), name) for owner, name in EFFECTS}

    def lethal(label: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def effect(*args: Any, **kwargs: Any) -> Any:
            done.append(label)
            if len(done) == number and not after:
                raise Killed
            result = original(*args, **kwargs)
            if len(done) == number:
                raise Killed
            return result

        return effect

    for (owner, name), original in originals.items():
        setattr(getattr(world, owner), name, lethal(f"{owner}.{name}", original))
    try:
        yield done
    finally:
        for (owner, name), original in originals.items():
            setattr(getattr(world, owner), name, original)


def connect_or_verify(world: World) -> Connection:
    """Do what a partner does: connect, and verify what turns out to be connected."""
    try:
        return world.connector.connect(REQUEST)
    except NotPossibleError as error:
        if error.reason != "already_connected":
            raise
        known = world.stored_connection(error.subject_id or "")
    return world.verifier.verify(known).connection


def count_effects() -> int:
    with killed_at(world := World(), 10_000, after=False) as done:
        world.connector.connect(REQUEST)
    return len(done)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(1, count_effects() + 1))
def test_a_set_up_killed_anywhere_ends_well_when_it_is_tried_again(
    number: int, *, after: bool
) -> None:
    # Given a set-up that was killed at one of its effects
    world = World()
    with killed_at(world, number, after=after), pytest.raises(Killed):
        world.connector.connect(REQUEST)

    # When the partner tries again after a while, or finds it connected and verifies it
    world.clock.advance(seconds=SET_UP_LEASE / timedelta(seconds=1) + 1)
    connection = connect_or_verify(world)

    # Then it is connected once, with one import, and the callbacks carry a live secret
    [only] = world.connections.list_of_partner("partner-a")
    assert only == connection
    assert only.state is ConnectionState.IMPORTING
    runs = world.runs.list_of_connection(only.connection_id, limit=10).items
    assert [run.kind for run in runs if not run.has_ended] == [RunKind.IMPORT]
    secret = world.vault.get_credentials(only.connection_id).callback_secret
    assert only.callback_secret is not None
    assert only.callback_secret.current_sha256 == sha256_of(secret)
    assert [secret in url for url in world.psa.callback_urls] == [True]
    assert only.member_identifier == "AlternativeAgent"


def test_a_killed_set_up_stores_nothing_before_the_proof() -> None:
    world = World()
    with killed_at(world, 1, after=False) as done, pytest.raises(Killed):
        world.connector.connect(REQUEST)

    assert done == ["connections.save"]
    assert world.psa.calls == ["read_system_info", "check_rights", "list_callback_urls"]


def test_of_two_requests_at_once_one_connects() -> None:
    world = World()
    both_have_looked = Barrier(2, timeout=PATIENCE_SECONDS)
    look = world.connections.get
    looked: list[str] = []

    def meet(connection_id: str) -> Any:
        stored = look(connection_id)
        if len(looked) < 2:
            looked.append(connection_id)
            both_have_looked.wait()
        return stored

    world.connections.get = meet  # type: ignore[method-assign]
    outcomes: list[object] = []

    def connect() -> None:
        try:
            outcomes.append(world.connector.connect(REQUEST).state)
        except BridgeError as error:
            outcomes.append(type(error))

    threads = [Thread(target=connect) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(map(str, outcomes)) == sorted(
        map(str, [ConflictError, ConnectionState.IMPORTING])
    )
    runs = world.runs.list_of_connection(
        world.connections.list_of_partner("partner-a")[0].connection_id, limit=10
    ).items
    assert [run.state for run in runs] == [RunState.QUEUED]


def test_a_connection_disconnected_while_it_is_set_up_stays_disconnected() -> None:
    world = World()
    register = world.psa.ensure_callbacks

    def disconnect_meanwhile(url: str) -> str:
        [connection] = world.connections.list_of_partner("partner-a")
        world.disconnector.disconnect("partner-a", connection.connection_id)
        return register(url)

    world.psa.ensure_callbacks = disconnect_meanwhile  # type: ignore[method-assign]

    with pytest.raises(ConflictError):
        world.connector.connect(REQUEST)

    [connection] = world.connections.list_of_partner("partner-a")
    assert connection.state is ConnectionState.DISCONNECTED
    assert world.run_queue.sent == []
