"""Workers that are frozen with a change in their hands, and wake when their time may be over."""

from __future__ import annotations

from datetime import timedelta

from tests.simulation.parts import Fault
from tests.simulation.payments.statements import just_stated
from tests.simulation.watching import PortCall
from tests.simulation.world import World

DRIVERS = frozenset({"writebacks", "payment_writeback"})
LONGEST_AFTER_INTENT_SECONDS = 1_500.0
LONGEST_AT_SOCKET_SECONDS = 300.0
"""What was handed over counts as sent; with what ConnectWise takes it stays below the assumed."""
MAX_DEPTH = 2
_SENT = frozenset({"http.post", "http.delete"})


class FrozenWorkers(Fault):
    """A worker is frozen before or after it states an intent, or with the request at the socket.

    It goes on after its time-out, as if nobody had ended it: the lease's token and its own clock
    must keep it from sending what it had not handed over.
    """

    name = "frozen worker"

    def __init__(
        self, rate: float, *, at_socket_seconds: float = LONGEST_AT_SOCKET_SECONDS
    ) -> None:
        self._rate = rate
        self._at_socket_seconds = at_socket_seconds

    def before_call(self, world: World, call: PortCall) -> None:
        if just_stated(call) and self._strikes(world):
            self._freeze(world, "before its intent", LONGEST_AFTER_INTENT_SECONDS)
        is_payment = call.name in _SENT and "/payments" in str(call.arguments[0].url)  # type: ignore[attr-defined]
        if is_payment and self._strikes(world):
            self._freeze(world, "at the socket", self._at_socket_seconds)

    def after_call(self, world: World, call: PortCall) -> None:
        if just_stated(call) and self._strikes(world):
            self._freeze(world, "after its intent", LONGEST_AFTER_INTENT_SECONDS)

    def _strikes(self, world: World) -> bool:
        worker = world.worker
        is_driver = worker is not None and worker.function in DRIVERS
        if not is_driver or world.depth > MAX_DEPTH:
            return False
        return world.random.random() < self._rate

    def _freeze(self, world: World, where: str, longest_seconds: float) -> None:
        worker = world.worker
        assert worker is not None
        seconds = world.random.uniform(5, longest_seconds)
        world.note_fault(f"{self.name}: {where}")
        world.note(
            f"{'  ' * world.depth}      a worker is frozen {where} for {seconds:.0f} seconds"
        )
        worker.outlives_deadline = True
        began_at = world.clock.now()
        until = began_at + timedelta(seconds=seconds)
        while world.clock.now() < until and not world.violations:
            left = (until - world.clock.now()).total_seconds()
            world.clock.advance(seconds=min(left, world.random.uniform(1, 60)))
            world.step()
        world.note_trouble()
        worker.frozen_seconds += (world.clock.now() - began_at).total_seconds()


def overtime_seconds(world: World) -> float:
    """Return for how long the worker at work has outlived its time: so much earlier must take
    effect what it sends."""
    return max(0.0, -world.worker.remaining_seconds()) if world.worker else 0.0
