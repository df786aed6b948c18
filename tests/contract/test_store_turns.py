"""What every PartnerPlaces, SilenceStore and JobTurns does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.domain.errors import InvalidInputError
from bridge.domain.job import Job
from bridge.ports import Activity, JobTurn, Place, Silence
from tests.builders.records import CONNECTION, OTHER_CONNECTION, OTHER_PARTNER, PARTNER
from tests.contract.conftest import Stores
from tests.fakes.clock import START

MINUTE = timedelta(minutes=1)
TURN = JobTurn(
    connection_id=CONNECTION,
    job=Job.PAYMENTS,
    token="first",
    message_token="first",
    held_until=START + MINUTE,
    planned_at=START,
    since=START - 60 * MINUTE,
    cursor='[false, 7, "", false]',
)
SILENCE = Silence(CONNECTION, timedelta(seconds=30), START + timedelta(seconds=30), "first")


def take(
    stores: Stores,
    partner_id: str = PARTNER,
    activity: Activity = Activity.WRITE_BACK,
    *,
    places: int = 3,
) -> Place | None:
    until = stores.clock.now() + MINUTE
    return stores.places.take(partner_id, activity, places=places, until=until)


# --- places ------------------------------------------------------------------------------------


def test_a_partner_gets_so_many_places_and_no_more(stores: Stores) -> None:
    taken = [take(stores) for _ in range(5)]
    assert [place.number if place else None for place in taken] == [0, 1, 2, None, None]
    assert len({place.token for place in taken if place}) == 3


def test_a_partners_places_are_no_other_partners(stores: Stores) -> None:
    for _ in range(4):
        take(stores)
    assert take(stores, OTHER_PARTNER) is not None
    assert take(stores, f"{PARTNER}b") is not None


def test_an_activity_takes_no_places_of_another(stores: Stores) -> None:
    for _ in range(4):
        take(stores)
    other = take(stores, activity=Activity.RECORD_SEARCH)
    assert other is not None
    stores.places.release(other)
    assert take(stores) is None


def test_a_place_that_was_given_back_is_free(stores: Stores) -> None:
    first, _, _ = (take(stores) for _ in range(3))
    assert first is not None
    stores.places.release(first)
    again = take(stores)
    assert again is not None
    assert (again.number, again.token != first.token) == (0, True)
    assert take(stores) is None


def test_a_place_whose_holder_died_is_free_when_its_time_is_over(stores: Stores) -> None:
    for _ in range(3):
        take(stores)
    stores.clock.advance(seconds=59)
    assert take(stores) is None
    stores.clock.advance(seconds=1)
    assert take(stores) is not None


def test_who_comes_back_late_gives_nothing_of_others_back(stores: Stores) -> None:
    late = take(stores, places=1)
    assert late is not None
    stores.clock.advance(minutes=1)
    assert take(stores, places=1) is not None
    stores.places.release(late)
    stores.places.release(late)
    assert take(stores, places=1) is None


def test_many_workers_at_once_get_three_places(on_dynamodb: Stores) -> None:
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: take(on_dynamodb), range(16)))
    assert sorted(place.number for place in taken if place) == [0, 1, 2]


# --- silences ----------------------------------------------------------------------------------


def test_a_silence_is_kept_until_it_is_cleared(stores: Stores) -> None:
    assert stores.silences.get(CONNECTION) is None
    assert stores.silences.put(SILENCE, replaces=None)
    assert stores.silences.get(CONNECTION) == SILENCE
    assert stores.silences.get(OTHER_CONNECTION) is None
    stores.clock.advance(hours=2)
    assert stores.silences.get(CONNECTION) == SILENCE
    stores.silences.clear(CONNECTION)
    stores.silences.clear(CONNECTION)
    assert stores.silences.get(CONNECTION) is None


def test_of_two_who_note_a_silence_the_first_is_believed(stores: Stores) -> None:
    assert stores.silences.put(SILENCE, replaces=None)
    assert not stores.silences.put(replace(SILENCE, token="second"), replaces=None)
    assert stores.silences.get(CONNECTION) == SILENCE


def test_a_silence_is_changed_by_who_knows_it(stores: Stores) -> None:
    longer = replace(SILENCE, wait=MINUTE, next_probe_at=START + MINUTE, token="second")
    assert not stores.silences.put(longer, replaces="first")
    stores.silences.put(SILENCE, replaces=None)
    assert not stores.silences.put(longer, replaces="another")
    assert stores.silences.put(longer, replaces="first")
    assert not stores.silences.put(replace(longer, token="third"), replaces="first")
    assert stores.silences.get(CONNECTION) == longer


def test_all_silences_are_listed_up_to_a_limit(stores: Stores) -> None:
    assert stores.silences.list(limit=10) == ()
    other = replace(SILENCE, connection_id=OTHER_CONNECTION)
    for each in (SILENCE, other):
        stores.silences.put(each, replaces=None)
    listed = stores.silences.list(limit=10)
    assert set(listed) == {SILENCE, other}
    assert stores.silences.list(limit=1) == listed[:1]
    with pytest.raises(InvalidInputError):
        stores.silences.list(limit=0)


def test_one_of_many_at_once_takes_the_probe(on_dynamodb: Stores) -> None:
    on_dynamodb.silences.put(SILENCE, replaces=None)
    probes = [replace(SILENCE, token=f"probe-{number}") for number in range(16)]
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda each: on_dynamodb.silences.put(each, replaces="first"), probes))
    assert done.count(True) == 1


# --- turns of jobs ------------------------------------------------------------------------------


def test_a_turn_is_kept_as_it_is(stores: Stores) -> None:
    assert stores.job_turns.put(TURN, replaces=None)
    assert stores.job_turns.get(CONNECTION, Job.PAYMENTS) == TURN
    assert stores.job_turns.get(CONNECTION, Job.HEAL_WRITE_BACKS) is None
    assert stores.job_turns.get(OTHER_CONNECTION, Job.PAYMENTS) is None


def test_a_turn_may_have_no_place_to_go_on(stores: Stores) -> None:
    stores.job_turns.put(replace(TURN, cursor=None), replaces=None)
    kept = stores.job_turns.get(CONNECTION, Job.PAYMENTS)
    assert kept is not None
    assert kept.cursor is None


def test_a_turn_takes_the_place_of_the_one_that_it_names(stores: Stores) -> None:
    stores.job_turns.put(TURN, replaces=None)
    second = replace(TURN, token="second", cursor="further")
    assert not stores.job_turns.put(second, replaces=None)
    assert not stores.job_turns.put(second, replaces="other")
    assert stores.job_turns.put(second, replaces="first")
    assert not stores.job_turns.put(replace(TURN, token="third"), replaces="first")
    assert stores.job_turns.get(CONNECTION, Job.PAYMENTS) == second


def test_only_the_turn_that_stands_is_ended(stores: Stores) -> None:
    stores.job_turns.put(TURN, replaces=None)
    stores.job_turns.end(replace(TURN, token="earlier"))
    assert stores.job_turns.get(CONNECTION, Job.PAYMENTS) == TURN
    stores.job_turns.end(TURN)
    stores.job_turns.end(TURN)
    assert stores.job_turns.get(CONNECTION, Job.PAYMENTS) is None
