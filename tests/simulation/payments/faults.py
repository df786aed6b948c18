"""What goes wrong with payments in particular: late requests, the ledger's transactions, rivals."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import httpx

from bridge.domain.errors import BridgeError, ConflictError, UnavailableError
from bridge.domain.write_back import Timings
from connectwise_sandbox.faults import Effect
from connectwise_sandbox.faults import Fault as EngineFault
from tests.simulation.functions import WRITE_BACK_SECONDS
from tests.simulation.parts import Actor, Fault
from tests.simulation.payments.frozen_workers import overtime_seconds
from tests.simulation.payments.world import PaymentWorld
from tests.simulation.watching import PortCall
from tests.simulation.wiring import Wiring
from tests.simulation.world import World

LEDGER_WRITES = frozenset(
    {
        "ledger.record",
        "ledger.move_payment",
        "ledger.save_write_back",
        "ledger.take_lease",
        "ledger.release_lease",
    }
)
CHANGES = frozenset({"POST", "PATCH", "DELETE"})
EFFECTS = (
    Effect.LATE_EFFECT,
    Effect.LATE_EFFECT,
    Effect.TIMEOUT_AFTER_EFFECT,
    Effect.CUT_AFTER_EFFECT,
    Effect.STATUS_500_AFTER_EFFECT,
    Effect.STATUS_502_HTML_AFTER_EFFECT,
    Effect.TRUNCATED_JSON,
    Effect.TIMEOUT_BEFORE_EFFECT,
    Effect.CUT_BEFORE_EFFECT,
    Effect.STATUS_500,
    Effect.STATUS_502_HTML,
    Effect.STATUS_429,
)


class UnclearChanges(Fault):
    """Posts, deletions and patches lose their answers, before or after they took effect, or take
    effect late, though never later than the bridge assumes."""

    name = "unclear change"

    def __init__(
        self,
        rate: float,
        *,
        latest_seconds: float | None = None,
        earliest_seconds: float = 1.0,
        methods: Collection[str] = CHANGES,
        effects: Sequence[Effect] = EFFECTS,
    ) -> None:
        self._rate = rate
        self._methods = methods
        self._effects = effects
        self._earliest_seconds = earliest_seconds
        self._latest_seconds = latest_seconds or Timings().in_flight_seconds

    def on_request(self, world: World, request: httpx.Request) -> EngineFault | None:
        is_change = request.method in self._methods and "/finance/" in request.url.path
        if not is_change or world.random.random() >= self._rate:
            return None
        effect = world.random.choice(self._effects)
        world.note_fault(f"{self.name}: {effect.value}")
        latest = max(1.0, self._latest_seconds - overtime_seconds(world))
        seconds = world.random.uniform(min(self._earliest_seconds, latest), latest)
        return EngineFault(effect=effect, retry_after=world.random.randint(1, 90), seconds=seconds)


class BadLedger(Fault):
    """Transactions collide, and answers of the ledger get lost."""

    name = "ledger"

    def __init__(self, rate: float) -> None:
        self._rate = rate

    def before_call(self, world: World, call: PortCall) -> None:
        if call.port != "ledger" or world.random.random() >= self._rate / 2:
            return
        if call.name in LEDGER_WRITES and world.random.random() < 0.5:
            world.note_fault("ledger: transaction conflict")
            raise ConflictError("simulated transaction conflict")
        world.note_fault("ledger: unavailable")
        raise UnavailableError("simulated failure")

    def after_call(self, world: World, call: PortCall) -> None:
        if call.name not in LEDGER_WRITES or world.random.random() >= self._rate / 2:
            return
        if world.random.random() < 0.5:
            world.note_fault("ledger: conflict with our own write")
            raise ConflictError("simulated conflict with our own write")
        world.note_fault("ledger: answer lost")
        raise UnavailableError("simulated lost answer")


class Rivals(Actor):
    """A second worker on a write-back, though the queue should keep it away."""

    name = "rival"

    def __init__(self) -> None:
        self._has_work = False

    def weight(self, world: World) -> float:
        if world.is_calm or not world.depth:
            return 0.0
        if not self._has_work:
            assert isinstance(world, PaymentWorld)
            self._has_work = bool(world.write_backs())
        return 2.0 if self._has_work else 0.0

    def act(self, world: World) -> str:
        assert isinstance(world, PaymentWorld)
        write_back = world.random.choice(world.write_backs())
        ids = (write_back.connection_id, write_back.write_back_id)

        def drive(wiring: Wiring) -> None:
            try:
                wiring.write_back_worker.drive(*ids)
            except BridgeError as error:
                world.note_error(self.name, error)

        world.interleavings += 1
        world.invoke("payment_writeback", WRITE_BACK_SECONDS, drive)
        return f"{write_back.payment_id} on {write_back.invoice_source_id}"
