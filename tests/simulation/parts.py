"""The three kinds of parts that a world is put together from."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

    from connectwise_sandbox.faults import Fault as EngineFault
    from tests.simulation.watching import PortCall
    from tests.simulation.wire import LightRequest, LightResponse
    from tests.simulation.world import World


class Actor:
    """Somebody who does something now and then."""

    name = "actor"

    def weight(self, world: World) -> float:
        """Return how likely it acts next, compared with the others; 0 when it cannot."""
        raise NotImplementedError

    def act(self, world: World) -> str:
        """Do one thing and return in a few words what it was."""
        raise NotImplementedError

    def calm_down(self, world: World) -> None:
        """Put right whatever it keeps broken; called once, when the bad days are over."""


class Fault:
    """Something that can go wrong at a certain point, until the bad days are over."""

    name = "fault"

    def before_call(self, world: World, call: PortCall) -> None:
        """May raise what the port may raise, or SimulatedCrashError; nothing has happened then."""

    def after_call(self, world: World, call: PortCall) -> None:
        """The same, when the call has taken effect."""

    def before_write(self, world: World) -> None:
        """May raise SimulatedCrashError before one of the writes that a record's save takes."""

    def on_request(self, world: World, request: httpx.Request) -> EngineFault | None:
        """Return what befalls a request to ConnectWise, if anything."""
        return None

    def on_answer(
        self, world: World, request: LightRequest, answer: LightResponse
    ) -> LightResponse:
        """Return what the bridge gets in place of ConnectWise's answer, or the answer."""
        return answer

    def on_message(self, world: World, queue: str) -> timedelta | None:
        """Return how late a message comes that was just sent well; None when it is lost."""
        return timedelta(0)

    def repeats(self, world: World, what: str) -> bool:
        """Tell whether something that comes at least once (a message, a tick) comes again."""
        return False

    def calm_down(self, world: World) -> None:
        """Called once, when the bad days are over."""


class Invariant:
    """Something that must hold, at every step or after the bad days.

    It looks at the calls, or at all calls of the ports, that ``watches`` names; None means all.
    """

    name = "invariant"
    watches: Collection[str] | None = None

    def after_call(self, world: World, call: PortCall, result: object) -> None:
        """Look at a port call that took effect; report with ``world.violate``."""

    def at_end(self, world: World) -> None:
        """Look at the world after everything has come to rest."""
