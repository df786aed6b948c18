"""The way from the bridge to ConnectWise, on which each request may be hit by a fault."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import httpx

from tests.simulation.wire import EngineWire, LightRequest, LightResponse

if TYPE_CHECKING:
    from tests.simulation.world import World


class Network(httpx.BaseTransport):
    """Carries requests over, each through the world, and their answers back."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._wire = EngineWire(
            world.engine, wait=lambda seconds: world.clock.advance(seconds=seconds)
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Carry a request over. It is a light one, and so is its answer."""
        light = cast(LightRequest, request)

        def send() -> LightResponse:
            world = self._world
            for on_request in world.on_requests:
                hit = on_request(world, request)
                if hit:
                    world.engine.faults.add(hit)
                    break
            answer = self._wire.send(light)
            for on_answer in world.on_answers:
                answer = on_answer(world, light, answer)
            return answer

        return self._world.pass_through(  # type: ignore[no-any-return]
            ("http", light.method.lower()), send, (light,)
        )
