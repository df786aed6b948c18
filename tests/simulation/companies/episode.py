"""One seed's story of companies: who is connected at first, bad days, calm, and the reckoning."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

from connectwise_sandbox.switches import Switches
from tests.fakes.clock import START
from tests.simulation import faults
from tests.simulation.actors import Messages
from tests.simulation.companies.admins import Admin, Habits
from tests.simulation.companies.collectors import Clerk, Collectors, Rivals
from tests.simulation.companies.connect_rules import ConnectRules
from tests.simulation.companies.endings import (
    ConfirmedStands,
    NothingWaitsUnseen,
    OneOwner,
    WhatStandsIsFound,
)
from tests.simulation.companies.faults import BadPorts, SetUpCrashes
from tests.simulation.companies.machinery import (
    CompaniesTime,
    CompanyServers,
    NewMessages,
    OldMessages,
    timetables,
)
from tests.simulation.companies.rules import Judge, ReconnectsWake, StopsAreAlike, StopsAreShown
from tests.simulation.companies.stage import set_the_stage
from tests.simulation.companies.world import (
    PARTNERS,
    CompaniesWiring,
    CompaniesWorld,
    Plot,
)
from tests.simulation.endings import QueuesAreEmpty
from tests.simulation.episode import MAX_STEPS, Outcome, outcome_of, reproducible
from tests.simulation.functions import WORKERS, WRITE_BACK_WORKER, parker_of
from tests.simulation.parts import Actor, Fault, Invariant
from tests.simulation.payments.faults import BadLedger, UnclearChanges
from tests.simulation.world import Books

CALM = timedelta(hours=3, minutes=30)
CLEAN_SHARE = 0.3
"""In so many stories nothing but ConnectWise's answers goes wrong, and times are kept."""
LONGEST_REST = timedelta(hours=1)
"""For so long more what is on its way is worked off."""


@dataclass(frozen=True)
class CompaniesOutcome(Outcome):
    """``played`` counts what the story was to play."""

    posted: int = 0
    reversed: int = 0
    confirmed: int = 0
    by_old_workers: int = 0
    played: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class CompaniesWeather:
    """How bad the bad days are, and what people do meanwhile."""

    hours: float
    plot: Plot = field(default_factory=Plot)
    habits: Habits = field(default_factory=Habits)
    faults: Sequence[Fault] = ()
    partners: int = 2
    minutes_between_payments: float = 4.0
    has_clerk: bool = True
    clerk_adopts_all: bool = False
    worker_skew_seconds: int = 0
    lag_seconds: int = 0


def any_plot(dice: Random, hours: float) -> Plot:
    """Return how much of the release before there is."""
    pair = dice.choice(("", "", "same", "others"))
    if not pair and dice.random() < 0.5:
        return Plot()
    before = timedelta(hours=dice.uniform(0.3, 0.8))
    return Plot(
        deploys_after=before if pair else before / 2,
        old_until=timedelta(hours=hours * dice.uniform(0.4, 1.0)),
        pair=pair or "alone",
        pair_shares_keys=dice.random() < 0.5,
    )


def any_weather(seed: int) -> CompaniesWeather:
    """Return what this seed makes of it."""
    dice = Random(f"companies weather {seed}")
    is_clean = dice.random() < CLEAN_SHARE
    hours = dice.uniform(1.5, 3.0)

    def rate(*choices: float) -> float:
        chosen = dice.choice(choices)
        return 0.0 if is_clean else chosen

    return CompaniesWeather(
        hours=hours,
        plot=any_plot(dice, hours),
        habits=Habits(
            minutes_between=dice.choice((10.0, 20.0)),
            own_keys=dice.random() < 0.6,
            moves=dice.choice((0.5, 2.0)),
            changes_keys=dice.choice((0.5, 2.0)),
        ),
        faults=[
            faults.Interleaving(dice.choice((0.01, 0.03, 0.06))),
            UnclearChanges(dice.choice((0.1, 0.3, 0.6))),
            faults.BadNetwork(rate(0, 0.005, 0.02)),
            faults.Crashes(rate(0, 0.001, 0.005)),
            SetUpCrashes(rate(0, 0.003, 0.01)),
            faults.BadStores(rate(0, 0.001, 0.003)),
            BadPorts(rate(0, 0.005, 0.02)),
            BadLedger(rate(0, 0.01, 0.02)),
            faults.Repetition(rate(0, 0.02, 0.1)),
            faults.LossyQueues(rate(0, 0.05), "hints", WRITE_BACK_WORKER.queue),
        ],
        partners=dice.choice((2, 2, 3)),
        minutes_between_payments=dice.choice((2.0, 5.0)),
        worker_skew_seconds=dice.choice((0, 3)),
        lag_seconds=dice.choice((0, 0, 20)),
    )


def all_invariants() -> list[Invariant]:
    return [
        ReconnectsWake(),
        OneOwner(),
        NothingWaitsUnseen(),
        ConfirmedStands(),
        WhatStandsIsFound(),
        StopsAreAlike(),
        StopsAreShown(),
        QueuesAreEmpty(),
    ]


def build_world(
    seed: int, weather: CompaniesWeather, *, wiring: type[CompaniesWiring] = CompaniesWiring
) -> CompaniesWorld:
    """Put a world together from the lists of parts."""
    dice = Random(f"companies start {seed}")
    starts_at = START + timedelta(minutes=dice.randint(0, 18 * 60))
    rules = ConnectRules()
    partners = PARTNERS[: weather.partners]
    actors: list[Actor] = [
        CompanyServers(),
        *(Messages(function) for function in WORKERS),
        NewMessages(WRITE_BACK_WORKER),
        OldMessages(),
        *(Messages(parker_of(function)) for function in (*WORKERS, WRITE_BACK_WORKER)),
        *timetables(starts_at, starts_at + weather.plot.deploys_after),
        Collectors(weather.minutes_between_payments),
        *([Clerk(adopts_all=weather.clerk_adopts_all)] if weather.has_clerk else []),
        *(Admin(partner, weather.habits, rules) for partner in partners),
        Rivals(),
        CompaniesTime(),
    ]
    switches = Switches(
        merge_touches_last_updated=True,
        payment_list_delay_seconds=weather.lag_seconds,
        requests_per_minute=0,
    )
    books = Books(
        customers=2,
        invoices=3,
        worker_skew_seconds=weather.worker_skew_seconds,
        switches=switches,
    )
    world = CompaniesWorld(
        seed,
        plot=weather.plot,
        books=books,
        actors=actors,
        faults=weather.faults,
        invariants=all_invariants(),
        wiring=wiring,
        starts_at=starts_at,
    )
    Judge(world)
    return world


# --- the story -----------------------------------------------------------------------------------


def play_world(world: CompaniesWorld, *, bad_hours: float) -> CompaniesOutcome:
    """Play a world's story to its end, or to the first step that breaks a rule."""
    with reproducible(world):
        set_the_stage(world)
        _go_on(world, timedelta(hours=bad_hours))
        if not world.violations:
            _calm_down(world)
            _go_on(world, CALM)
            _empty_the_queues(world)
        if not world.violations:
            for invariant in world.invariants:
                invariant.at_end(world)
    counts = world.provenance.counts
    return CompaniesOutcome(
        **vars(outcome_of(world)),
        posted=counts.posted,
        reversed=counts.deleted,
        confirmed=sum(each.psa_payment_id is not None for each in world.ledger.every()),
        by_old_workers=counts.by_old_workers,
        played=world.played,
    )


def play_seed(seed: int, wiring: type[CompaniesWiring] = CompaniesWiring) -> CompaniesOutcome:
    """Play the story that a seed alone decides."""
    weather = any_weather(seed)
    return play_world(build_world(seed, weather, wiring=wiring), bad_hours=weather.hours)


def _go_on(world: CompaniesWorld, time: timedelta) -> None:
    until = world.clock.now() + time
    while world.clock.now() < until and not world.violations:
        if world.steps >= MAX_STEPS:
            world.violate("the story ends", f"not after {MAX_STEPS} steps")
            return
        world.step()


def _empty_the_queues(world: CompaniesWorld) -> None:
    until = world.clock.now() + LONGEST_REST
    while any(queue.messages for queue in world.queues.values()) and not world.violations:
        if world.clock.now() >= until:
            return
        world.step()


def _calm_down(world: CompaniesWorld) -> None:
    world.note("      --- the bad days are over ---")
    world.is_calm = True
    world.troubled_at = world.clock.now()
    for actor in world.actors:
        actor.calm_down(world)
    for fault in world.faults:
        fault.calm_down(world)
    world.faults = ()
    for company in world.servers.companies:
        company.engine.faults.clear()
