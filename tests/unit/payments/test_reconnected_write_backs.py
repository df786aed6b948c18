"""What waited for a connection goes on at once when it is connected again."""

from __future__ import annotations

from bridge.domain.connection import ConnectionState
from bridge.domain.write_back import Reason, WriteBackState
from bridge.wiring import use_cases
from connectwise_sandbox.faults import Effect
from tests.unit.payments.bench import Bench

S = WriteBackState


def test_an_unclear_post_is_looked_at_at_once(bench: Bench) -> None:
    """Given a post whose effect came while the connection was disconnected for a day."""
    write_back = bench.collect(5000)
    bench.fault(Effect.LATE_EFFECT, "POST", seconds=60)
    assert bench.drive(write_back).state is S.UNCLEAR
    bench.save_connection(state=ConnectionState.DISCONNECTED)
    bench.wait(86_400)
    assert bench.drive(write_back).reason is Reason.DISCONNECTED
    connection = bench.save_connection(state=ConnectionState.ACTIVE)
    assert use_cases.reconnected_write_backs(bench).wake(connection) == 1
    assert bench.drive(write_back).state is S.CONFIRMED
    assert bench.open_problems() == []


def test_a_return_that_waited_is_made_at_once(bench: Bench) -> None:
    write_back = bench.collect(5000)
    bench.drive(write_back)
    bench.undo()
    bench.save_connection(state=ConnectionState.DISCONNECTED)
    assert bench.drive(write_back).reason is Reason.DISCONNECTED
    connection = bench.save_connection(state=ConnectionState.ACTIVE)
    use_cases.reconnected_write_backs(bench).wake(connection)
    assert bench.drive(write_back).state is S.REVERSED
    assert bench.rows() == []
    assert bench.open_problems() == []


def test_what_was_never_sent_is_posted(bench: Bench) -> None:
    write_back = bench.collect(5000)
    bench.save_connection(state=ConnectionState.DISCONNECTED)
    assert bench.drive(write_back).state is S.MANUAL
    connection = bench.save_connection(state=ConnectionState.ACTIVE)
    use_cases.reconnected_write_backs(bench).wake(connection)
    assert bench.drive(write_back).state is S.CONFIRMED
