"""What waited for a connection goes on at once when it is connected again."""

from __future__ import annotations

from bridge.connections.connect import ConnectionRequest
from bridge.domain.connection import Connection, ConnectionState, Credentials
from bridge.domain.identity import mirrored_id
from bridge.domain.platform_payment import Allocation
from bridge.domain.write_back import Reason, WriteBack, WriteBackState
from bridge.domain.write_back.changes import hand_over
from bridge.wiring import use_cases
from connectwise_sandbox.faults import Effect
from tests.builders.payments import a_platform_payment, write_backs_for
from tests.unit.dashboard_api.world import World
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


def test_connecting_again_wakes_them_itself() -> None:
    """Given a payment that waits for the connection, the partner connects the company again."""
    world = World()
    request = ConnectionRequest("partner-a", Credentials("acme", "public", "private"))
    connection = world.connector.connect(request)
    world.disconnector.disconnect("partner-a", connection.connection_id)
    waiting = hand_over(a_write_back_of(connection), Reason.DISCONNECTED)
    world.ledger.arrange(waiting)
    use_cases.write_back_problems(world).show(waiting)
    world.connector.connect(request)
    woken = [each.write_back_id for each in world.write_back_queue.write_backs]
    assert woken == [waiting.write_back_id]
    stored = world.ledger.get_write_back(connection.connection_id, waiting.write_back_id).value
    assert stored is not None
    assert (stored.state, stored.acts_at) == (S.PENDING, world.clock.now())


def a_write_back_of(connection: Connection) -> WriteBack:
    invoice_id = mirrored_id(connection.connection_id, 1001)
    payment = a_platform_payment(
        partner_id=connection.partner_id, allocations=(Allocation(invoice_id, 11000),)
    )
    (write_back,) = write_backs_for(payment)
    return write_back
