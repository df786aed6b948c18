"""Two of those who move a write-back at the same moment: neither's word is lost."""

from __future__ import annotations

from typing import Any

import httpx

from bridge.domain.write_back import Lease, Reason, WriteBackState
from bridge.domain.write_back.changes import hand_over
from connectwise_sandbox.faults import Effect
from tests.unit.payments.bench import QUARANTINE_SECONDS, TIMINGS
from tests.unit.payments.mirrored_bench import MirroredBench

S = WriteBackState


def test_a_return_is_not_forgotten_when_the_comparison_finds_ours_again(
    bench: MirroredBench,
) -> None:
    """Given ours, thought to be gone, and returned; its message is lost."""
    write_back = bench.drive(bench.collect(5000))
    bench.save(hand_over(write_back, Reason.PAYMENT_GONE))
    bench.undo()

    bench.compare()

    found = bench.stored(write_back)
    assert bench.ledger.list_due(bench.clock.now(), limit=10) == (found,)
    assert bench.drive(found).state is S.REVERSED
    assert bench.rows() == []


def test_a_problem_stays_open_that_came_while_a_worker_failed(bench: MirroredBench) -> None:
    """Given a follow-up that is not answered, while the comparison finds ours gone."""
    write_back = bench.drive(bench.collect(5000))
    bench.wait(QUARANTINE_SECONDS)
    bench.let_follow_up(write_back)
    bench.people.delete_payment(bench.invoice_id, bench.rows()[0]["id"])
    bench.mirror()

    def compare_meanwhile(_: httpx.Request) -> httpx.Response:
        if not bench.open_problems():
            bench.compare_now()
        return httpx.Response(503)

    gateway = bench.world.gateway(httpx.MockTransport(compare_meanwhile))
    gone = bench.drive(write_back, gateway=gateway)

    assert gone.reason is Reason.PAYMENT_GONE
    assert len(bench.open_problems()) == 1


def test_an_overtaken_worker_leaves_the_lease_of_what_is_under_way(bench: MirroredBench) -> None:
    """Given a second worker of one payment, who looked before the first one stated its post."""
    write_back = bench.collect(5000)
    bench.fault(Effect.TIMEOUT_BEFORE_EFFECT, "POST")
    take_lease = bench.ledger.take_lease

    def late_lease(**place: Any) -> Lease:
        bench.ledger.take_lease = take_lease  # type: ignore[method-assign]
        assert bench.drive(write_back).state is S.UNCLEAR
        return take_lease(**place)

    bench.ledger.take_lease = late_lease  # type: ignore[method-assign]
    unanswered = bench.world.gateway(httpx.MockTransport(lambda _: httpx.Response(503)))
    unclear = bench.drive(write_back, gateway=unanswered)

    other = bench.drive(bench.collect(3000, "pay-2"))
    over_at = TIMINGS.quarantine_end(unclear.unproven_posts[0].stated_at)
    assert (other.state, other.due_at) == (S.PENDING, over_at)
