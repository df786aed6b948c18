"""A server that does not answer is asked by one visit at a time, each time later."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.connections.silent_servers import (
    FIRST_WAIT,
    LONGEST_WAIT,
    Leave,
    SilentServers,
)
from bridge.connections.visit import Visit
from bridge.wiring import use_cases
from tests.builders.records import CONNECTION
from tests.fakes.ports import InMemoryPorts

SECOND = timedelta(seconds=1)


class Bench(InMemoryPorts):
    def __init__(self) -> None:
        super().__init__(gateway=None)  # type: ignore[arg-type]  # nobody asks ConnectWise here

    @property
    def servers(self) -> SilentServers:
        """Another worker's each time: nothing is kept in memory."""
        return use_cases.silent_servers(self, probe_life=self.timings.attempt)

    def ask(self) -> Leave:
        return self.servers.leave_to_ask(CONNECTION)

    def note(self, leave: Leave, visit: Visit) -> None:
        self.servers.note(CONNECTION, leave, visit)

    def visit(self, visit: Visit) -> bool:
        """Make a visit if there is leave; return whether there was."""
        leave = self.ask()
        if leave.is_given:
            self.note(leave, visit)
        return leave.is_given

    def pass_time(self, wait: timedelta) -> None:
        self.clock.advance(seconds=wait.total_seconds())


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_server_that_answers_is_asked_by_all(bench: Bench) -> None:
    leaves = [bench.ask() for _ in range(5)]
    assert all(leave == Leave(is_given=True) for leave in leaves)


def test_after_a_visit_without_answer_it_is_left_alone_for_a_while(bench: Bench) -> None:
    assert bench.visit(Visit.UNANSWERED)
    assert not bench.visit(Visit.ANSWERED)
    bench.pass_time(FIRST_WAIT - SECOND)
    assert not bench.visit(Visit.ANSWERED)
    bench.pass_time(SECOND)
    assert bench.visit(Visit.ANSWERED)
    assert bench.visit(Visit.ANSWERED)


def test_the_wait_doubles_up_to_a_quarter_of_an_hour(bench: Bench) -> None:
    bench.visit(Visit.UNANSWERED)
    waits = []
    for _ in range(8):
        silence = bench.silences.get(CONNECTION)
        assert silence is not None
        waits.append((silence.next_probe_at - bench.clock.now()).total_seconds())
        bench.pass_time(silence.next_probe_at - bench.clock.now())
        assert bench.visit(Visit.UNANSWERED)
    assert waits == [30, 60, 120, 240, 480, 900, 900, 900]
    assert timedelta(seconds=waits[-1]) == LONGEST_WAIT


def test_one_visit_at_a_time_is_the_probe(bench: Bench) -> None:
    bench.visit(Visit.UNANSWERED)
    bench.pass_time(FIRST_WAIT)
    leaves = [bench.ask() for _ in range(4)]
    assert [leave.is_given for leave in leaves] == [True, False, False, False]


def test_a_probe_whose_worker_died_is_followed_by_another(bench: Bench) -> None:
    bench.visit(Visit.UNANSWERED)
    bench.pass_time(FIRST_WAIT)
    assert bench.ask().is_given
    bench.pass_time(bench.timings.attempt - SECOND)
    assert not bench.ask().is_given
    bench.pass_time(SECOND)
    assert bench.ask().is_given


def test_a_probe_that_asked_nothing_leaves_the_probe_to_another(bench: Bench) -> None:
    bench.visit(Visit.UNANSWERED)
    bench.pass_time(FIRST_WAIT)
    assert bench.visit(Visit.UNASKED)
    assert bench.visit(Visit.UNANSWERED)
    silence = bench.silences.get(CONNECTION)
    assert silence is not None
    assert silence.wait == 2 * FIRST_WAIT


def test_visits_that_hung_together_count_once(bench: Bench) -> None:
    leaves = [bench.ask() for _ in range(3)]
    for leave in leaves:
        bench.note(leave, Visit.UNANSWERED)
    silence = bench.silences.get(CONNECTION)
    assert silence is not None
    assert silence.wait == FIRST_WAIT


def test_an_older_visits_answer_leaves_a_silence_to_its_probe(bench: Bench) -> None:
    slow, hanging = bench.ask(), bench.ask()
    bench.note(hanging, Visit.UNANSWERED)
    bench.note(slow, Visit.ANSWERED)
    assert not bench.ask().is_given
    bench.pass_time(FIRST_WAIT)
    assert bench.visit(Visit.ANSWERED)
    assert bench.ask() == Leave(is_given=True)


def test_visits_to_a_server_that_answers_write_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a server whose silence ended with a probe
    bench.visit(Visit.UNANSWERED)
    bench.pass_time(FIRST_WAIT)
    bench.visit(Visit.ANSWERED)
    # When it is visited again and again
    writes: list[object] = []

    def note_write(*arguments: object, **_: object) -> bool:
        writes.append(arguments)
        return True

    for name in ("put", "clear"):
        monkeypatch.setattr(bench.silences, name, note_write)
    for _ in range(20):
        assert bench.visit(Visit.ANSWERED)
        assert bench.visit(Visit.UNASKED)
    # Then nothing is written
    assert writes == []


def test_a_late_probe_says_nothing_against_a_later_one(bench: Bench) -> None:
    bench.visit(Visit.UNANSWERED)
    bench.pass_time(FIRST_WAIT)
    late = bench.ask()
    bench.pass_time(bench.timings.attempt)
    assert bench.visit(Visit.ANSWERED)
    bench.note(late, Visit.UNANSWERED)
    assert bench.ask() == Leave(is_given=True)


@given(
    steps=st.lists(st.tuples(st.sampled_from(Visit), st.integers(0, 2_000)), max_size=40),
)
def test_whatever_happens_a_server_is_asked_again_in_time(
    steps: Sequence[tuple[Visit, int]],
) -> None:
    """No order of visits leaves a connection alone for longer than the longest wait."""
    bench = Bench()
    for visit, seconds in steps:
        leave = bench.ask()
        if leave.is_given and seconds % 3:
            bench.note(leave, visit)
        bench.pass_time(timedelta(seconds=seconds))
    bench.pass_time(max(LONGEST_WAIT, bench.timings.attempt))
    assert bench.ask().is_given
