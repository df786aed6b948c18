"""A reversal whose follow-up was left while the connection was down is followed up."""

from __future__ import annotations

from dataclasses import replace

from bridge.domain.connection import ConnectionState
from bridge.domain.write_back import Reason, WriteBackState
from bridge.wiring import use_cases
from tests.unit.payments.bench import Bench


def test_a_follow_up_that_waited_is_made_and_its_problem_closes(bench: Bench) -> None:
    write_back = bench.collect(5000)
    bench.drive(write_back)
    bench.undo()
    reversed_one = bench.drive(write_back)
    assert reversed_one.state is WriteBackState.REVERSED
    bench.ledger.arrange(replace(reversed_one, wants_follow_up=True, due_at=bench.clock.now()))
    bench.save_connection(state=ConnectionState.DISCONNECTED)
    assert bench.drive(write_back).reason is Reason.DISCONNECTED
    connection = bench.save_connection(state=ConnectionState.ACTIVE)

    use_cases.reconnected_write_backs(bench).wake(connection)

    followed_up = bench.drive(write_back)
    assert (followed_up.reason, followed_up.wants_follow_up) == (Reason.NONE, False)
    assert bench.open_problems() == []
