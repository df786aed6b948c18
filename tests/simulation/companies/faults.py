"""What goes wrong with companies in particular."""

from __future__ import annotations

from bridge.domain.errors import ConflictError, UnavailableError
from tests.simulation.companies.admins import SET_UPS
from tests.simulation.parts import Fault
from tests.simulation.watching import PortCall, SimulatedCrashError
from tests.simulation.world import World

PORTS = frozenset({"companies", "connections", "vault", "payment_control", "silences"})
WRITES = frozenset(
    {
        "companies.save",
        "connections.save",
        "vault.put_credentials",
        "vault.replace_credentials",
    }
)


class SetUpCrashes(Fault):
    """Whoever connects, disconnects, moves or changes keys dies between any two steps."""

    name = "crash of a set-up"

    def __init__(self, rate: float) -> None:
        self._rate = rate

    def before_call(self, world: World, call: PortCall) -> None:
        worker = world.worker
        if worker is None or worker.function not in SET_UPS:
            return
        if world.random.random() < self._rate / 2:
            world.note_fault(self.name)
            raise SimulatedCrashError(f"at {call.name}")

    after_call = before_call


class BadPorts(Fault):
    """The stores of companies and connections fail, collide, and lose answers."""

    name = "companies"

    def __init__(self, rate: float) -> None:
        self._rate = rate

    def before_call(self, world: World, call: PortCall) -> None:
        if call.port not in PORTS or world.random.random() >= self._rate / 2:
            return
        if call.name in WRITES and call.port != "vault" and world.random.random() < 0.5:
            world.note_fault("companies: transaction conflict")
            raise ConflictError("simulated transaction conflict")
        world.note_fault("companies: unavailable")
        raise UnavailableError("simulated failure")

    def after_call(self, world: World, call: PortCall) -> None:
        if call.name not in WRITES or world.random.random() >= self._rate / 2:
            return
        world.note_fault("companies: answer lost")
        raise UnavailableError("simulated lost answer")
