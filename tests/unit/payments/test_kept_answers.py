"""An answer of ConnectWise is stored together with what the invoice shows next."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from bridge.domain.errors import LeaseTakenError
from bridge.domain.hint import Hint
from bridge.domain.read_mark import SETTLING
from bridge.domain.write_back import WriteBack, WriteBackState
from connectwise_sandbox.faults import Effect
from connectwise_sandbox.httpx_transport import EngineTransport
from tests.fakes.ledger import InMemoryLedgerStore
from tests.unit.payments.bench import Bench

S = WriteBackState


class SteppingLedger(InMemoryLedgerStore):
    """It notes what each save stores and owns, and may die at one of them."""

    steps: list[tuple[S, int | None]]
    dies_at: int = 10

    def save_write_back(self, write_back: WriteBack, **step: Any) -> int:
        self.steps.append((write_back.state, step.get("own_psa_payment_id")))
        if len(self.steps) == self.dies_at:
            raise KeyboardInterrupt("the worker is killed")
        return super().save_write_back(write_back, **step)


@pytest.fixture
def bench() -> Bench:
    bench = Bench(paid_status_id=None)
    ledger: Any = bench.ledger
    ledger.__class__ = SteppingLedger
    ledger.steps = []
    return bench


def steps(bench: Bench) -> list[tuple[S, int | None]]:
    ledger: Any = bench.ledger
    return ledger.steps  # type: ignore[no-any-return]


def is_free(bench: Bench) -> bool:
    """Tell whether the next payment of the invoice may go on."""
    try:
        bench.ledger.take_lease(
            books=bench.connection.books,
            invoice_source_id=bench.invoice_id,
            holder_id="another",
            now=bench.clock.now(),
            until=bench.clock.now() + timedelta(minutes=1),
        )
    except LeaseTakenError:
        return False
    return True


def test_a_payment_is_stated_and_then_confirmed_in_one_step(bench: Bench) -> None:
    done = bench.drive(bench.collect(5000))

    assert done.has_ended
    assert steps(bench) == [(S.POSTING, None), (S.CONFIRMED, bench.rows()[0]["id"])]
    assert is_free(bench)


FAILS: dict[str, Callable[[Bench], None]] = {
    "no answer": lambda b: b.fault(Effect.TIMEOUT_BEFORE_EFFECT, "GET", skip=2, times=20),
    "a fault of its own": lambda b: b.fault(Effect.STATUS_500, "GET", skip=2, times=20),
    "refused": lambda b: b.fault(Effect.TEXT_400, "GET", skip=2, times=20),
    "cut": lambda b: b.fault(Effect.TRUNCATED_JSON, "GET", skip=2, times=20),
}


@pytest.mark.parametrize("fail", FAILS.values(), ids=FAILS)
def test_the_answer_is_stored_though_the_invoice_cannot_be_read_back(
    bench: Bench, fail: Callable[[Bench], None]
) -> None:
    fail(bench)
    write_back = bench.collect(5000)

    after = bench.drive(write_back)

    assert after.psa_payment_id == bench.rows()[0]["id"]
    assert after.unproven_posts == ()
    assert steps(bench)[1][1] == after.psa_payment_id, "owned in the step that stores it"
    assert not after.has_ended or after.needs_person
    bench.engine.faults.clear()
    assert bench.drive_when_due(write_back).psa_payment_id == after.psa_payment_id
    assert bench.amounts() == [Decimal("50.00")]


def test_a_worker_that_dies_with_the_answer_leaves_a_stated_post_that_is_found(
    bench: Bench,
) -> None:
    ledger: Any = bench.ledger
    ledger.dies_at = 2
    write_back = bench.collect(5000)
    with pytest.raises(KeyboardInterrupt):
        bench.drive(write_back)
    assert bench.stored(write_back).state is S.POSTING
    assert not is_free(bench), "nobody posts beside it"

    done = bench.drive_when_due(write_back)

    assert (done.state, done.psa_payment_id) == (S.CONFIRMED, bench.rows()[0]["id"])
    assert bench.amounts() == [Decimal("50.00")]


def test_an_answer_holds_though_the_payment_is_returned_before_it_is_stored(bench: Bench) -> None:
    """Given a return that comes while the invoice is read back."""
    transport = EngineTransport(bench.engine, wait=bench.clock.sleep)
    asked: list[str] = []

    def undo_at_read_back(request: httpx.Request) -> httpx.Response:
        asked.append(request.method)
        if asked == ["GET", "GET", "POST", "GET"]:
            bench.undo()
        return transport.handle_request(request)

    write_back = bench.collect(5000)
    bench.drive(write_back, gateway=bench.world.gateway(httpx.MockTransport(undo_at_read_back)))

    made = next(own for _, own in steps(bench) if own)
    after = bench.drive_when_due(write_back)
    assert (after.state, after.psa_payment_id) == (S.REVERSED, made)
    assert bench.rows() == []


# --- the mirror --------------------------------------------------------------------------------


def hint_after(bench: Bench) -> Hint:
    (message,) = bench.hints.waiting
    assert message.due_at - bench.clock.now() > SETTLING, "the callback's read comes first"
    return message.body


def test_a_read_that_began_after_the_payment_was_read_back_serves_our_hint(bench: Bench) -> None:
    before = bench.clock.now()
    assert bench.drive(bench.collect(5000)).has_ended
    came_at = hint_after(bench).came_at
    assert came_at is not None
    assert before <= came_at + SETTLING <= bench.clock.now()


def test_a_payment_that_nothing_showed_yet_wants_a_read_after_a_while(bench: Bench) -> None:
    bench.fault(Effect.CUT_BEFORE_EFFECT, "POST")
    assert bench.drive(bench.collect(5000)).state is S.UNCLEAR
    assert hint_after(bench).came_at == bench.clock.now()
