"""Forty connections of one partner whose servers hang cost no other partner anything."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

import pytest

from bridge.connections.silent_servers import LONGEST_WAIT
from bridge.connections.site_turns import PLACES_OF_A_PARTNER, STEP_LIFE
from bridge.domain.run import RunState
from tests.builders.records import OTHER_CONNECTION, OTHER_PARTNER, PARTNER
from tests.unit.fairness.bench import NEVER, QUICK_SECONDS, SLOW_SECONDS, FairnessBench, Site

CONNECTIONS = 40
INVOICES = 2_000
KINDS = ("run-steps", "pdfs", "writebacks", "hints", "jobs")


@dataclass(frozen=True)
class Cost:
    """What the other partner's import, PDFs, payments, callbacks and job came to."""

    calls: int
    steps: dict[str, int]
    minutes: int
    longest_wait_seconds: float
    put_off: int


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> FairnessBench:
    # How long a message waits for a place is drawn by lot.
    random.seed(11)
    return FairnessBench(monkeypatch)


def connect_slow_partner(bench: FairnessBench, answers_after_seconds: float) -> list[Site]:
    """Connect his servers, each with work of every kind to do, and let all hang."""
    sites = [bench.connect(f"{n:032x}", PARTNER, invoices=5) for n in range(CONNECTIONS)]
    for number, site in enumerate(sites):
        site.answers_after_seconds = answers_after_seconds
        bench.start_import(site)
        bench.request_pdfs(site, 2)
        bench.collect_payments(site, 2, prefix=f"slow-{number}")
        bench.call_back(site, 2)
        bench.look_after_callbacks(site)
    bench.pass_time(minutes=2)
    return sites


def serve_other_partner(bench: FairnessBench) -> Cost:
    """Do the other partner's import, and meanwhile all else of his, to its end."""
    site = bench.connect(OTHER_CONNECTION, OTHER_PARTNER, invoices=INVOICES)
    run = bench.start_import(site)
    bench.request_pdfs(site, 20)
    bench.collect_payments(site, 20)
    bench.call_back(site, 20)
    bench.look_after_callbacks(site)
    minutes = 0
    while not (bench.run_of(run).has_ended and bench.is_idle(OTHER_PARTNER)):
        bench.wake_write_backs()
        bench.pass_time(minutes=1)
        minutes += 1
        assert minutes < 60, "the other partner is held up"
    assert bench.run_of(run).state is RunState.SUCCEEDED
    assert bench.run_of(run).invoices.accounted == INVOICES
    assert len([key for key in bench.documents.contents if key.startswith(OTHER_PARTNER)]) == 20
    return Cost(
        calls=site.call_count,
        steps={kind: bench.steps[OTHER_PARTNER, kind] for kind in KINDS},
        minutes=minutes,
        longest_wait_seconds=max(bench.waits[OTHER_PARTNER]),
        put_off=bench.put_off[OTHER_PARTNER],
    )


@cache
def cost_alone() -> Cost:
    with pytest.MonkeyPatch.context() as monkeypatch:
        return serve_other_partner(FairnessBench(monkeypatch))


def assert_undisturbed(beside: Cost) -> None:
    """Each message found a worker at once, and nothing took more than half as much again."""
    alone = cost_alone()
    assert beside.longest_wait_seconds == 0
    assert beside.put_off <= 1.5 * alone.put_off
    assert beside.calls <= 1.5 * alone.calls
    assert all(beside.steps[kind] <= 1.5 * alone.steps[kind] for kind in KINDS)
    assert beside.minutes <= 1.5 * alone.minutes


@pytest.mark.parametrize("answers_after_seconds", [SLOW_SECONDS, NEVER])
def test_the_other_partner_finds_a_place_at_once(
    bench: FairnessBench, answers_after_seconds: float
) -> None:
    connect_slow_partner(bench, answers_after_seconds)

    assert_undisturbed(serve_other_partner(bench))

    for kind in KINDS:
        assert 0 < bench.most_at_once[PARTNER, kind] <= PLACES_OF_A_PARTNER


@pytest.mark.parametrize("answers_after_seconds", [SLOW_SECONDS, NEVER])
def test_it_does_so_though_the_slow_partners_workers_are_killed(
    bench: FairnessBench, answers_after_seconds: float
) -> None:
    bench.kill_after[PARTNER] = timedelta(seconds=10)
    connect_slow_partner(bench, answers_after_seconds)

    assert_undisturbed(serve_other_partner(bench))

    assert bench.killed >= len(KINDS) * PLACES_OF_A_PARTNER
    for kind in KINDS:
        assert bench.most_at_once[PARTNER, kind] <= PLACES_OF_A_PARTNER
    # And the places of the killed are free once their steps are over
    killed = bench.killed
    bench.pass_time(seconds=STEP_LIFE.total_seconds() + 60)
    assert bench.killed > killed


@pytest.mark.parametrize("answers_after_seconds", [SLOW_SECONDS, NEVER])
def test_a_slow_partner_is_asked_less_and_less_and_comes_back_by_himself(
    bench: FairnessBench, answers_after_seconds: float
) -> None:
    # Given an hour in which his servers are slow
    sites = connect_slow_partner(bench, answers_after_seconds)
    calls: list[int] = []
    for _ in range(4):
        before = bench.calls_of(PARTNER)
        for _ in range(15):
            bench.wake_write_backs()
            bench.pass_time(minutes=1)
        calls.append(bench.calls_of(PARTNER) - before)

    # Then each is asked less and less, at most three at a time, and nothing is lost
    assert calls[-1] <= calls[0]
    assert calls[-1] <= 3 * CONNECTIONS
    assert bench.dead_letters == []
    for kind in KINDS:
        assert bench.most_at_once[PARTNER, kind] <= PLACES_OF_A_PARTNER

    # When they answer quickly again, then all of his work is done soon after the longest rest
    for site in sites:
        site.answers_after_seconds = QUICK_SECONDS
    for _ in range(int(LONGEST_WAIT.total_seconds() / 60) + 5):
        bench.wake_write_backs()
        bench.pass_time(minutes=1)
    assert bench.is_idle(PARTNER)
    runs = [run for site in sites for run in bench.runs_of(site)]
    assert {run.state for run in runs} == {RunState.SUCCEEDED}
    assert len(bench.documents.contents) == 2 * CONNECTIONS
    assert bench.dead_letters == []
