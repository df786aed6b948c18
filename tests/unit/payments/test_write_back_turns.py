"""No partner's ConnectWise holds up another partner's payments, and what is put off is found."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from datetime import timedelta
from itertools import islice, pairwise

import pytest

from bridge.connections.silent_servers import LONGEST_WAIT
from bridge.connections.site_turns import LONGEST_PUT_OFF_SECONDS, PLACES, PLACES_OF_A_PARTNER
from bridge.connections.visit import Visit
from bridge.domain.errors import UnavailableError
from bridge.domain.work_messages import LONGEST_DELAY_SECONDS, WriteBackMessage
from bridge.payments.write_back_turns import MAX_PUT_OFFS
from bridge.ports import Activity, Place
from tests.builders.records import CONNECTION, OTHER_CONNECTION, OTHER_PARTNER, PARTNER
from tests.unit.payments.turns_bench import TurnsBench, message_of

PATIENCE_SECONDS = 60


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> TurnsBench:
    return TurnsBench(monkeypatch)


def hold_places(bench: TurnsBench, count: int = PLACES_OF_A_PARTNER) -> None:
    """Let other workers hold places of the first partner for a minute."""
    for _ in range(count):
        until = bench.clock.now() + timedelta(minutes=1)
        assert bench.partner_places.take(
            PARTNER, Activity.WRITE_BACK, places=PLACES_OF_A_PARTNER, until=until
        )


def only_silent(connection_id: str) -> Visit:
    return Visit.UNANSWERED if connection_id == CONNECTION else Visit.ANSWERED


class HangingServer:
    """The first partner's server takes requests, and answers none before it is ``released``."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self._begun = threading.Semaphore(0)

    def mood(self, connection_id: str) -> Visit:
        if connection_id == CONNECTION:
            self._begun.release()
            assert self.released.wait(PATIENCE_SECONDS)
        return only_silent(connection_id)

    def await_visits(self, count: int) -> None:
        for _ in range(count):
            assert self._begun.acquire(timeout=PATIENCE_SECONDS)


# --- places ------------------------------------------------------------------------------------


def test_a_hanging_partner_holds_a_third_of_the_places_and_the_other_is_driven(
    bench: TurnsBench,
) -> None:
    # Given as many workers as there are places, 40 write-backs of a partner whose ConnectWise
    # takes requests and answers none, and behind them ten of another partner
    hanging, others = bench.collect(40), bench.collect(10, OTHER_PARTNER)
    server = HangingServer()
    bench.mood = server.mood
    with ThreadPoolExecutor(PLACES) as pool:
        # When his are worked on at once, and the other's one after the other
        first = [pool.submit(bench.turns.drive, message_of(each)) for each in hanging]
        try:
            server.await_visits(PLACES_OF_A_PARTNER)
            for each in others:
                bench.turns.drive(message_of(each))
            for turn in islice(as_completed(first, PATIENCE_SECONDS), 40 - PLACES_OF_A_PARTNER):
                turn.result()
            # Then the other partner's are all driven while the first one's server still hangs
            assert len(bench.visits_of(OTHER_PARTNER)) == 10
        finally:
            server.released.set()
        for turn in first:
            turn.result(PATIENCE_SECONDS)
    # And those that found no place were put off, without a call
    assert len(bench.visits_of(PARTNER)) == PLACES_OF_A_PARTNER
    assert len(bench.write_back_queue.waiting) == 40 - PLACES_OF_A_PARTNER
    assert bench.partner_places.held == {}


def test_without_a_place_nothing_is_asked_and_the_message_comes_again(bench: TurnsBench) -> None:
    (write_back,) = bench.collect(1)
    hold_places(bench)
    bench.turns.drive(message_of(write_back))
    assert bench.visits == []
    (waiting,) = bench.write_back_queue.waiting
    assert waiting.body == message_of(write_back, 1)
    assert waiting.due_at > bench.clock.now()
    bench.clock.advance(minutes=1)
    assert bench.work() == 1
    assert len(bench.visits) == 1


def test_a_message_is_put_off_for_longer_each_time_and_then_left_to_the_due_list(
    bench: TurnsBench,
) -> None:
    (write_back,) = bench.collect(1)
    hold_places(bench)
    delays = []
    for times in range(MAX_PUT_OFFS):
        bench.turns.drive(message_of(write_back, times))
        (waiting,) = bench.write_back_queue.waiting
        delays.append((waiting.due_at - bench.clock.now()).total_seconds())
        bench.write_back_queue.waiting.clear()
    assert all(2 <= delay <= LONGEST_PUT_OFF_SECONDS for delay in delays)
    assert delays[-1] > 5 > delays[0] - 1
    assert sum(delays) < LONGEST_DELAY_SECONDS
    bench.turns.drive(message_of(write_back, MAX_PUT_OFFS))
    assert bench.write_back_queue.waiting == []
    assert bench.due.wake() == 1


def test_what_no_due_list_holds_is_put_off_for_as_long_as_it_takes(bench: TurnsBench) -> None:
    """Its message may be the only one that brings its problem in step."""
    (write_back,) = bench.collect(1)
    bench.ledger.save_write_back(replace(write_back, due_at=None), expected_version=1)
    hold_places(bench)
    bench.turns.drive(message_of(write_back, 1_000))
    (waiting,) = bench.write_back_queue.waiting
    assert waiting.due_at - bench.clock.now() <= timedelta(seconds=LONGEST_PUT_OFF_SECONDS)


def test_a_place_is_given_back_however_the_visit_ends(bench: TurnsBench) -> None:
    (write_back,) = bench.collect(1)

    def fail(_: str) -> Visit:
        raise RuntimeError("a fault of ours")

    bench.mood = fail
    for _ in range(PLACES + 1):
        with pytest.raises(RuntimeError):
            bench.turns.drive(message_of(write_back))
    assert bench.partner_places.held == {}


def test_a_place_that_cannot_be_given_back_undoes_nothing(
    bench: TurnsBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    (write_back,) = bench.collect(1)

    def fail(_: Place) -> None:
        raise UnavailableError("no table")

    monkeypatch.setattr(bench.partner_places, "release", fail)
    bench.turns.drive(message_of(write_back))
    assert len(bench.visits) == 1


def test_a_worker_that_died_holds_its_place_as_long_as_it_could_have_lived(
    bench: TurnsBench,
) -> None:
    (write_back,) = bench.collect(1)

    class DeadError(BaseException):
        pass

    def die(_: str) -> Visit:
        raise DeadError

    bench.mood = die
    with pytest.raises(DeadError):
        bench.turns.drive(message_of(write_back))
    ((_, until),) = bench.partner_places.held.values()
    assert until == bench.clock.now() + bench.timings.attempt


def test_a_message_about_nothing_is_done(bench: TurnsBench) -> None:
    bench.turns.drive(WriteBackMessage(CONNECTION, "pay-1.1001"))
    bench.turns.drive(WriteBackMessage(CONNECTION, "nonsense"))
    assert bench.visits == []
    assert bench.partner_places.held == {}


# --- servers that do not answer ----------------------------------------------------------------


def test_after_a_visit_without_answer_the_others_are_put_off_at_once(bench: TurnsBench) -> None:
    hanging, (other,) = bench.collect(5), bench.collect(1, OTHER_PARTNER)
    bench.mood = only_silent
    for each in (*hanging, other):
        bench.turns.drive(message_of(each))
    assert len(bench.visits_of(PARTNER)) == 1
    assert len(bench.visits_of(OTHER_PARTNER)) == 1
    assert bench.write_back_queue.waiting == [], "the due list finds them"


def test_a_hanging_server_is_asked_less_and_less_and_once_well_everything_is_driven(
    bench: TurnsBench,
) -> None:
    # Given 120 write-backs whose server is silent for three hours
    write_backs = bench.collect(120)
    bench.mood = only_silent
    for _ in range(180):
        bench.minute()
    # Then it was asked about once in a quarter of an hour, and in the end not more often
    asked = bench.visits_of(PARTNER)
    gaps = [later - sooner for sooner, later in pairwise(asked)]
    assert len(asked) < 20
    assert gaps[0] <= timedelta(minutes=1)
    assert all(LONGEST_WAIT <= gap <= LONGEST_WAIT + timedelta(minutes=1) for gap in gaps[6:])
    assert all(later >= sooner - timedelta(minutes=1) for sooner, later in pairwise(gaps))
    # And messages did not pile up
    assert len(bench.write_back_queue.waiting) == 0
    assert len(bench.write_back_queue.sent) <= 50 + 180
    # When it answers again, then all are driven soon
    bench.mood = lambda _: Visit.ANSWERED
    for _ in range(15 + 5):
        bench.minute()
    driven = {write_back_id for _, _, write_back_id in bench.visits[len(asked) :]}
    assert driven == {each.write_back_id for each in write_backs}


def test_a_silent_server_holds_no_other_partner_up(bench: TurnsBench) -> None:
    bench.collect(600)
    bench.mood = only_silent
    for _ in range(10):
        bench.minute()
    bench.collect(30, OTHER_PARTNER)
    bench.minute()
    assert len(bench.visits_of(OTHER_PARTNER)) == 30


def test_what_is_not_due_is_looked_at_though_its_server_is_silent(bench: TurnsBench) -> None:
    """The driver asks nothing then; it shows what an earlier worker left unsaid."""
    (waiting,) = bench.collect(1, after=timedelta(hours=1))
    bench.mood = lambda _: Visit.UNANSWERED
    first = bench.servers.leave_to_ask(CONNECTION)
    bench.servers.note(CONNECTION, first, Visit.UNANSWERED)
    bench.mood = lambda _: Visit.UNASKED
    bench.turns.drive(message_of(waiting))
    assert len(bench.visits) == 1
    assert not bench.servers.leave_to_ask(CONNECTION).is_given


def test_a_connection_of_another_partner_has_a_silence_of_its_own(bench: TurnsBench) -> None:
    leave = bench.servers.leave_to_ask(CONNECTION)
    bench.servers.note(CONNECTION, leave, Visit.UNANSWERED)
    assert bench.servers.leave_to_ask(OTHER_CONNECTION).is_given


def test_a_message_whose_ledger_is_out_of_reach_comes_again(
    bench: TurnsBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    (write_back,) = bench.collect(1)

    def fail(*_: object, **__: object) -> None:
        raise UnavailableError("no table")

    monkeypatch.setattr(bench.partner_places, "take", fail)
    with pytest.raises(UnavailableError):
        bench.turns.drive(message_of(write_back))
