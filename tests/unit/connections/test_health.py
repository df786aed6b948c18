"""A connection's state follows what ConnectWise says, and another change wins over it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.domain.connection import ConnectionState
from bridge.domain.errors import (
    ConflictError,
    CredentialsRejectedError,
    PermanentError,
    PermissionMissingError,
    WrongCompanyError,
)
from bridge.domain.problem import Action, ProblemCode
from bridge.ports.stored import MAX_ROUNDS
from tests.builders.operations import ADDRESS
from tests.builders.records import CONNECTION
from tests.unit.mirror.bench import Bench

MOVED = replace(ADDRESS, codebase="v2026_1/")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CredentialsRejectedError("no"), ProblemCode.CREDENTIALS_REJECTED),
        (WrongCompanyError("no"), ProblemCode.CREDENTIALS_REJECTED),
        (PermissionMissingError("no"), ProblemCode.RIGHT_MISSING),
    ],
)
def test_a_refusal_degrades_the_connection_and_asks_for_a_person(
    bench: Bench, error: PermanentError, code: ProblemCode
) -> None:
    bench.health.report_failure(bench.connection, error)

    assert bench.connection.state is ConnectionState.DEGRADED
    problem = bench.open_problems()[code, "connection"]
    assert problem.actions == (Action.VERIFY,)


def test_the_same_refusal_again_is_counted_on_the_open_problem(bench: Bench) -> None:
    for _ in range(3):
        bench.health.report_failure(bench.connection, CredentialsRejectedError("no"))

    assert [problem.times_seen for problem in bench.open_problems().values()] == [3]


@pytest.mark.parametrize(
    "state",
    [ConnectionState.VERIFYING, ConnectionState.IMPORTING, ConnectionState.DISCONNECTED],
)
def test_only_an_active_connection_degrades(bench: Bench, state: ConnectionState) -> None:
    bench.change_connection(state=state)

    bench.health.report_failure(bench.connection, CredentialsRejectedError("no"))

    assert bench.connection.state is state


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (ConnectionState.IMPORTING, ConnectionState.ACTIVE),
        (ConnectionState.DEGRADED, ConnectionState.DEGRADED),
        (ConnectionState.DISCONNECTED, ConnectionState.DISCONNECTED),
    ],
)
def test_the_end_of_an_import_activates_only_what_was_importing(
    bench: Bench, before: ConnectionState, after: ConnectionState
) -> None:
    bench.change_connection(state=before)

    bench.health.import_finished(CONNECTION)

    assert bench.connection.state is after


def test_a_change_by_somebody_else_meanwhile_is_not_lost(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.change_connection(state=ConnectionState.IMPORTING)
    save = bench.connections.save

    def after_somebody_renamed_it(*arguments: object, **named: object) -> int:
        monkeypatch.undo()
        bench.change_connection(name="Renamed")
        return save(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(bench.connections, "save", after_somebody_renamed_it)
    bench.health.import_finished(CONNECTION)

    assert (bench.connection.state, bench.connection.name) == (ConnectionState.ACTIVE, "Renamed")


def test_a_connection_that_never_stands_still_is_given_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    def somebody_is_faster(*arguments: object, **named: object) -> int:
        tries.append(arguments)
        raise ConflictError("the stored connection moved on")

    monkeypatch.setattr(bench.connections, "save", somebody_is_faster)

    with pytest.raises(ConflictError):
        bench.health.report_failure(bench.connection, CredentialsRejectedError("no"))

    assert len(tries) == MAX_ROUNDS


def test_an_upgrades_new_codebase_is_remembered(bench: Bench) -> None:
    bench.health.remember_address(bench.connection, MOVED)

    assert bench.connection.address == MOVED


def test_a_missed_information_is_noted_in_one_write_a_day(bench: Bench) -> None:
    seen_by_all = bench.connection
    version = bench.connections.get(CONNECTION).version

    for _ in range(3):
        bench.health.remember_information_missed(seen_by_all)
        bench.clock.advance(hours=1)

    assert bench.connections.get(CONNECTION).version == version + 1
    assert not bench.connection.offers_information(bench.clock.now())
    bench.clock.advance(hours=24)
    assert bench.connection.offers_information(bench.clock.now())


def test_another_address_may_offer_what_was_missed(bench: Bench) -> None:
    bench.health.remember_information_missed(bench.connection)

    bench.health.remember_address(bench.connection, MOVED)

    assert bench.connection.offers_information(bench.clock.now())


def test_an_address_that_is_known_is_not_written_again(bench: Bench) -> None:
    version = bench.connections.get(CONNECTION).version

    bench.health.remember_address(bench.connection, ADDRESS)

    assert bench.connections.get(CONNECTION).version == version
