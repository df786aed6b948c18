"""The API member that keys belong to is kept beside them, and earlier ones are remembered."""

from __future__ import annotations

import pytest

from bridge.domain.connection import MAX_PAST_MEMBERS
from bridge.domain.errors import UnavailableError
from tests.builders.operations import a_connection
from tests.unit.connections.companies import Companies


@pytest.fixture
def world() -> Companies:
    return Companies()


def members(world: Companies, connection_id: str) -> tuple[str, str, tuple[str, ...]]:
    """Return the member beside the keys, the connection's and those of before."""
    connection = world.stored_connection(connection_id)
    beside = world.vault.get_credentials(connection_id).member_identifier
    return beside, connection.member_identifier, connection.past_members


def test_connecting_learns_whose_the_keys_are(world: Companies) -> None:
    connection = world.connect()

    assert members(world, connection.connection_id) == ("AlternativeAgent", "AlternativeAgent", ())


def test_keys_of_another_member_are_kept_with_that_members_name(world: Companies) -> None:
    connection = world.connect()
    world.psa.member = "SecondAgent"

    world.verifier.change_keys(connection, public_key="p-2", private_key="k-2")

    expected = ("SecondAgent", "SecondAgent", ("AlternativeAgent",))
    assert members(world, connection.connection_id) == expected


def test_new_keys_of_the_same_member_make_nobody_a_past_one(world: Companies) -> None:
    connection = world.connect()

    world.verifier.change_keys(connection, public_key="p-2", private_key="k-2")

    assert members(world, connection.connection_id) == ("AlternativeAgent", "AlternativeAgent", ())


def test_new_keys_register_anew_because_a_registration_names_who_made_it(world: Companies) -> None:
    connection = world.connect()
    world.psa.calls.clear()

    world.verifier.change_keys(connection, public_key="p-2", private_key="k-2")

    changes = [each for each in world.psa.calls if each.endswith("_callbacks")]
    assert changes == ["remove_callbacks", "ensure_callbacks"]


def test_while_the_member_of_new_keys_is_unknown_nobody_is_taken_for_it(world: Companies) -> None:
    connection = world.connect()
    world.psa.failures["ensure_callbacks"] = UnavailableError("no")

    world.verifier.change_keys(connection, public_key="p-2", private_key="k-2")

    assert members(world, connection.connection_id) == ("", "", ("AlternativeAgent",))
    world.psa.failures.clear()
    world.psa.member = "SecondAgent"
    world.an_hour_later()
    expected = ("SecondAgent", "SecondAgent", ("AlternativeAgent",))
    assert members(world, connection.connection_id) == expected


def test_the_hourly_job_keeps_both_in_step(world: Companies) -> None:
    # Given a connection of the release before, whose keys have no member beside them
    before = world.connection_before()
    assert members(world, before.connection_id) == ("", "AlternativeAgent", ())

    world.an_hour_later()
    assert members(world, before.connection_id) == ("AlternativeAgent", "AlternativeAgent", ())

    # And a member who was renamed
    world.psa.member = "RenamedAgent"
    world.an_hour_later()
    expected = ("RenamedAgent", "RenamedAgent", ("AlternativeAgent",))
    assert members(world, before.connection_id) == expected


def test_keys_that_changed_meanwhile_get_no_other_keys_member(world: Companies) -> None:
    before = world.connection_before()
    register = world.psa.ensure_callbacks
    known = world.vault.get_credentials(before.connection_id)

    def change_keys_meanwhile(url: str) -> str:
        changed = type(known)("acme", "p-2", "k-2", known.callback_secret)
        world.vault.put_credentials(before.connection_id, changed)
        return register(url)

    world.psa.ensure_callbacks = change_keys_meanwhile  # type: ignore[method-assign]
    world.an_hour_later()

    kept = world.vault.get_credentials(before.connection_id)
    assert (kept.public_key, kept.member_identifier) == ("p-2", "")


def test_connecting_again_remembers_who_posted_before(world: Companies) -> None:
    first = world.connect()
    world.disconnect(first)
    world.psa.member = "SecondAgent"

    world.psa.calls.clear()
    again = world.connect(keys=("p-2", "k-2"))

    changes = [each for each in world.psa.calls if each.endswith("_callbacks")]
    assert changes == ["remove_callbacks", "ensure_callbacks"]
    expected = ("SecondAgent", "SecondAgent", ("AlternativeAgent",))
    assert members(world, again.connection_id) == expected


def test_the_latest_members_are_remembered_and_no_more_than_a_few() -> None:
    connection = a_connection(member_identifier="m-0")
    for number in range(1, 40):
        connection = connection.with_member(f"m-{number}")

    assert len(connection.past_members) == MAX_PAST_MEMBERS
    assert connection.past_members[-1] == "m-38"
    assert connection.with_member("M-39").past_members == connection.past_members
    back = connection.with_member("m-30")
    assert back.past_members[-1] == "m-39"
    assert "m-30" not in back.past_members
