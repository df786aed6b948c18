"""ConnectWise may answer reads from a copy that lags: a payment waits for the one before it."""

from __future__ import annotations

from decimal import Decimal

import httpx
import pytest

from bridge.domain.write_back import Reason, WriteBackState
from connectwise_sandbox.httpx_transport import EngineTransport
from tests.unit.payments.bench import Bench

S = WriteBackState


@pytest.fixture
def bench() -> Bench:
    return Bench()


class LaggingCopy:
    """Answers each read as it was answered the first time, until it catches up."""

    def __init__(self, bench: Bench) -> None:
        self._inner = EngineTransport(bench.engine, wait=bench.clock.sleep)
        self._answers: dict[str, tuple[int, bytes]] = {}
        self.lags = True

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method != "GET" or not self.lags:
            return self._inner.handle_request(request)
        key = str(request.url)
        if key not in self._answers:
            answer = self._inner.handle_request(request)
            self._answers[key] = answer.status_code, answer.read()
        status, body = self._answers[key]
        return httpx.Response(status, content=body, headers={"Content-Type": "application/json"})


def test_a_payment_waits_until_the_one_before_it_is_listed(bench: Bench) -> None:
    """Given a balance and a list that show neither of them: they agree with each other."""
    copy = LaggingCopy(bench)
    gateway = bench.world.gateway(httpx.MockTransport(copy))
    first = bench.drive(bench.collect(6000), gateway=gateway)
    assert first.state is S.CONFIRMED

    second = bench.collect(6000, payment_id="pay-2")
    assert bench.drive(second, gateway=gateway).state is S.PENDING

    copy.lags = False
    refused = bench.drive_when_due(second)
    assert (refused.state, refused.reason) == (S.MANUAL, Reason.OVERPAYMENT)
    assert bench.amounts() == [Decimal("60.00")]
