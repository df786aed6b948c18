"""Bridges that mistake companies are found; the real one, in the same weather, is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from connectwise_sandbox.faults import Effect
from tests.simulation import faults
from tests.simulation.companies import broken
from tests.simulation.companies.admins import Habits
from tests.simulation.companies.connect_rules import CLAIMS_WAIT, ONE_CONNECTION
from tests.simulation.companies.endings import CONFIRMED_STANDS, FOUND, ONE_OWNER
from tests.simulation.companies.episode import (
    CompaniesOutcome,
    CompaniesWeather,
    build_world,
    play_world,
)
from tests.simulation.companies.rules import ONCE, ONE_AT_A_TIME, STOPPED_IN_TIME, WOKEN
from tests.simulation.companies.world import CompaniesWiring, Plot
from tests.simulation.payments.faults import UnclearChanges

MAX_SEEDS = 30


@dataclass(frozen=True)
class Case:
    """A broken bridge, the rules of which it breaks one first, and a weather in which it does."""

    wiring: type[CompaniesWiring]
    rules: tuple[str, ...]
    weather: Callable[[], CompaniesWeather]


def late_posts(rate: float = 0.8) -> UnclearChanges:
    return UnclearChanges(rate, methods={"POST"}, effects=[Effect.LATE_EFFECT])


def doors() -> CompaniesWeather:
    """Two partners try every door of two companies."""
    habits = Habits(minutes_between=5, disconnects=1, moves=0, changes_keys=0)
    return CompaniesWeather(hours=0.7, habits=habits, minutes_between_payments=20)


def handing_over() -> CompaniesWeather:
    """Two partners with the same keys take a company over from each other."""
    habits = Habits(minutes_between=5, disconnects=4, moves=0, changes_keys=0, own_keys=False)
    return CompaniesWeather(hours=1, habits=habits, minutes_between_payments=20)


def reconnecting() -> CompaniesWeather:
    """One partner disconnects while posts are late, and comes back by another door."""
    habits = Habits(minutes_between=4, disconnects=3, moves=0, changes_keys=0, own_keys=False)
    return CompaniesWeather(
        hours=1.5,
        habits=habits,
        faults=[late_posts(), faults.Interleaving(0.02)],
        partners=1,
        minutes_between_payments=2,
    )


def adopting() -> CompaniesWeather:
    """Partners take turns at a company, and a clerk adopts whatever is shown."""
    habits = Habits(minutes_between=10, disconnects=3, moves=0, changes_keys=0, own_keys=False)
    return CompaniesWeather(
        hours=2, habits=habits, minutes_between_payments=2, clerk_adopts_all=True
    )


def side_by_side() -> CompaniesWeather:
    """Old workers are at work beside new ones, and every second post is late."""
    habits = Habits(minutes_between=600)
    return CompaniesWeather(
        hours=1.5,
        plot=Plot(old_until=timedelta(hours=1.5)),
        habits=habits,
        faults=[late_posts(0.5), faults.Interleaving(0.03)],
        minutes_between_payments=2,
    )


def pairs() -> CompaniesWeather:
    """Two connections of the release before reach one company."""
    plot = Plot(timedelta(minutes=10), timedelta(minutes=30), pair="others")
    return CompaniesWeather(hours=1, plot=plot, habits=Habits(minutes_between=600))


def waiting() -> CompaniesWeather:
    """Payments are collected by connections that are down, and come up again when all is calm."""
    habits = Habits(minutes_between=15, connects=0.5, disconnects=4, moves=0, changes_keys=0)
    return CompaniesWeather(hours=1, habits=habits, partners=1, minutes_between_payments=3)


def changing_keys() -> CompaniesWeather:
    """Keys go over to another API member while posts are late."""
    habits = Habits(minutes_between=30, connects=0.1, disconnects=0, moves=0, changes_keys=4)
    return CompaniesWeather(
        hours=1,
        habits=habits,
        faults=[late_posts(0.5)],
        partners=1,
        minutes_between_payments=4,
        has_clerk=False,
    )


CASES = (
    Case(broken.KnowsCompaniesByAddress, (ONE_CONNECTION,), doors),
    Case(broken.FreesClaimsAtOnce, (CLAIMS_WAIT,), handing_over),
    Case(broken.StopsNoPair, (STOPPED_IN_TIME,), pairs),
    Case(broken.LeasesByConnection, (ONE_AT_A_TIME,), reconnecting),
    Case(broken.ForgetsTheOldLeaseKey, (ONE_AT_A_TIME, ONCE), side_by_side),
    Case(broken.OwnersByConnection, (ONE_OWNER, CONFIRMED_STANDS), adopting),
    Case(broken.WakesNothing, (WOKEN,), waiting),
    Case(broken.ForgetsPastMembers, (FOUND,), changing_keys),
    Case(broken.BringsUnclearPostsForward, (ONE_AT_A_TIME, ONCE), side_by_side),
)


def story(case: Case, seed: int, wiring: type[CompaniesWiring]) -> CompaniesOutcome:
    weather = case.weather()
    return play_world(build_world(seed, weather, wiring=wiring), bad_hours=weather.hours)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.wiring.__name__)
def test_a_broken_bridge_is_found_and_the_real_one_is_not(case: Case) -> None:
    for seed in range(MAX_SEEDS):
        found = story(case, seed, case.wiring)
        if found.violations:
            break
    else:
        pytest.fail(f"{MAX_SEEDS} seeds found nothing wrong with {case.wiring.__name__}")

    assert found.violations[0].invariant in case.rules, found.story()
    healthy = story(case, seed, CompaniesWiring)
    assert not healthy.violations, healthy.story()
