"""A call that the worker's own time cut short tells apart a slow server and a busy worker."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from bridge.connectwise.failures import FAIR_WAIT_SECONDS
from bridge.domain.errors import KeptWaitingError, OutOfTimeError, TooHeavyError
from bridge.domain.identity import RecordKind
from tests.fakes.clock import FakeClock
from tests.unit.connectwise.sandbox import World, sandboxed_world


class Silent(httpx.BaseTransport):
    """A ConnectWise that takes requests and never answers, as long as one waits."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._clock.sleep(request.extensions["timeout"]["read"])
        raise httpx.ReadTimeout("no answer")


def read(world: World, *, seconds_left: float) -> Any:
    world.clock.set_remaining(seconds_left)
    return world.gateway(Silent(world.clock)).open(world.connection).count(RecordKind.INVOICE)


def test_a_worker_with_little_time_says_nothing_of_the_server() -> None:
    with pytest.raises(OutOfTimeError) as raised:
        read(sandboxed_world(), seconds_left=FAIR_WAIT_SECONDS)
    assert not isinstance(raised.value, KeptWaitingError)


def test_a_server_that_let_a_worker_wait_for_long_kept_silent() -> None:
    with pytest.raises(KeptWaitingError):
        read(sandboxed_world(), seconds_left=FAIR_WAIT_SECONDS + 3)


def test_a_call_that_had_all_its_time_is_too_slow() -> None:
    with pytest.raises(TooHeavyError):
        read(sandboxed_world(), seconds_left=600)
