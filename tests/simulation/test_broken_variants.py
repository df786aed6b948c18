"""Bridges that are broken on purpose are found; the real one, in the same weather, is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import pytest

from bridge.domain.errors import ConflictError
from bridge.domain.invoice import Invoice
from tests.simulation import broken, faults, invariants, people, troubles
from tests.simulation.episode import Outcome, Weather, all_invariants, build_world, play
from tests.simulation.parts import Fault, Invariant
from tests.simulation.watching import PortCall
from tests.simulation.wiring import Wiring
from tests.simulation.world import Books, World

MAX_SEEDS = 12


class _ConflictsWithLostHints(Fault):
    """The first write of an invoice meets a conflict, and every hint that is sent is lost.

    The real bridge says that somebody has to look again, and cannot know that nobody will.
    """

    name = "conflict with lost hints"

    def __init__(self) -> None:
        self._has_struck = False

    def before_call(self, world: World, call: PortCall) -> None:
        is_invoice = call.name == "records.save" and isinstance(call.arguments[0], Invoice)
        if is_invoice and not self._has_struck:
            self._has_struck = True
            raise ConflictError("simulated conflict")

    def on_message(self, world: World, queue: str) -> timedelta | None:
        return None if queue == "hints" else timedelta(0)


@dataclass(frozen=True)
class Case:
    """A broken bridge, the invariant that it breaks, and a weather in which it soon does."""

    wiring: type[Wiring]
    invariant: str
    weather: Callable[[], Weather]
    books: Books = Books(customers=4, invoices=25)  # noqa: RUF009 - frozen
    more_invariants: Sequence[type[Invariant]] = ()


CASES = (
    Case(
        broken.OverwritesWithoutVersionCheck,
        invariants.NothingOlder.name,
        lambda: Weather(
            hours=4,
            faults=[faults.Interleaving(0.2)],
            edits=(people.change_due_date, people.pay),
            minutes_between_edits=2,
        ),
        books=Books(customers=2, invoices=4),
    ),
    Case(
        broken.BelievesDeletedCallbacks,
        invariants.ArchivedOnProof.name,
        lambda: Weather(
            hours=5,
            faults=[faults.LossyCallbacks(0.3)],
            edits=(people.delete_company, people.restore_company),
            minutes_between_edits=5,
        ),
        books=Books(customers=12, invoices=25),
    ),
    Case(
        broken.MovesWatermarksAtTheStart,
        invariants.WatermarksFollow.name,
        lambda: Weather(hours=2, faults=[faults.Crashes(0.02)]),
    ),
    Case(
        broken.AsksForTheNextPageBeforeSaving,
        invariants.NobodyMendsRuns.name,
        lambda: Weather(
            hours=3, faults=[faults.Interleaving(0.2)], sweeps_every=timedelta(minutes=30)
        ),
        more_invariants=(invariants.NobodyMendsRuns,),
    ),
    Case(
        broken.ArchivesWithoutABrake,
        invariants.Brake.name,
        lambda: Weather(
            hours=6,
            troubles=[troubles.HiddenLocation(hours_between=1, longest_hours=4)],
            sweeps_every=timedelta(hours=1),
        ),
        books=Books(customers=4, invoices=60),
    ),
    Case(
        broken.SweepsPassContactsBy,
        invariants.WatermarksFollow.name,
        lambda: Weather(
            hours=6,
            edits=(people.change_contact_email,),
            minutes_between_edits=5,
            sweeps_every=timedelta(hours=1),
        ),
    ),
    Case(
        broken.LeavesConflictsToNobody,
        invariants.WatermarksFollow.name,
        lambda: Weather(
            hours=1, faults=[_ConflictsWithLostHints()], edits=(people.change_due_date,)
        ),
    ),
    Case(
        broken.ForgetsWhatVanished,
        "invoices agree",
        lambda: Weather(
            hours=3,
            faults=[faults.LossyCallbacks(0.8)],
            edits=(people.create_invoice, people.delete_invoice),
        ),
    ),
)


def story(case: Case, seed: int, wiring: type[Wiring]) -> Outcome:
    weather = case.weather()
    checks = [*all_invariants(), *(check() for check in case.more_invariants)]
    world = build_world(seed, weather, books=case.books, wiring=wiring, checks=checks)
    return play(world, bad_hours=weather.hours)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.wiring.__name__)
def test_a_broken_bridge_is_found_and_the_real_one_is_not(case: Case) -> None:
    for seed in range(MAX_SEEDS):
        violations = story(case, seed, case.wiring).violations
        if violations:
            break
    else:
        pytest.fail(f"{MAX_SEEDS} seeds found nothing wrong with {case.wiring.__name__}")

    assert violations[0].invariant == case.invariant
    healthy = story(case, seed, Wiring)
    assert not healthy.violations, healthy.story()
