"""R1: a payment is in ConnectWise exactly once, or stands as an open problem."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from bridge.domain.connection import ConnectionState
from bridge.domain.problem import ProblemCode
from bridge.domain.write_back import Timings, WriteBackState
from connectwise_sandbox.faults import Effect
from tests.unit.payments.bench import QUARANTINE_SECONDS, Bench

S = WriteBackState


def test_nothing_is_posted_beside_a_post_that_may_still_land() -> None:
    # Given a post without an answer
    bench = Bench()
    bench.fault(Effect.LATE_EFFECT, "POST", seconds=590)
    unclear, waiting = bench.collect(5000, "pay-1"), bench.collect(6000, "pay-2")
    bench.drive(unclear)

    # When a worker comes for another payment of the same invoice, right away and near the end
    for seconds in (0, QUARANTINE_SECONDS - 120):
        bench.wait(seconds)
        bench.drive(waiting)

        # Then it waits until the first one is surely over
        assert bench.stored(waiting).posts == 0
        assert bench.stored(waiting).due_at == bench.stored(unclear).due_at

    # And then both are written, once each
    for write_back in (unclear, waiting):
        bench.drive_when_due(write_back)
    assert sorted(bench.amounts()) == [Decimal("50.00"), Decimal("60.00")]


@pytest.mark.parametrize("part", ["worker_seconds", "in_flight_seconds", "read_lag_seconds"])
def test_each_part_of_an_attempts_life_lengthens_the_quarantine(part: str) -> None:
    timings = Timings()
    longer = replace(timings, **{part: getattr(timings, part) + 7})
    assert (longer.quarantine - timings.quarantine).total_seconds() == 7


@pytest.mark.parametrize(
    "changes", [{"state": ConnectionState.DISCONNECTED}, {"member_identifier": ""}]
)
def test_a_payment_that_nobody_can_write_is_an_open_problem(changes: dict[str, object]) -> None:
    bench = Bench()
    bench.save_connection(**changes)

    bench.drive(bench.collect())

    assert [problem.code for problem in bench.open_problems()] == [ProblemCode.PAYMENT_NOT_WRITTEN]
    assert bench.rows() == []
