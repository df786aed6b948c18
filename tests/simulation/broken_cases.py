"""Bridges that are broken on purpose, each with a weather in which it shows, and an invariant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

from tests.simulation.episode import Outcome, Weather, all_invariants, build_world, play
from tests.simulation.parts import Invariant
from tests.simulation.wiring import Wiring
from tests.simulation.world import Books

MAX_SEEDS = 12


@dataclass(frozen=True)
class Case:
    """A broken bridge, the invariants that it breaks, and a weather in which it soon does."""

    wiring: type[Wiring]
    invariant: str | Sequence[str]
    weather: Callable[[], Weather]
    books: Books = Books(customers=4, invoices=25)  # noqa: RUF009 - frozen
    more_invariants: Sequence[type[Invariant]] = ()


def story(case: Case, seed: int, wiring: type[Wiring]) -> Outcome:
    weather = case.weather()
    checks = [*all_invariants(), *(check() for check in case.more_invariants)]
    world = build_world(seed, weather, books=case.books, wiring=wiring, checks=checks)
    return play(world, bad_hours=weather.hours)


def check(case: Case) -> None:
    """Find the broken bridge by an invariant that it breaks first; the real one, in the same
    weather, breaks none."""
    for seed in range(MAX_SEEDS):
        violations = story(case, seed, case.wiring).violations
        if violations:
            break
    else:
        pytest.fail(f"{MAX_SEEDS} seeds found nothing wrong with {case.wiring.__name__}")

    named = [case.invariant] if isinstance(case.invariant, str) else case.invariant
    assert violations[0].invariant in named
    healthy = story(case, seed, Wiring)
    assert not healthy.violations, healthy.story()
