"""One seed's story: connect and import, bad days, healing, calm, and the reckoning."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from random import Random
from unittest.mock import patch
from uuid import UUID

from bridge.domain import identity
from bridge.domain.filters import CustomerFilter, ImportFilters, InvoiceFilter
from bridge.domain.invoice import InvoiceType
from bridge.domain.run import RunKind
from bridge.mirror import run_worker, selection
from connectwise_sandbox.switches import Switches
from tests.fakes import records
from tests.fakes.clock import START
from tests.simulation import (
    endings,
    faults,
    invariants,
    odd_servers,
    people,
    promises,
    troubles,
    untidy_edits,
)
from tests.simulation.actors import (
    Callbacks,
    Messages,
    PromptTime,
    Replays,
    Time,
    Timetable,
    timetables,
)
from tests.simulation.functions import WORKERS, parker_of
from tests.simulation.log_watch import watched_logs
from tests.simulation.parts import Actor, Fault, Invariant
from tests.simulation.wire import light_http
from tests.simulation.wiring import Wiring
from tests.simulation.world import CALM_HOURS, Books, Violation, World

MAX_STEPS = 60_000
MAX_BAD_HOURS = 10
CLEAN_SHARE = 0.15
"""In so many stories only people and odd servers do what they should not, and times are kept."""
PAYMENTS_TOGETHER = 20
"""More changed payments than these take several writes, as a hundred do on DynamoDB."""
LAST_LINES = 60


@dataclass(frozen=True)
class Outcome:
    """How a seed ended. ``digest`` is equal for equal stories."""

    seed: int
    violations: tuple[Violation, ...]
    steps: int
    calls: int
    injected: Counter[str]
    interleavings: int
    trace: Sequence[str]
    digest: str

    def story(self) -> str:
        """Return the last lines before the first violation."""
        return "\n".join([*self.trace[-LAST_LINES:], "", *map(str, self.violations[:5])])


@dataclass(frozen=True)
class Weather:
    """How bad the bad days are, and what people do meanwhile.

    Where everybody ``is_prompt``, time passes only while nobody has anything to do.
    """

    hours: float
    faults: Sequence[Fault] = ()
    troubles: Sequence[Actor] = ()
    edits: Sequence[people.Edit] = people.EDITS
    minutes_between_edits: float = 8.0
    sweeps_every: timedelta = timedelta(days=1)
    is_prompt: bool = False


def any_weather(seed: int) -> Weather:
    """Return bad days as bad as this seed makes them."""
    dice = Random(f"weather {seed}")
    edits = dice.choice((people.EDITS, (*people.EDITS, *untidy_edits.EDITS)))
    if dice.random() < CLEAN_SHARE:
        return Weather(hours=dice.uniform(2, 5), edits=edits, is_prompt=True)

    def rate(*choices: float) -> float:
        return dice.choice(choices)

    return Weather(
        hours=dice.uniform(3, MAX_BAD_HOURS),
        faults=[
            faults.Interleaving(rate(0.02, 0.05)),
            faults.BadNetwork(rate(0, 0.01, 0.05, 0.15)),
            faults.Outage(rate(0, 0, 0.0005)),
            faults.Crashes(rate(0, 0.001, 0.005)),
            faults.CrashesBetweenWrites(rate(0, 0.01, 0.05)),
            faults.BadStores(rate(0, 0.001, 0.005)),
            faults.Repetition(rate(0, 0.02, 0.1)),
            faults.LossyCallbacks(rate(0, 0.1, 0.4)),
            faults.LossyQueues(rate(0, 0.02, 0.1), "hints"),
            odd_servers.WrongDates(rate(0, 0, 0.002)),
        ],
        edits=edits,
        troubles=[
            trouble
            for trouble in (
                troubles.CorruptRows(hours_between=4, longest_hours=5),
                odd_servers.OddRows(hours_between=4, longest_hours=5),
                odd_servers.PassingOddities(hours_between=3, longest_hours=3),
                odd_servers.WrongClock(hours_between=8, longest_hours=4),
                troubles.RightRevoked(hours_between=12, longest_hours=3),
                troubles.KeysRejected(hours_between=16, longest_hours=2),
                troubles.HiddenLocation(hours_between=12, longest_hours=4),
                troubles.NoPdfs(hours_between=6, longest_hours=3),
                troubles.Upgrades(),
            )
            if dice.random() < 0.5
        ],
    )


def any_books(seed: int) -> Books:
    """Return books with the unproven behaviour of ConnectWise as this seed decides it."""
    dice = Random(f"books {seed}")
    switches = Switches(
        forward_only_end=dice.choice(("empty_page", "short_page")),
        payment_touches_last_updated=dice.random() < 0.8,
        payment_fires_invoice_callback=dice.random() < 0.8,
        balance_delay_seconds=dice.choice((0, 0, 20)),
        wrong_keys_status=dice.choice((401, 404)),
        callback_key_access=dice.choice(("open", "client_id", "authenticated")),
        callback_server_error=dice.choice(("lost", "retried")),
        delete_fires_callback=dice.random() < 0.8,
        merge_touches_last_updated=dice.random() < 0.5,
        merge_moves_invoices=dice.random() < 0.7,
        merged_company=dice.choice(("flagged", "flagged", "gone")),
        payment_list_delay_seconds=dice.choice((0, 0, 15)),
        **odd_servers.lasting_oddities(dice),
    )
    return Books(
        clock_skew_seconds=dice.choice((0, 0, -200, 45, 200)),
        page_size=dice.choice((1000, 1000, 12)),
        switches=switches,
        filters=dice.choice((ImportFilters(), ImportFilters(), _some_filters(dice))),
    )


def _some_filters(dice: Random) -> ImportFilters:
    return dice.choice(
        (
            ImportFilters(customer=CustomerFilter(status_ids=frozenset({1}))),
            ImportFilters(customer=CustomerFilter(type_ids=frozenset({1, 2}))),
            ImportFilters(invoice=InvoiceFilter(types=frozenset({InvoiceType.STANDARD}))),
            ImportFilters(invoice=InvoiceFilter(billing_status_ids=frozenset({1, 2}))),
            ImportFilters(invoice=InvoiceFilter(minimum_balance=Decimal(100))),
            ImportFilters(
                customer=CustomerFilter(status_ids=frozenset({1, 2})),
                invoice=InvoiceFilter(date_from=START.date() - timedelta(days=365)),
            ),
        )
    )


def all_invariants() -> list[Invariant]:
    return [
        invariants.NothingOlder(),
        invariants.ArchivedOnProof(),
        invariants.Brake(),
        invariants.WatermarksFollow(),
        invariants.NothingOfThePlatform(),
        endings.CustomersAgree(),
        endings.InvoicesAgree(),
        endings.ProblemsHaveCauses(),
        endings.QueuesAreEmpty(),
        endings.NoRunIsStuck(),
        promises.CallsAreFew(),
    ]


def build_world(
    seed: int,
    weather: Weather,
    *,
    books: Books | None = None,
    wiring: type[Wiring] = Wiring,
    checks: Sequence[Invariant] | None = None,
) -> World:
    """Put a world together from the lists of parts."""
    dice = Random(f"start {seed}")
    starts_at = START + timedelta(minutes=dice.randint(0, 24 * 60))
    hours_between = weather.sweeps_every.total_seconds() / 3600
    first_hour = max(0.5, weather.hours - hours_between + CALM_HOURS)
    sweeps_at = starts_at + timedelta(hours=dice.uniform(first_hour, weather.hours))
    if hours_between <= CALM_HOURS:
        sweeps_at = starts_at + weather.sweeps_every
    if checks is None:
        checks = [*all_invariants(), *([promises.LagsAreShort()] if weather.is_prompt else [])]
    actors: list[Actor] = [
        *(Messages(function) for function in WORKERS),
        *(Messages(parker_of(function)) for function in WORKERS),
        Callbacks(),
        Replays(),
        *timetables(starts_at, sweeps_at, weather.sweeps_every),
        people.ConnectWiseStaff(weather.edits, weather.minutes_between_edits),
        people.Accountant(),
        people.ImpatientUser(),
        *weather.troubles,
        PromptTime() if weather.is_prompt else Time(),
    ]
    return World(
        seed,
        books=books or any_books(seed),
        actors=actors,
        faults=weather.faults,
        invariants=checks,
        wiring=wiring,
        starts_at=starts_at,
    )


def play(world: World, *, bad_hours: float) -> Outcome:
    """Play a world's story to its end, or to the first step that breaks an invariant."""
    with reproducible(world):
        connect(world)
        bad_days_end = world.clock.now() + timedelta(hours=bad_hours)
        _go_on(world, lambda: world.clock.now() < bad_days_end)
        if not world.violations:
            come_to_rest(world)
    return outcome_of(world)


def outcome_of(world: World) -> Outcome:
    """What the story of a world came to so far."""
    return Outcome(
        seed=world.seed,
        violations=tuple(world.violations),
        steps=world.steps,
        calls=world.calls,
        injected=world.injected,
        interleavings=world.interleavings,
        trace=world.trace,
        digest=world.digest,
    )


def play_seed(seed: int, wiring: type[Wiring] = Wiring) -> Outcome:
    """Play the story that a seed alone decides."""
    weather = any_weather(seed)
    return play(build_world(seed, weather, wiring=wiring), bad_hours=weather.hours)


def connect(world: World) -> None:
    """Start the first import, as connecting does; nothing goes wrong yet."""
    faults, world.faults = world.faults, ()
    world.invoke(
        "dashboard_api",
        people.API_TIMEOUT_SECONDS,
        lambda wiring: wiring.run_starter.start(world.connection, RunKind.IMPORT),
    )
    world.faults = faults


def come_to_rest(world: World) -> None:
    """End the bad days, let a night of calm pass, and judge the world by its invariants."""
    _calm_down(world)
    _go_on(world, _until_rested(world))
    if not world.violations:
        for invariant in world.invariants:
            invariant.at_end(world)


def _go_on(world: World, goes_on: Callable[[], bool]) -> None:
    while goes_on() and not world.violations:
        if world.steps >= MAX_STEPS:
            world.violate("the story ends", f"not after {MAX_STEPS} steps")
            return
        world.step()


def _calm_down(world: World) -> None:
    world.note("      --- the bad days are over ---")
    world.is_calm = True
    for actor in world.actors:
        actor.calm_down(world)
    for fault in world.faults:
        fault.calm_down(world)
    world.faults = ()
    world.engine.faults.clear()


def _until_rested(world: World) -> Callable[[], bool]:
    """Go on until a night of calm has passed, and then until nothing is left to do at once."""
    sweep = next(
        actor for actor in world.actors if isinstance(actor, Timetable) and actor.name == "sweep"
    )
    rested_at = sweep.next_at + timedelta(hours=2)
    rested_at = max(rested_at, world.clock.now() + timedelta(hours=world.calm_hours))

    def goes_on() -> bool:
        now = world.clock.now()
        if now < rested_at or now >= rested_at + timedelta(hours=12):
            return now < rested_at
        return any(queue.messages for queue in world.queues.values())

    return goes_on


@contextmanager
def reproducible(world: World) -> Iterator[None]:
    """Let ids and the client's back-off come from the seed, and watch what is logged."""
    dice = Random(f"ids {world.seed}")
    before = random.getstate()
    random.seed(world.seed)
    try:
        with (
            watched_logs(world),
            light_http(),
            world.surroundings(),
            patch.object(identity, "uuid4", lambda: UUID(int=dice.getrandbits(128), version=4)),
            patch.object(selection, "PAGE_SIZE", world.books.page_size),
            patch.object(selection, "VANISHED_PAGE_SIZE", max(1, world.books.page_size // 4)),
            patch.object(records, "MAX_TOGETHER", PAYMENTS_TOGETHER),
            patch.object(run_worker, "REFRESH_BATCH", max(1, world.books.page_size // 5)),
        ):
            yield
    finally:
        random.setstate(before)
