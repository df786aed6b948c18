"""A worker may die before or after any call it makes; the next ones bring it to the same end."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx
import pytest

from bridge.domain.write_back import WriteBack, WriteBackState
from infra.local.connectwise_sandbox.httpx_transport import EngineTransport
from tests.unit.payments.bench import Bench

MAX_STEPS = 200


class Killed(BaseException):
    """The worker is gone: nothing of it may catch this."""


@dataclass
class Fate:
    """Counts calls, and kills at the given moments: call 1 before, call 1 after, call 2 ..."""

    kills: list[int]
    moments: int = 0

    def pass_on(self) -> None:
        self.moments += 1
        if self.kills and self.moments == self.kills[0]:
            self.kills.pop(0)
            self.moments = 0
            raise Killed

    def call(self, call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        self.pass_on()
        answer = call(*arguments, **named)
        self.pass_on()
        return answer


class Mortal:
    """A port whose every call may be a worker's last."""

    def __init__(self, port: Any, fate: Fate) -> None:
        self._port = port
        self._fate = fate

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._port, name)

        def made(*arguments: Any, **named: Any) -> Any:
            return self._fate.call(call, *arguments, **named)

        return made


def drive(bench: Bench, write_back: WriteBack, fate: Fate) -> None:
    """Drive it through a worker that may die; its message then comes again when it is due."""
    transport = EngineTransport(bench.engine, wait=bench.clock.sleep)
    mortal = httpx.MockTransport(lambda request: fate.call(transport.handle_request, request))
    ports = {
        "ledger": Mortal(bench.ledger, fate),
        "connections": Mortal(bench.connections, fate),
        "hints": Mortal(bench.hints, fate),
        "troubles": Mortal(bench.troubles, fate),
        "gateway": bench.world.gateway(mortal),
    }
    for _ in range(MAX_STEPS):
        now = bench.stored(write_back)
        if now.has_ended or now.due_at is None:
            return
        bench.wait(max(0.0, (now.due_at - bench.clock.now()).total_seconds()))
        try:
            bench.drive(write_back, **ports)
        except Killed:
            bench.wait(1)
    raise AssertionError("it does not end")


def pay(bench: Bench, amount_minor: int, kills: list[int]) -> int:
    """Collect and write a payment; return how many moments of death it had."""
    write_back = bench.collect(amount_minor)
    fate = Fate(kills)
    drive(bench, write_back, fate)
    assert bench.stored(write_back).state is WriteBackState.CONFIRMED
    assert bench.amounts() == [Decimal(amount_minor) / 100]
    assert bench.stored(write_back).psa_payment_id == bench.rows()[0]["id"]
    assert bench.status() == ("Paid in Full" if amount_minor == 11000 else "New")
    return fate.moments


def give_back(bench: Bench, kills: list[int]) -> int:
    """Take the written payment out again; a payment of somebody else stays."""
    write_back = bench.collect(9000)
    others = bench.people.record_payment(bench.invoice_id, Decimal("20.00"))["id"]
    drive(bench, write_back, Fate([]))
    bench.undo()
    fate = Fate(kills)
    drive(bench, write_back, fate)
    assert bench.stored(write_back).state is WriteBackState.REVERSED
    assert [row["id"] for row in bench.rows()] == [others]
    assert bench.status() == "New"
    return fate.moments


JOBS: dict[str, Callable[[Bench, list[int]], int]] = {
    "a full payment": lambda bench, kills: pay(bench, 11000, kills),
    "a partial payment": lambda bench, kills: pay(bench, 4000, kills),
    "a reversal": give_back,
}


@pytest.mark.parametrize("job", JOBS)
def test_a_worker_may_die_at_any_moment(job: str) -> None:
    moments = JOBS[job](Bench(), [])
    assert moments > 20
    for moment in range(1, moments + 1):
        JOBS[job](Bench(), [moment])


@pytest.mark.parametrize("job", JOBS)
def test_two_workers_may_die_one_after_the_other(job: str) -> None:
    """Every third pair of moments; the simulation plays all of them."""
    moments = JOBS[job](Bench(), [])
    pairs = itertools.product(range(1, moments + 1), repeat=2)
    for first, second in itertools.islice(pairs, 0, None, 3):
        JOBS[job](Bench(), [first, second])
