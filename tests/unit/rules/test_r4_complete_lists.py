"""R4: runs against a whole ConnectWise, slow, capped, renamed, merged and with a wrong clock."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import pytest

from bridge.domain.comparison import DifferenceCounts
from bridge.domain.mirrored_kinds import INVOICES
from bridge.domain.problem import ProblemCode
from bridge.domain.run import Run, RunKind, RunState
from bridge.domain.work_messages import RunMessage
from bridge.wiring import use_cases
from connectwise_sandbox.kinds import Kind
from tests.fakes.ports import InMemoryPorts
from tests.unit.connectwise.sandbox import CONNECTION_ID, PARTNER_ID, World, sandboxed_world

MAX_MESSAGES = 400


class Mirror(InMemoryPorts):
    """The use cases of runs in memory, before a sandboxed ConnectWise."""

    def __init__(self, world: World) -> None:
        super().__init__(world.gateway(), world.clock)
        self.world = world
        self.connections.save(world.connection, expected_version=0)
        world.engine.switches.requests_per_minute = 0

    def run(self, kind: RunKind) -> Run:
        """Work on a run to its end, and on the payments that it left for later."""
        done = self._finish(use_cases.run_starter(self).start(self.world.connection, kind))
        for following in self.runs.list_active(CONNECTION_ID):
            self._finish(following)
        return done

    def _finish(self, run: Run) -> Run:
        worker = use_cases.run_worker(self)
        for _ in range(MAX_MESSAGES):
            self.clock.set_remaining(900)
            stored = self.runs.get(CONNECTION_ID, run.run_id).value
            assert stored is not None
            if stored.has_ended:
                return stored
            worker.work(RunMessage(CONNECTION_ID, run.run_id, stored.page_count))
        raise AssertionError("the run does not end")

    def calls_but_for_payments(self) -> int:
        """Return how many calls were made, without those of invoices that are read whole."""
        targets = (call.target for call in self.world.engine.calls.recent(10_000))
        return sum(1 for each in targets if not re.search(r"/invoices/\d+/payments|/info/", each))

    def invoice_ids(self) -> set[int]:
        return {row["id"] for row in self.world.engine.tenant.store[Kind.INVOICE]}

    def payers(self) -> dict[int, int | None]:
        """Return the customer that each mirrored invoice names."""
        stored = self.records.get_mirrored(
            INVOICES, PARTNER_ID, CONNECTION_ID, sorted(self.invoice_ids())
        )
        return {i: each.value.customer_source_id for i, each in stored.items() if each.value}

    def statuses(self) -> dict[int, Any]:
        stored = self.records.get_mirrored(
            INVOICES, PARTNER_ID, CONNECTION_ID, sorted(self.invoice_ids())
        )
        return {i: each.value.status for i, each in stored.items() if each.value}

    def problem_codes(self) -> set[ProblemCode]:
        found = self.problems.open_of_connection(PARTNER_ID, CONNECTION_ID).values()
        return {problem.code for problem in found}


@pytest.fixture
def mirror() -> Mirror:
    return Mirror(sandboxed_world(customers=8, invoices=60))


def switch(mirror: Mirror, **switches: Any) -> None:
    for name, value in switches.items():
        setattr(mirror.world.engine.switches, name, value)


@pytest.mark.parametrize(
    "switches",
    [
        {"page_row_limit": 10, "link_header": False},
        {"heavy_page_rows": 20, "heavy_page_answer": "html_504"},
        {"heavy_page_rows": 20, "heavy_page_answer": "nothing"},
        {"heavy_page_rows": 1, "heavy_page_answer": "json_500"},
    ],
    ids=str,
)
def test_an_import_is_complete_whatever_pages_the_server_manages(
    mirror: Mirror, switches: dict[str, Any]
) -> None:
    switch(mirror, **switches)

    run = mirror.run(RunKind.IMPORT)

    assert run.state is RunState.SUCCEEDED
    assert set(mirror.payers()) == mirror.invoice_ids()
    assert run.invoices_comparison.is_complete
    assert mirror.problem_codes() == set()


def test_a_server_that_misorders_its_list_ends_the_import_with_a_problem(mirror: Mirror) -> None:
    switch(mirror, forward_only_order="falling")

    run = mirror.run(RunKind.IMPORT)

    assert (run.state, run.failure) == (RunState.FAILED, "UntrueListError")
    assert mirror.problem_codes() == {ProblemCode.RUN_FAILED}


def test_a_merge_is_found_the_same_night_at_no_call_more(mirror: Mirror) -> None:
    # Given a mirror, and a quiet night's calls
    mirror.run(RunKind.IMPORT)
    mirror.run(RunKind.SWEEP)
    before = mirror.calls_but_for_payments()
    mirror.run(RunKind.SWEEP)
    quiet = mirror.calls_but_for_payments() - before

    # When a company is merged into another, with no callback and no new date
    invoices = mirror.world.engine.tenant.store[Kind.INVOICE]
    loser = next(iter(invoices))["company"]["id"]
    winner = next(row["company"]["id"] for row in invoices if row["company"]["id"] != loser)
    mirror.world.engine.people.merge_companies(loser, winner)
    run = mirror.run(RunKind.SWEEP)

    # Then its invoices are the other's, and the report says so
    truth = {row["id"]: row["company"]["id"] for row in invoices}
    moved = run.invoices_comparison.differing
    assert {i: payer for i, payer in mirror.payers().items() if payer == loser} == {}
    assert all(payer in (truth[i], None) or payer != loser for i, payer in mirror.payers().items())
    assert moved.payer > 0
    assert moved == DifferenceCounts(payer=moved.payer)
    # The list, the count and for customers the same: a night's calls do not grow with the books,
    # but for the payments that have their turn in the month.
    assert quiet <= 6


@pytest.mark.parametrize("minutes", [-20, 20, 900_000])
def test_a_wrong_clock_loses_nothing_and_is_shown(mirror: Mirror, minutes: int) -> None:
    switch(mirror, server_clock_minutes_off=minutes)
    mirror.run(RunKind.IMPORT)
    mirror.clock.advance(minutes=30)
    mirror.world.engine_clock.advance(30 * 60)
    row = next(iter(mirror.world.engine.tenant.store[Kind.INVOICE]))
    mirror.world.engine.people.set_status(row["id"], closed_status(mirror))

    mirror.run(RunKind.INVOICES)

    assert mirror.statuses()[row["id"]].name == closed_status(mirror)
    connection = mirror.connections.get(CONNECTION_ID).value
    assert connection is not None
    assert abs(connection.clock_seconds_ahead - minutes * 60) < 120


def closed_status(mirror: Mirror) -> str:
    statuses = mirror.world.engine.tenant.store[Kind.BILLING_STATUS]
    name: str = next(row["name"] for row in statuses if row["closedFlag"])
    return name


def test_a_date_of_the_far_future_moves_no_watermark_beyond_our_clock(mirror: Mirror) -> None:
    switch(mirror, server_clock_minutes_off=900_000)
    mirror.run(RunKind.IMPORT)

    watermark = mirror.runs.get_watermark(CONNECTION_ID, INVOICES.record_kind)
    assert isinstance(watermark, datetime)
    assert watermark <= mirror.clock.now()
