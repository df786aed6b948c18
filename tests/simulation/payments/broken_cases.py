"""Write-backs that are broken on purpose, each with a weather in which it shows, and a rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from connectwise_sandbox.switches import Switches
from tests.simulation.payments.broken import BrokenWiring
from tests.simulation.payments.episode import (
    PaymentOutcome,
    PaymentWeather,
    build_world,
    play_world,
)
from tests.simulation.wiring import Wiring
from tests.simulation.world import MUTANT, Books

MAX_SEEDS = 12


@dataclass(frozen=True)
class Case:
    """A broken write-back, what it breaks first, and a weather in which it soon does.

    ``are_invoices_touched`` by their payments, so that what changed shows on them.
    """

    wiring: type[Wiring]
    invariants: tuple[str, ...]
    weather: Callable[[], PaymentWeather]
    are_invoices_touched: bool = True
    switches: Mapping[str, Any] = field(default_factory=dict)
    seeds: Sequence[int] = range(MAX_SEEDS)


def story(case: Case, seed: int, wiring: type[Wiring]) -> PaymentOutcome:
    weather = case.weather()
    switches = Switches(
        merge_touches_last_updated=True,
        payment_touches_last_updated=case.are_invoices_touched,
        **case.switches,
    )
    books = Books(customers=2, invoices=3, switches=switches)
    world = build_world(seed, weather, books=books, wiring=wiring)
    return play_world(world, bad_hours=weather.hours)


def check(case: Case) -> None:
    """Find the broken write-back by a rule that it breaks first; the real one, in the same weather,
    breaks none."""
    for seed in case.seeds:
        found = story(case, seed, case.wiring)
        if found.violations and found.violations[0].invariant in case.invariants:
            break
    else:
        pytest.fail(f"{len(case.seeds)} seeds found nothing wrong with {case.wiring.__name__}")

    if issubclass(case.wiring, BrokenWiring):
        assert found.injected[MUTANT] > 0
    healthy = story(case, seed, Wiring)
    assert not healthy.violations, healthy.story()
