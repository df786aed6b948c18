"""What goes wrong at a single call: on the way to ConnectWise, in a store, in a worker."""

from __future__ import annotations

from datetime import datetime, timedelta

import httpx

from bridge.domain.errors import ConflictError, UnavailableError
from connectwise_sandbox.faults import Effect
from connectwise_sandbox.faults import Fault as EngineFault
from tests.simulation.parts import Fault
from tests.simulation.watching import PortCall, SimulatedCrashError
from tests.simulation.world import MAX_DEPTH, World

LATEST_MESSAGE_MINUTES = 120
_READ_EFFECTS = tuple(effect for effect in Effect if effect is not Effect.LATE_EFFECT)
_AWS_PORTS = frozenset(
    {"connections", "records", "runs", "problems", "documents", "signing_keys", "vault", "queue"}
)
_VERSIONED_WRITES = frozenset({"records.save", "runs.save", "connections.save"})
_WRITES = _VERSIONED_WRITES | {
    "records.save_tombstone",
    "runs.start",
    "runs.set_watermark",
    "problems.report",
    "problems.resolve",
    "documents.put_pdf",
    "signing_keys.put",
}


class BadNetwork(Fault):
    """Single requests meet 429, 5xx, HTML, half an answer, a time-out, a cut line."""

    name = "bad network"

    def __init__(self, rate: float) -> None:
        self._rate = rate

    def on_request(self, world: World, request: httpx.Request) -> EngineFault | None:
        if world.random.random() >= self._rate:
            return None
        effects = _READ_EFFECTS if request.method == "GET" else tuple(Effect)
        effect = world.random.choice(effects)
        world.note_fault(f"{self.name}: {effect.value}")
        return EngineFault(
            effect=effect,
            retry_after=world.random.randint(1, 90),
            seconds=world.random.uniform(0.5, 40.0),
        )


class Outage(Fault):
    """ConnectWise is down for minutes or hours."""

    name = "outage"

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._until: datetime | None = None

    def on_request(self, world: World, request: httpx.Request) -> EngineFault | None:
        now = world.clock.now()
        if self._until is None or self._until <= now:
            if world.random.random() >= self._rate:
                return None
            minutes = world.random.choice((5, 20, 60, 180, 360))
            self._until = now + timedelta(minutes=minutes)
            world.note(f"      ConnectWise is down for {minutes} minutes")
            world.note_fault(self.name)
        effect = world.random.choice((Effect.STATUS_502_HTML, Effect.TIMEOUT_BEFORE_EFFECT))
        return EngineFault(effect=effect)


class Crashes(Fault):
    """Workers die before and after their calls; their memory is gone."""

    name = "crash"

    def __init__(self, rate: float) -> None:
        self._rate = rate

    def before_call(self, world: World, call: PortCall) -> None:
        if world.random.random() < self._rate / 2:
            self._die(world, "before", call)

    def after_call(self, world: World, call: PortCall) -> None:
        if world.random.random() < self._rate / 2:
            self._die(world, "after", call)

    def _die(self, world: World, when: str, call: PortCall) -> None:
        world.note_fault(self.name)
        raise SimulatedCrashError(f"{when} {call.name}")


class CrashesBetweenWrites(Fault):
    """Workers die between the writes of one save: of a record with many payments."""

    name = "crash between writes"

    def __init__(self, rate: float) -> None:
        self._rate = rate

    def before_write(self, world: World) -> None:
        if world.random.random() < self._rate:
            world.note_fault(self.name)
            raise SimulatedCrashError("between two writes of a record")


class BadStores(Fault):
    """AWS fails before or after it did what it was asked, and writes meet transactions."""

    name = "store"

    def __init__(self, rate: float) -> None:
        self._rate = rate

    def before_call(self, world: World, call: PortCall) -> None:
        if call.port not in _AWS_PORTS or world.random.random() >= self._rate / 2:
            return
        if call.name in _VERSIONED_WRITES and world.random.random() < 0.5:
            world.note_fault("store: transaction conflict")
            raise ConflictError("simulated transaction conflict")
        world.note_fault("store: unavailable")
        raise UnavailableError("simulated failure")

    def after_call(self, world: World, call: PortCall) -> None:
        is_write = call.name in _WRITES or call.port == "queue"
        if not is_write or world.random.random() >= self._rate / 2:
            return
        if call.name in _VERSIONED_WRITES and world.random.random() < 0.5:
            world.note_fault("store: conflict with our own write")
            raise ConflictError("simulated conflict with our own write")
        world.note_fault("store: answer lost")
        raise UnavailableError("simulated lost answer")


class LossyQueues(Fault):
    """A message that was sent well is never seen again, or comes hours later. Of these queues the
    messages are only there for speed: what they ask for is found again without them."""

    name = "message"

    def __init__(self, rate: float, *queues: str) -> None:
        self._rate = rate
        self._queues = queues

    def on_message(self, world: World, queue: str) -> timedelta | None:
        if queue not in self._queues or world.random.random() >= self._rate:
            return timedelta(0)
        if world.random.random() < 0.5:
            world.note_fault(f"{self.name} lost: {queue}")
            return None
        world.note_fault(f"{self.name} late: {queue}")
        return timedelta(minutes=world.random.uniform(1, LATEST_MESSAGE_MINUTES))


class Interleaving(Fault):
    """Somebody else acts in the middle of a worker's work. No fault, but life."""

    name = "interleaving"

    def __init__(self, rate: float) -> None:
        self._rate = rate

    def before_call(self, world: World, call: PortCall) -> None:
        if 0 < world.depth < MAX_DEPTH and world.random.random() < self._rate / 2:
            world.interleavings += 1
            world.step()

    after_call = before_call


class Repetition(Fault):
    """Messages that were deleted come again, and schedules tick twice."""

    name = "repetition"

    def __init__(self, rate: float) -> None:
        self._rate = rate

    def repeats(self, world: World, what: str) -> bool:
        if world.random.random() >= self._rate:
            return False
        world.note_fault(f"{self.name}: {what}")
        return True


class LossyCallbacks(Fault):
    """ConnectWise drops, doubles, delays and reorders its callbacks."""

    name = "callbacks"

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._is_set = False

    def before_call(self, world: World, call: PortCall) -> None:
        if self._is_set:
            return
        self._is_set = True
        switches = world.engine.switches
        switches.callback_drop_rate = self._rate
        switches.callback_duplicate_rate = self._rate
        switches.callback_delay_seconds = 60.0
        switches.callback_reorder_seconds = 600.0

    def calm_down(self, world: World) -> None:
        switches = world.engine.switches
        switches.callback_drop_rate = switches.callback_duplicate_rate = 0.0
        switches.callback_delay_seconds = switches.callback_reorder_seconds = 0.0
