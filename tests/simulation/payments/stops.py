"""Payments are stopped and allowed again by people, and stopped by the brake."""

from __future__ import annotations

from datetime import datetime, timedelta

from bridge.domain.connection import Connection, PaymentsStop
from bridge.domain.payment_control import EVERY_PARTNER, MULTIPLE_OF_BUSIEST, PaymentStop
from bridge.domain.problem import Action, ProblemCode
from tests.simulation.functions import WRITE_BACK_SECONDS
from tests.simulation.parts import Invariant
from tests.simulation.payments.frozen_workers import DRIVERS
from tests.simulation.payments.statements import just_stated
from tests.simulation.payments.world import PaymentWorld
from tests.simulation.people import API_TIMEOUT_SECONDS
from tests.simulation.troubles import Trouble
from tests.simulation.watching import PortCall
from tests.simulation.wiring import Wiring
from tests.simulation.world import CONNECTION_ID, PARTNER_ID, World

BY_PARTNER, BY_ALL, BY_CONNECTION = "of the partner", "of all partners", "of the connection"


class Stops(Trouble):
    """The on-call engineer or the partner stops payments for a while. What the brake stopped, a
    person looks at and allows."""

    name = "payments stopped"

    def __init__(self, *, hours_between: float = 3.0, longest_hours: float = 0.7) -> None:
        super().__init__(hours_between=hours_between, longest_hours=longest_hours)
        self._how = BY_ALL
        self._approves_at: datetime | None = None

    def weight(self, world: World) -> float:
        """A person releases the brake in calm days, too: else payments wait for him for good."""
        if PaymentsStop.UNUSUALLY_MANY in world.connection.payments_stopped:
            is_due = self._approves_at is None or self._approves_at <= world.clock.now()
            return 0.5 if is_due else 0.0
        return super().weight(world)

    def act(self, world: World) -> str:
        if PaymentsStop.UNUSUALLY_MANY in world.connection.payments_stopped:
            self._approves_at = world.clock.now() + timedelta(minutes=world.random.randint(1, 40))
            return _release_brake(world)
        return super().act(world)

    def begin(self, world: World) -> str:
        self._how = world.random.choice((BY_PARTNER, BY_ALL, BY_CONNECTION))
        control, now = world.outside.payment_control, world.clock.now()
        if self._how == BY_CONNECTION:
            _stop_connection(world, PaymentsStop.BY_PERSON, is_stopped=True)
        elif self._how == BY_PARTNER:
            control.put_stop(PaymentStop(PARTNER_ID, now))
        else:
            control.put_stop(PaymentStop(EVERY_PARTNER, now))
        return self._how

    def end(self, world: World) -> str:
        control = world.outside.payment_control
        control.clear_stop(PARTNER_ID)
        control.clear_stop(EVERY_PARTNER)
        _stop_connection(world, PaymentsStop.BY_PERSON, is_stopped=False)
        return "allowed"


def _release_brake(world: World) -> str:
    """A person says that so many payments are meant."""
    problems = world.outside.problems.open_of_connection(PARTNER_ID, CONNECTION_ID)
    shown = [e for e in problems.values() if e.code is ProblemCode.UNUSUALLY_MANY_PAYMENTS]
    if not shown:
        return "the brake is not shown"
    problem_id = shown[0].problem_id

    def approve(wiring: Wiring) -> object:
        return wiring.problem_actions.act(PARTNER_ID, problem_id, Action.APPROVE)

    invocation = world.invoke("dashboard_api", API_TIMEOUT_SECONDS, approve)
    return f"a person approves of so many payments: {invocation.has_succeeded}"


def _stop_connection(world: World, stop: PaymentsStop, *, is_stopped: bool) -> None:
    stored = world.outside.connections.get(CONNECTION_ID)
    assert stored.value is not None
    changed = stored.value.with_payments_stopped(stop, is_stopped=is_stopped)
    if changed != stored.value:
        world.outside.connections.save(changed, expected_version=stored.version)


# --- what must hold ------------------------------------------------------------------------------


class StopsHold(Invariant):
    """Nothing is stated any more once a stop has held for as long as a worker lives."""

    name = "stops hold"
    watches = ("ledger",)

    def __init__(self) -> None:
        self._stopped_at: datetime | None = None

    def after_call(self, world: World, call: PortCall, result: object) -> None:
        if call.port != "ledger":
            return
        control = world.outside.payment_control
        is_stopped = control.stop_of(PARTNER_ID) or world.connection.payments_stopped
        if not is_stopped:
            self._stopped_at = None
            return
        now = world.clock.now()
        self._stopped_at = self._stopped_at or now
        longest = timedelta(seconds=WRITE_BACK_SECONDS)
        may_send = world.worker is not None and not world.worker.outlives_deadline
        if now - self._stopped_at > longest and may_send and just_stated(call):
            world.violate(self.name, f"stated at {now}, stopped since {self._stopped_at}")


class BrakeHasCause(Invariant):
    """The brake stops a connection only when more is posted in an hour than the stated multiple
    of the busiest hour before."""

    name = "the brake has a cause"
    watches = ("payment_control.save_rate", "connections.save")

    def __init__(self) -> None:
        self._hour: datetime | None = None
        self._posts = 0
        self._busiest = 0
        self._is_stopped = False

    def after_call(self, world: World, call: PortCall, result: object) -> None:
        is_driven = world.worker is not None and world.worker.function in DRIVERS
        if call.name == "payment_control.save_rate" and is_driven:
            self._count(world)
        elif call.name == "connections.save":
            connection = call.arguments[0]
            assert isinstance(connection, Connection)
            self._note_stop(world, PaymentsStop.UNUSUALLY_MANY in connection.payments_stopped)

    def _count(self, world: World) -> None:
        assert world.worker is not None
        hour = world.worker.now().replace(minute=0, second=0, microsecond=0)
        if self._hour is None or hour > self._hour:
            self._busiest = max(self._busiest, min(self._posts, self._limit(world)))
            self._hour, self._posts = hour, 0
        self._posts += 1
        if self._posts > self._limit(world):
            world.note_fault("brake: more posts than ever")

    def _limit(self, world: World) -> int:
        assert isinstance(world, PaymentWorld)
        return max(world.payments_at_first, MULTIPLE_OF_BUSIEST * self._busiest)

    def _note_stop(self, world: World, is_stopped: bool) -> None:
        if self._is_stopped and not is_stopped:
            self._busiest = max(self._busiest, self._posts)
        if is_stopped and not self._is_stopped and self._posts <= self._limit(world):
            world.violate(self.name, f"{self._posts} posts, {self._limit(world)} are usual")
        self._is_stopped = is_stopped
