"""What the person on call watches: how late payments are."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bridge.connections.visit import Visit
from bridge.ports import Measure
from tests.unit.payments.bench import Bench
from tests.unit.payments.turns_bench import TurnsBench


def test_the_way_of_a_payment_is_measured_once(bench: Bench) -> None:
    # Given a payment that waited for 40 seconds
    write_back = bench.collect()
    bench.wait(40)
    # When it is written, and looked at again later
    bench.drive(write_back)
    bench.drive_when_due(write_back)
    # Then its way is measured, with its names to search by
    (noted,) = bench.metrics.of(Measure.PAYMENT_TO_CONNECTWISE)
    assert noted.value == pytest.approx(40, abs=5)
    assert noted.names == {
        "partner_id": write_back.partner_id,
        "connection_id": write_back.connection_id,
        "write_back_id": write_back.write_back_id,
    }


def test_what_is_not_written_is_not_measured(bench: Bench) -> None:
    bench.lock_invoice()
    bench.drive(bench.collect())
    assert bench.metrics.of(Measure.PAYMENT_TO_CONNECTWISE) == []


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> TurnsBench:
    return TurnsBench(monkeypatch)


def test_each_minute_tells_how_late_the_latest_is(turns: TurnsBench) -> None:
    turns.due.wake()
    turns.collect(2, after=timedelta(minutes=1))
    turns.clock.advance(minutes=31)
    turns.due.wake()
    values = [noted.value for noted in turns.metrics.of(Measure.OLDEST_DUE_WRITE_BACK)]
    assert values == [0, 1800]


def test_nobody_is_woken_for_a_partners_silent_server(turns: TurnsBench) -> None:
    (late,) = turns.collect(1)
    leave = turns.servers.leave_to_ask(late.connection_id)
    turns.servers.note(late.connection_id, leave, Visit.UNANSWERED)
    turns.clock.advance(hours=1)
    turns.due.wake()
    assert [noted.value for noted in turns.metrics.of(Measure.OLDEST_DUE_WRITE_BACK)] == [0]
