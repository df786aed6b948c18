"""What a partner's admin says at the dashboard: how payments appear, and which are not ours."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bridge.domain.platform_payment import UNDONE_STATES, WriteBackPolicy, WriteBackWhen
from bridge.domain.problem import Action, Problem, ProblemCode, record_of_subject
from tests.simulation.parts import Actor
from tests.simulation.payments.world import PaymentWorld
from tests.simulation.people import API_TIMEOUT_SECONDS
from tests.simulation.wiring import Wiring
from tests.simulation.world import CONNECTION_ID, PARTNER_ID, World

LOOKS_EVERY_MINUTES = 20


class ChangesOfMind(Actor):
    """The partner prefers something else, about every ``hours_between``: another paid status, an
    earlier write-back, other ways of being undone that leave a payment where it is."""

    name = "preferences"

    def __init__(self, statuses: tuple[str | None, ...], *, hours_between: float = 3.0) -> None:
        self._statuses = statuses
        self._hours_between = hours_between
        self._next_at: datetime | None = None

    def weight(self, world: World) -> float:
        if world.is_calm:
            return 0.0
        if self._next_at is None:
            self._wait(world)
        return 1.0 if self._next_at and self._next_at <= world.clock.now() else 0.0

    def act(self, world: World) -> str:
        assert isinstance(world, PaymentWorld)
        self._wait(world)
        wanted = self._wanted(world)
        started_at = world.clock.now()

        def click(wiring: Wiring) -> object:
            return wiring.payment_preferences.change(PARTNER_ID, CONNECTION_ID, lambda _: wanted)

        invocation = world.invoke("dashboard_api", API_TIMEOUT_SECONDS, click)
        world.note_preference(started_at)
        undoing = ", ".join(sorted(wanted.reverse_on))
        what = f"{wanted.when.value}, status {wanted.paid_status_id}, out when {undoing}"
        return f"{what}: {invocation.has_succeeded}"

    def _wait(self, world: World) -> None:
        hours = max(0.1, world.random.expovariate(1 / self._hours_between))
        self._next_at = world.clock.now() + timedelta(hours=hours)

    def _wanted(self, world: PaymentWorld) -> WriteBackPolicy:
        policy = world.connection.write_back
        name = world.random.choice(self._statuses)
        undoing = world.random.sample(sorted(UNDONE_STATES), world.random.randint(1, 4))
        return world.random.choice(
            (
                replace(policy, paid_status_id=world.status_id(name) if name else None),
                replace(policy, when=world.random.choice(tuple(WriteBackWhen))),
                replace(policy, reverse_on=frozenset(undoing)),
            )
        )


class SurplusOwner(Actor):
    """Knows the partner's other programs, and says of what these posted that it is not ours."""

    name = "owner of a surplus"

    def __init__(self) -> None:
        self._next_at: datetime | None = None
        self._known: list[Problem] = []

    def weight(self, world: World) -> float:
        if world.is_calm:
            return 0.0
        if self._next_at is None or self._next_at <= world.clock.now():
            self._next_at = world.clock.now() + timedelta(minutes=LOOKS_EVERY_MINUTES)
            self._known = self._known_in(world)
        return 0.3 if self._known else 0.0

    def act(self, world: World) -> str:
        assert isinstance(world, PaymentWorld)
        problem = world.random.choice(self._known)
        self._known = []
        rows = _programs_rows(world, problem)
        if not rows:
            return "nothing left"
        row_id = world.random.choice(rows)

        def click(wiring: Wiring) -> object:
            return wiring.problem_actions.act(
                PARTNER_ID, problem.problem_id, Action.DISMISS, psa_payment_id=row_id
            )

        invocation = world.invoke("dashboard_api", API_TIMEOUT_SECONDS, click)
        return f"dismisses {row_id} of {problem.subject}: {invocation.has_succeeded}"

    def _known_in(self, world: World) -> list[Problem]:
        """Return the problems about what another program posted."""
        assert isinstance(world, PaymentWorld)
        every = world.outside.problems.open_of_connection(PARTNER_ID, CONNECTION_ID)
        return [each for each in every.values() if _programs_rows(world, each)]


def _programs_rows(world: PaymentWorld, problem: Problem) -> list[int]:
    record = record_of_subject(problem.subject)
    if problem.code is not ProblemCode.PAYMENT_SURPLUS or record is None:
        return []
    return [each for each in world.surplus_of(record[1]) if each in world.provenance.by_programs]
