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
from bridge.wiring import use_cases
from connectwise_sandbox.httpx_transport import EngineTransport
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
        "troubles": Mortal(use_cases.write_back_problems(bench), fate),
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


def pay(bench: Bench, amount_minor: int, fate: Fate) -> None:
    """Collect and write a payment."""
    write_back = bench.collect(amount_minor)
    drive(bench, write_back, fate)
    assert bench.stored(write_back).state is WriteBackState.CONFIRMED
    assert bench.amounts() == [Decimal(amount_minor) / 100]
    assert bench.stored(write_back).psa_payment_id == bench.rows()[0]["id"]
    assert bench.status() == ("Paid in Full" if amount_minor == 11000 else "New")


def give_back(bench: Bench, fate: Fate) -> None:
    """Take the written payment out again; a payment of somebody else stays."""
    write_back = bench.collect(9000)
    others = bench.people.record_payment(bench.invoice_id, Decimal("20.00"))["id"]
    drive(bench, write_back, Fate([]))
    bench.undo()
    drive(bench, write_back, fate)
    assert bench.stored(write_back).state is WriteBackState.REVERSED
    assert [row["id"] for row in bench.rows()] == [others]
    assert bench.status() == "New"


def die_at(job: Job, *moments: int) -> bool:
    """Do a job with a worker that dies at the first moment, the next one at the second ...;
    return whether all of them lived that long."""
    fate = Fate(list(moments))
    try:
        job(Bench(), fate)
    except AssertionError as error:
        raise AssertionError(f"workers died at their moments {moments}") from error
    return not fate.kills


Job = Callable[[Bench, Fate], None]
JOBS: dict[str, Job] = {
    "a full payment": lambda bench, fate: pay(bench, 11000, fate),
    "a partial payment": lambda bench, fate: pay(bench, 4000, fate),
    "a reversal": give_back,
}
LEAST_MOMENTS = 20


@pytest.mark.parametrize("job", JOBS)
def test_a_worker_may_die_at_any_moment_and_the_next_one_at_any_of_its_own(job: str) -> None:
    """All moments and all pairs of them: both lives are gone through until they are lived out."""
    scenarios = 0
    for first in itertools.count(1):
        if not die_at(JOBS[job], first):
            break
        for second in itertools.count(1):
            if not die_at(JOBS[job], first, second):
                break
            scenarios += 1

    assert first > LEAST_MOMENTS
    assert scenarios > LEAST_MOMENTS**2 / 2
