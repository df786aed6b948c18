"""Crash at every single port call, before it and after it: the end is right all the same.

A scenario is played once to count its port calls, and then once for each of them. The worker that
dies takes its memory along; its message comes back, and the schedules go on. Calls to ConnectWise
count like those to stores and queues. To die after a call is to die before the worker's next one,
so that is played by itself only for the last call of each worker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import pytest

from bridge.domain.connection import ConnectionState
from bridge.domain.run import RunKind, RunState
from connectwise_sandbox.kinds import Kind, Record
from tests.simulation import endings, invariants
from tests.simulation.actors import Callbacks, Messages, Time, Timetable, timetables
from tests.simulation.broken import SavesRunsBeforeTheirRecords
from tests.simulation.clocks import WorkerClock
from tests.simulation.episode import connect, reproducible
from tests.simulation.functions import WORKERS, parker_of
from tests.simulation.parts import Fault
from tests.simulation.watching import PortCall, SimulatedCrashError
from tests.simulation.wiring import Wiring
from tests.simulation.world import CONNECTION_ID, Books, World

SWEEPS_EVERY = timedelta(hours=1)
FEWEST_CALLS = 30


class CrashAt(Fault):
    """Kills the worker at the n-th port call from now on, once."""

    name = "crash at one call"

    def __init__(self, number: int, *, is_after: bool) -> None:
        self._number = number
        self._is_after = is_after
        self.workers: list[WorkerClock | None] = []

    @property
    def seen(self) -> int:
        return len(self.workers)

    def last_calls(self) -> list[int]:
        """Return the numbers of the calls that were their worker's last."""
        following = [*self.workers[1:], None]
        pairs = enumerate(zip(self.workers, following, strict=True), start=1)
        return [number for number, (worker, after) in pairs if worker is not after]

    def before_call(self, world: World, call: PortCall) -> None:
        self.workers.append(world.worker)
        if self.seen == self._number and not self._is_after:
            raise SimulatedCrashError(f"before {call.name}")

    def after_call(self, world: World, call: PortCall) -> None:
        if self.seen == self._number and self._is_after:
            self._is_after = False
            raise SimulatedCrashError(f"after {call.name}")


@dataclass(frozen=True)
class Scenario:
    """``arrange`` prepares a world at rest, ``happen`` does what must survive the crash.

    ``hours_to_rest`` are enough for hidden messages to show, for a run to be found standing
    still, and for a schedule that was lost to come round again.
    """

    name: str
    arrange: Callable[[World], None]
    happen: Callable[[World], None]
    hours_to_rest: float


def rest(world: World, hours: float) -> None:
    end = world.clock.now() + timedelta(hours=hours)
    while world.clock.now() < end:
        world.step()


def work_off(world: World) -> None:
    """Let everything happen that is due now; no time passes."""
    others = [actor for actor in world.actors if not isinstance(actor, Time)]
    while any(actor.weight(world) for actor in others):
        world.step()


def _start_import(world: World) -> None:
    connect(world)
    work_off(world)


def _imported(world: World) -> None:
    _start_import(world)
    rest(world, 0.1)
    work_off(world)


def _invoice(world: World, place: int) -> Record:
    return list(world.engine.tenant.store[Kind.INVOICE])[place]


def _edit_one_invoice(world: World) -> None:
    invoice = _invoice(world, -1)
    world.engine.people.change_total(invoice["id"], invoice["total"] + 10)
    world.engine.people.record_payment(invoice["id"], Decimal(1))
    work_off(world)


def _imported_and_deaf(world: World) -> None:
    _imported(world)
    world.engine.switches.callback_drop_rate = 1.0
    rest(world, 0.3)
    people = world.engine.people
    people.delete_invoice(_invoice(world, 0)["id"])
    people.delete_company(_invoice(world, -1)["company"]["id"])
    people.create_company("Late", "Late Arrival", "ap@late.example")
    people.record_payment(_invoice(world, -2)["id"], Decimal(1))


def _compare_everything(world: World) -> None:
    """Let the next sweep start and end, with whatever else is due at the same time."""
    sweep = next(a for a in world.actors if isinstance(a, Timetable) and a.name == "sweep")
    seconds = (sweep.next_at - world.clock.now()).total_seconds()
    world.clock.advance(seconds=seconds)
    work_off(world)


SCENARIOS = (
    Scenario("import", lambda _: None, _start_import, hours_to_rest=1.3),
    Scenario("hint", _imported, _edit_one_invoice, hours_to_rest=0.5),
    Scenario("sweep", _imported_and_deaf, _compare_everything, hours_to_rest=2.3),
)


def a_world(wiring: type[Wiring]) -> World:
    """A world in which nothing fails and nobody acts but the machinery."""
    world = World(
        7,
        wiring=wiring,
        books=Books(customers=2, invoices=4),
        invariants=[
            invariants.NothingOlder(),
            invariants.ArchivedOnProof(),
            invariants.WatermarksFollow(),
            endings.CustomersAgree(),
            endings.InvoicesAgree(),
            endings.ProblemsHaveCauses(),
            endings.QueuesAreEmpty(),
        ],
    )
    starts_at = world.clock.now()
    world.actors = [
        *(Messages(function) for function in WORKERS),
        *(Messages(parker_of(function)) for function in WORKERS),
        Callbacks(),
        *timetables(starts_at, starts_at + SWEEPS_EVERY, SWEEPS_EVERY),
        Time(),
    ]
    world.is_calm = True
    return world


def crash(
    scenario: Scenario, number: int, *, is_after: bool, wiring: type[Wiring] = Wiring
) -> tuple[World, CrashAt]:
    """Play a scenario with a crash at its n-th call, and let everything come to rest."""
    world = a_world(wiring)
    fault = CrashAt(number, is_after=is_after)
    with reproducible(world):
        scenario.arrange(world)
        world.faults = [fault]
        scenario.happen(world)
        world.faults = []
        rest(world, scenario.hours_to_rest)
        for invariant in world.invariants:
            invariant.at_end(world)
    return world, fault


def problems_of(world: World) -> list[str]:
    """Tell what is not as it should be in the end."""
    found = [str(violation) for violation in world.violations]
    runs = world.outside.runs.list_of_connection(CONNECTION_ID, limit=1000).items
    found += [f"{run.kind.value} is {run.state.value}" for run in runs if not run.has_ended]
    imports = [run for run in runs if run.kind is RunKind.IMPORT]
    if [run.state for run in imports] != [RunState.SUCCEEDED]:
        found.append("the import did not succeed")
    for run in imports:
        for counters in (run.customers, run.invoices):
            if counters.seen != counters.created + counters.unchanged + counters.updated:
                found.append(f"the import counted {counters}")
    if world.connection.state is not ConnectionState.ACTIVE:
        found.append(f"the connection is {world.connection.state.value}")
    return found


def count_calls(scenario: Scenario) -> CrashAt:
    """Play a scenario undisturbed."""
    world, counter = crash(scenario, 0, is_after=False)
    assert problems_of(world) == []
    assert counter.seen > FEWEST_CALLS
    return counter


def failures_at(scenario: Scenario, numbers: Iterable[int], *, is_after: bool) -> dict[str, str]:
    """Crash at each of these calls; return what was wrong in the end, by where it died."""
    failures = {}
    for number in numbers:
        world, _ = crash(scenario, number, is_after=is_after)
        found = problems_of(world)
        died = next((line.strip() for line in world.trace if " died " in line), "nobody died")
        if found or died == "nobody died":
            failures[f"{number}: {died}"] = "; ".join(found[:3])
    return failures


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_crash_before_any_call_changes_nothing_in_the_end(scenario: Scenario) -> None:
    counter = count_calls(scenario)

    assert failures_at(scenario, range(1, counter.seen + 1), is_after=False) == {}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_crash_after_a_workers_last_call_changes_nothing_in_the_end(scenario: Scenario) -> None:
    counter = count_calls(scenario)

    assert failures_at(scenario, counter.last_calls(), is_after=True) == {}


def test_a_bridge_that_promises_before_it_does_is_found() -> None:
    """Else these tests would prove nothing."""
    importing = SCENARIOS[0]
    counter = count_calls(importing)

    found = [
        number
        for number in range(1, counter.seen + 1, 5)
        if problems_of(
            crash(importing, number, is_after=False, wiring=SavesRunsBeforeTheirRecords)[0]
        )
    ]

    assert found
