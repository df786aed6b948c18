"""What was connected before companies were claimed gets its key, and pairs stop the later one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.domain.connection import PaymentsStop
from bridge.domain.errors import NotPossibleError, UnavailableError
from bridge.domain.problem import Action, ProblemCode
from tests.unit.connections.companies import (
    CLOUD,
    FIRST_DOOR,
    KEYS,
    MINE,
    OTHER_KEYS,
    OTHER_SERVER,
    QUARANTINE_SECONDS,
    SECOND_DOOR,
    THEIRS,
    Companies,
)

OLD, YOUNG = timedelta(days=30), timedelta(days=3)
TWICE = {PaymentsStop.COMPANY_CONNECTED_TWICE}


@pytest.fixture
def world() -> Companies:
    return Companies()


def test_the_hourly_job_gives_it_a_key_by_which_its_ledger_is_kept_already(
    world: Companies,
) -> None:
    before = world.connection_before()

    world.an_hour_later()

    connection = world.now_of(before)
    assert connection.company_key == connection.connection_id
    assert connection.may_write
    assert world.problems_of(connection) == {}


def test_nothing_is_written_when_nothing_changed(world: Companies) -> None:
    before = world.connection_before()
    world.an_hour_later()
    versions = world.connections.get(before.connection_id).version, world.claim_of(before).version

    world.an_hour_later()

    assert versions == (
        world.connections.get(before.connection_id).version,
        world.claim_of(before).version,
    )


@pytest.mark.parametrize(("first_age", "second_age"), [(OLD, YOUNG), (YOUNG, OLD)])
@pytest.mark.parametrize("keys", [KEYS, OTHER_KEYS], ids=["one key", "two registrations"])
@pytest.mark.parametrize("partner_id", [MINE, THEIRS])
def test_of_a_pair_behind_two_addresses_the_later_ones_payments_stop(
    world: Companies,
    first_age: timedelta,
    second_age: timedelta,
    keys: tuple[str, str],
    partner_id: str,
) -> None:
    pair = [
        world.connection_before(MINE, FIRST_DOOR, age=first_age),
        world.connection_before(partner_id, SECOND_DOOR, keys=keys, age=second_age),
    ]
    earlier, later = sorted(pair, key=lambda each: each.created_at)

    world.an_hour_later()
    world.an_hour_later()

    assert world.now_of(earlier).may_write
    assert world.now_of(later).payments_stopped == TWICE
    assert world.now_of(later).is_syncing
    problem = world.problems_of(later)[ProblemCode.COMPANY_CONNECTED_TWICE]
    assert problem.actions == (Action.VERIFY,)
    assert earlier.connection_id not in problem.detail
    assert ProblemCode.COMPANY_CONNECTED_TWICE not in world.problems_of(earlier)


@pytest.mark.parametrize(("first_age", "second_age"), [(OLD, YOUNG), (YOUNG, OLD)])
def test_of_a_pair_in_the_cloud_the_later_ones_payments_stop(
    world: Companies, first_age: timedelta, second_age: timedelta
) -> None:
    pair = [
        world.connection_before(MINE, CLOUD.site_url, age=first_age),
        world.connection_before(THEIRS, CLOUD.site_url, keys=OTHER_KEYS, age=second_age),
    ]
    world.cloud.callback_urls.clear()
    earlier, later = sorted(pair, key=lambda each: each.created_at)

    world.an_hour_later()
    world.an_hour_later()

    assert world.now_of(earlier).may_write
    assert world.now_of(later).payments_stopped == TWICE


def test_one_that_was_connected_meanwhile_comes_after_one_of_before(world: Companies) -> None:
    before = world.connection_before(THEIRS, CLOUD.site_url, keys=OTHER_KEYS)
    world.cloud.callback_urls.clear()
    fresh = world.connect(MINE, None)

    world.an_hour_later()
    world.an_hour_later()

    assert world.now_of(before).may_write
    assert world.now_of(fresh).payments_stopped == TWICE


def test_strangers_are_no_pair(world: Companies) -> None:
    pair = [
        world.connection_before(MINE, FIRST_DOOR),
        world.connection_before(THEIRS, OTHER_SERVER, keys=OTHER_KEYS),
    ]

    world.an_hour_later()

    assert all(world.now_of(each).may_write for each in pair)
    assert len({world.now_of(each).company_key for each in pair}) == 2


@pytest.mark.parametrize("victim_is_claimed", [True, False])
def test_a_servers_word_stops_nobody_else(world: Companies, *, victim_is_claimed: bool) -> None:
    # Given an older connection whose server lists the registration of a younger one
    victim = world.connection_before(MINE, FIRST_DOOR, age=YOUNG)
    if victim_is_claimed:
        world.an_hour_later()
    liar = world.connection_before(THEIRS, OTHER_SERVER, keys=OTHER_KEYS, age=OLD)
    world.elsewhere.callback_urls += world.psa.callback_urls

    for _ in range(3):
        world.an_hour_later()

    assert world.now_of(victim).may_write
    assert world.now_of(victim).company_key == victim.connection_id
    assert world.now_of(liar).company_key == liar.connection_id


def test_the_later_one_writes_when_the_earlier_one_has_ended(world: Companies) -> None:
    earlier = world.connection_before(MINE, FIRST_DOOR, age=OLD)
    later = world.connection_before(MINE, SECOND_DOOR, keys=OTHER_KEYS, age=YOUNG)
    world.an_hour_later()
    world.disconnect(earlier)

    world.an_hour_later()

    assert world.now_of(later).may_write
    assert world.now_of(later).company_key == earlier.connection_id
    assert world.problems_of(later) == {}


def test_who_ended_the_earlier_one_is_refused_while_the_later_one_stands(
    world: Companies,
) -> None:
    # Given a pair whose later one knows the company by the earlier one's claim
    earlier = world.connection_before(MINE, FIRST_DOOR, age=OLD)
    later = world.connection_before(THEIRS, SECOND_DOOR, keys=OTHER_KEYS, age=YOUNG)
    world.an_hour_later()
    world.disconnect(earlier)

    # When the earlier one's partner connects again before the later one was checked
    with pytest.raises(NotPossibleError) as refused:
        world.connect(MINE, FIRST_DOOR)

    # Then he is told so, and the later one takes the company
    assert refused.value.reason == "company_connected"
    world.clock.advance(seconds=2 * QUARANTINE_SECONDS)
    world.an_hour_later()
    assert world.now_of(later).may_write


def test_another_partners_later_one_waits_for_twice_the_quarantine(world: Companies) -> None:
    earlier = world.connection_before(MINE, FIRST_DOOR, age=OLD)
    later = world.connection_before(THEIRS, SECOND_DOOR, keys=OTHER_KEYS, age=YOUNG)
    world.an_hour_later()
    world.disconnect(earlier)

    world.verifier.verify(world.now_of(later))
    assert world.now_of(later).payments_stopped == TWICE
    world.clock.advance(seconds=2 * QUARANTINE_SECONDS)
    world.verifier.verify(world.now_of(later))

    assert world.now_of(later).may_write


def test_a_check_that_fails_changes_nothing_and_breaks_no_callbacks(world: Companies) -> None:
    before = world.connection_before()
    world.psa.failures["list_callback_urls"] = UnavailableError("no")

    world.an_hour_later()

    assert world.now_of(before).company_key == ""
    assert world.problems_of(before) == {}


def test_a_stop_by_a_person_outlives_a_check(world: Companies) -> None:
    before = world.connection_before()
    stored = world.connections.get(before.connection_id)
    by_person = replace(before, payments_stopped=frozenset({PaymentsStop.BY_PERSON}))
    world.connections.save(by_person, expected_version=stored.version)

    world.an_hour_later()

    assert world.now_of(before).payments_stopped == {PaymentsStop.BY_PERSON}
    assert not world.now_of(before).may_write


def test_both_of_a_pair_know_of_each_other(world: Companies) -> None:
    """The ledger of each counts for the other: both may own payments there."""
    earlier = world.connection_before(MINE, FIRST_DOOR, age=OLD)
    later = world.connection_before(THEIRS, SECOND_DOOR, keys=OTHER_KEYS, age=YOUNG)

    world.an_hour_later()
    world.an_hour_later()

    assert world.now_of(earlier).company_connections == (later.connection_id,)
    assert world.now_of(later).company_connections == (earlier.connection_id,)
    assert world.now_of(later).company_key == "", "its owners are not the company's"


def test_both_of_a_pair_in_the_cloud_know_of_each_other_whatever_is_registered(
    world: Companies,
) -> None:
    earlier = world.connection_before(MINE, CLOUD.site_url, age=OLD)
    later = world.connection_before(THEIRS, CLOUD.site_url, keys=OTHER_KEYS, age=YOUNG)
    world.cloud.callback_urls.clear()

    world.an_hour_later()
    world.an_hour_later()

    assert world.now_of(earlier).company_connections == (later.connection_id,)
    assert world.now_of(later).company_connections == (earlier.connection_id,)


def test_a_live_claim_that_is_taken_over_stops_at_once(world: Companies) -> None:
    """Given one that was connected later, and an older one of before whose check comes first."""
    before = world.connection_before(THEIRS, CLOUD.site_url, keys=OTHER_KEYS)
    world.cloud.callback_urls.clear()
    fresh = world.connect(MINE, None)
    assert world.now_of(fresh).may_write

    world.verifier.verify(world.now_of(before))

    assert world.now_of(before).may_write
    assert world.now_of(fresh).payments_stopped == TWICE
    assert ProblemCode.COMPANY_CONNECTED_TWICE in world.problems_of(fresh)


# --- what a server lists alone -------------------------------------------------------------------


@pytest.mark.parametrize("liar_is_older", [True, False])
@pytest.mark.parametrize("liar_is_claimed", [True, False])
@pytest.mark.parametrize("victim_is_claimed", [True, False])
def test_a_server_that_lists_anothers_registration_learns_and_hides_nothing(
    world: Companies, *, victim_is_claimed: bool, liar_is_claimed: bool, liar_is_older: bool
) -> None:
    """Given somebody who saw the callback URL of another company and put it into a list of theirs:
    what one owns is not read by the other, or taken for the company's."""
    ages = (YOUNG, OLD) if liar_is_older else (OLD, YOUNG)
    victim = world.connection_before(MINE, FIRST_DOOR, age=ages[0])
    if victim_is_claimed:
        world.an_hour_later()
    liar = world.connection_before(THEIRS, OTHER_SERVER, keys=OTHER_KEYS, age=ages[1])
    if liar_is_claimed:
        world.an_hour_later()
    world.elsewhere.callback_urls += world.psa.callback_urls

    for _ in range(3):
        world.an_hour_later()

    assert world.now_of(victim).company_connections == ()
    assert world.now_of(liar).company_connections == ()
    assert world.now_of(victim).may_write


@pytest.mark.parametrize("liar_is_older", [True, False])
def test_another_ones_public_key_stops_and_hides_nothing_of_its_owner(
    world: Companies, *, liar_is_older: bool
) -> None:
    """Given a connection of before at a server of its own, by another company's public key: it is
    stopped itself."""
    ages = (YOUNG, OLD) if liar_is_older else (OLD, YOUNG)
    victim = world.connection_before(MINE, FIRST_DOOR, age=ages[0])
    world.an_hour_later()
    liar = world.connection_before(THEIRS, OTHER_SERVER, age=ages[1])

    for _ in range(3):
        world.an_hour_later()

    assert world.now_of(victim).company_connections == ()
    assert world.now_of(liar).company_connections == ()
    assert world.now_of(victim).may_write
    assert world.now_of(liar).payments_stopped == TWICE
