"""A worker takes the turns that its work needs together, and no old ones count."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.connectwise import held_turns
from bridge.connectwise.held_turns import HeldTurns
from bridge.domain.call_turns import MOST_TURNS, TURN_LIFE
from bridge.domain.errors import ThrottledError
from bridge.ports import CallPurpose
from tests.builders.records import CONNECTION, OTHER_CONNECTION
from tests.fakes.clock import START, FakeClock
from tests.fakes.coordination import InMemoryRateLimiter

CALL_SECONDS = 0.2
CALLS_A_MINUTE = 900
MOST_AT_ONCE = CALLS_A_MINUTE * TURN_LIFE.total_seconds() / 60 + 2
"""What comes due in a turn's life may be made at its end."""


class Worker:
    """Makes calls one after the other, each of which takes a while."""

    def __init__(self, clock: FakeClock, schedules: InMemoryRateLimiter | None = None) -> None:
        self.clock = clock
        self.schedules = schedules or InMemoryRateLimiter(clock)
        self.turns = HeldTurns(self.schedules, clock)

    def call(
        self, connection_id: str = CONNECTION, purpose: CallPurpose = CallPurpose.MIRROR
    ) -> float:
        wait = self.turns.acquire(connection_id, purpose)
        self.clock.advance(seconds=wait + CALL_SECONDS)
        return wait


@pytest.fixture
def worker() -> Worker:
    return Worker(FakeClock())


# --- what they cost ----------------------------------------------------------------------------


def test_bulk_work_writes_a_tenth_of_its_calls_at_most(worker: Worker) -> None:
    for _ in range(200):
        worker.call()
    assert worker.schedules.writes <= 20


def test_three_calls_in_flight_write_a_fifteenth(worker: Worker) -> None:
    for _ in range(300):
        worker.clock.advance(seconds=worker.turns.acquire(CONNECTION) + CALL_SECONDS / 3)
    assert worker.schedules.writes <= 300 / MOST_TURNS + 4


def test_callbacks_of_many_tenants_write_once_for_two_calls(worker: Worker) -> None:
    for tenant in range(20):
        worker.call(f"connection-{tenant}")
        worker.call(f"connection-{tenant}")
    assert worker.schedules.writes == 20


def test_callbacks_of_one_tenant_write_once_for_two_calls(worker: Worker) -> None:
    for _ in range(20):
        worker.call()
        worker.call()
        worker.clock.advance(minutes=1)
    assert worker.schedules.writes == 20


def test_single_calls_take_one_turn_each_once_that_is_usual(worker: Worker) -> None:
    worker.call()
    worker.clock.advance(minutes=1)
    worker.call()
    assert worker.turns.acquire(CONNECTION) == 0
    assert worker.schedules.writes == 3


@pytest.mark.parametrize("calls", [4, 5])
def test_a_write_back_writes_twice_at_most(worker: Worker, calls: int) -> None:
    for _ in range(10):
        waits = [worker.call(purpose=CallPurpose.WRITE_BACK) for _ in range(calls)]
        assert waits == [0] * calls
        worker.clock.advance(seconds=10)
    assert worker.schedules.writes <= 20


def test_slow_calls_take_as_many_turns_as_they_use(worker: Worker) -> None:
    for _ in range(40):
        worker.clock.advance(seconds=worker.turns.acquire(CONNECTION) + 1.5)
    # Then another worker's calls find the tenant free
    assert worker.schedules.acquire(CONNECTION) == 0


# --- what they may -----------------------------------------------------------------------------


def test_a_thawed_workers_old_turns_are_void(worker: Worker) -> None:
    for _ in range(20):
        worker.call()
    before = worker.schedules.writes
    worker.clock.advance(hours=1)
    worker.call()
    assert worker.schedules.writes == before + 1


def test_a_pause_takes_the_turns_that_are_held(worker: Worker) -> None:
    worker.turns.acquire(CONNECTION)
    worker.turns.pause(CONNECTION, seconds=20)
    assert worker.turns.acquire(CONNECTION) == pytest.approx(20)
    assert worker.turns.acquire(CONNECTION, CallPurpose.WRITE_BACK) == pytest.approx(20)


def test_a_pause_that_cannot_be_noted_takes_them_too(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(connection_id: str, *, seconds: float) -> None:
        raise ThrottledError("DynamoDB is throttled")

    worker.turns.acquire(CONNECTION)
    monkeypatch.setattr(worker.schedules, "pause", fail)
    with pytest.raises(ThrottledError):
        worker.turns.pause(CONNECTION, seconds=20)
    before = worker.schedules.writes
    worker.turns.acquire(CONNECTION)
    assert worker.schedules.writes == before + 1


def test_turns_belong_to_one_connection_and_one_purpose(worker: Worker) -> None:
    worker.turns.acquire(CONNECTION)
    worker.turns.acquire(OTHER_CONNECTION)
    worker.turns.acquire(CONNECTION, CallPurpose.WRITE_BACK)
    assert worker.schedules.writes == 3


def test_a_look_at_a_tenant_whom_nobody_calls_takes_no_turn(worker: Worker) -> None:
    assert [worker.call(purpose=CallPurpose.LOOK) for _ in range(2)] == [0, 0]
    assert worker.schedules.writes == 0


@pytest.mark.parametrize("other", [CallPurpose.MIRROR, CallPurpose.WRITE_BACK])
def test_a_look_takes_turns_while_others_may_use_theirs(worker: Worker, other: CallPurpose) -> None:
    worker.schedules.take(CONNECTION, other, count=15)
    worker.call(purpose=CallPurpose.LOOK)
    assert worker.schedules.writes == 2
    worker.clock.advance(seconds=5)
    worker.call(purpose=CallPurpose.LOOK)
    assert worker.schedules.writes == 2


def test_a_look_waits_while_a_pause_lasts(worker: Worker) -> None:
    worker.schedules.pause(CONNECTION, seconds=20)
    assert worker.turns.acquire(CONNECTION, CallPurpose.LOOK) == pytest.approx(20)


def test_turns_that_come_too_late_are_not_used(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = worker.schedules.take

    def take_slowly(*arguments: object, **named: object) -> tuple[datetime, ...]:
        turns = take(*arguments, **named)  # type: ignore[arg-type]
        worker.clock.advance(seconds=10)
        return turns

    monkeypatch.setattr(worker.schedules, "take", take_slowly)
    with pytest.raises(ThrottledError):
        worker.turns.acquire(CONNECTION)


def test_a_worker_holds_turns_of_a_bounded_number_of_connections(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_turns, "MAX_HELD", 3)
    for tenant in range(4):
        worker.turns.acquire(f"connection-{tenant}")
    worker.turns.acquire("connection-3")
    assert worker.schedules.writes == 4
    worker.turns.acquire("connection-0")
    assert worker.schedules.writes == 5


def test_threads_of_a_worker_share_its_turns_and_each_is_used_once() -> None:
    worker = Worker(FakeClock())
    with ThreadPoolExecutor(8) as pool:
        waits = sorted(pool.map(lambda _: worker.turns.acquire(CONNECTION), range(120)))
    interval_seconds = 1 / 12
    expected = [max(0.0, (n - 11) * interval_seconds) for n in range(120)]
    assert waits == pytest.approx(expected, abs=0.01)


steps = st.lists(
    st.tuples(
        st.integers(0, 3),  # the worker
        st.floats(0, 2.5),  # what passes before
        st.integers(1, 40),  # calls
        st.sampled_from([CallPurpose.MIRROR, CallPurpose.WRITE_BACK]),
    ),
    max_size=60,
)


@given(steps=steps)
def test_interleaved_workers_never_exceed_the_allowance(
    steps: list[tuple[int, float, int, CallPurpose]],
) -> None:
    """In any minute there are 900 calls at most, and those that a turn's life may hold back."""
    clock = FakeClock()
    schedules = InMemoryRateLimiter(clock)
    workers = [HeldTurns(schedules, clock) for _ in range(4)]
    made_at: list[float] = []
    for number, gap_seconds, count, purpose in steps:
        clock.advance(seconds=gap_seconds)
        now_seconds = (clock.now() - START).total_seconds()
        for _ in range(count):
            try:
                made_at.append(now_seconds + workers[number].acquire(CONNECTION, purpose))
            except ThrottledError:
                break
    made_at.sort()
    for first, began in enumerate(made_at):
        for seconds in (1.0, 60.0):
            together = sum(began <= at < began + seconds for at in made_at[first:])
            assert together <= CALLS_A_MINUTE * seconds / 60 + MOST_AT_ONCE


@given(gaps=st.lists(st.floats(0.35, 5), min_size=1, max_size=30), bulk=st.integers(0, 200))
def test_an_import_that_takes_turns_together_keeps_no_write_back_waiting(
    gaps: list[float], bulk: int
) -> None:
    clock = FakeClock()
    schedules = InMemoryRateLimiter(clock)
    importer, payer = HeldTurns(schedules, clock), HeldTurns(schedules, clock)
    for gap_seconds in gaps:
        for _ in range(bulk):
            try:
                importer.acquire(CONNECTION)
            except ThrottledError:
                break
        assert payer.acquire(CONNECTION, CallPurpose.WRITE_BACK) <= 1 / 3
        clock.advance(seconds=gap_seconds)


def test_a_turn_is_good_for_two_seconds() -> None:
    assert timedelta(seconds=2) == TURN_LIFE
