"""R3: a callback that is sent again and again costs a tenant few of its calls."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import pytest

from bridge.domain.hint import Hint, HintReason
from bridge.domain.identity import RecordKind
from bridge.domain.mirrored_kinds import INVOICES
from bridge.mirror.hint_processor import HintProcessor
from bridge.wiring import use_cases
from connectwise_sandbox.kinds import Kind
from tests.fakes.ports import InMemoryPorts
from tests.unit.connectwise.sandbox import CONNECTION_ID, PARTNER_ID, World, sandboxed_world

REPLAYS = 150
EVERY_SECONDS = 1 / 12
"""So fast come replays through the front door."""
CALLS_OF_A_READ = 5
"""Heads, three kinds of lines, and payments where there are any."""


class Mirror(InMemoryPorts):
    """Hints are worked off here before a sandboxed ConnectWise."""

    def __init__(self, world: World) -> None:
        super().__init__(world.gateway(), world.clock)
        self.world = world
        self.connections.save(world.connection, expected_version=0)
        world.engine.switches.requests_per_minute = 0

    @cached_property
    def processor(self) -> HintProcessor:
        return use_cases.hint_processor(self)

    @property
    def calls(self) -> int:
        return self.world.engine.calls.total

    def rows(self, *, has_payments: bool) -> Iterator[int]:
        rows = self.world.engine.tenant.store[Kind.INVOICE]
        return (
            row["id"] for row in rows if bool(row["payments"] or row["credits"]) is has_payments
        )

    def replay(self, source_ids: list[int]) -> None:
        """Have callbacks come one after the other, and work on until no hint waits."""
        for source_id in source_ids:
            hint = Hint(CONNECTION_ID, RecordKind.INVOICE, source_id, HintReason.CALLBACK)
            assert self.processor.process([hint]) == ()
            self._pass(EVERY_SECONDS)
        while self.hints.waiting:
            self._pass(1)

    def _pass(self, seconds: float) -> None:
        self.clock.advance(seconds=seconds)
        self.world.engine_clock.advance(seconds=seconds)
        while due := self.hints.take_due():
            assert self.processor.process(due) == ()


@pytest.fixture
def mirror() -> Mirror:
    return Mirror(sandboxed_world(customers=8, invoices=60))


@pytest.mark.parametrize("has_payments", [False, True])
def test_replays_of_one_callback_cost_two_reads_of_its_record(
    mirror: Mirror, has_payments: bool
) -> None:
    source_id = next(mirror.rows(has_payments=has_payments))
    mirror.replay([source_id])
    mirror.clock.advance(minutes=1)
    before = mirror.calls

    mirror.replay([source_id] * REPLAYS)

    assert mirror.calls - before <= 2 * (CALLS_OF_A_READ if has_payments else CALLS_OF_A_READ - 1)
    stored = mirror.records.get_mirrored(INVOICES, PARTNER_ID, CONNECTION_ID, [source_id])
    assert stored[source_id].value is not None


def test_replays_about_an_id_that_is_not_there_cost_a_handful_of_calls(mirror: Mirror) -> None:
    before = mirror.calls

    mirror.replay([2_000_000_001] * REPLAYS)

    assert mirror.calls - before <= 5


def test_each_of_many_ids_that_are_not_there_is_asked_for_once(mirror: Mirror) -> None:
    before = mirror.calls

    mirror.replay([2_000_000_000 + each for each in range(REPLAYS)])

    # Heads and proof of absence when the callback comes, heads once more when it is settled
    assert mirror.calls - before <= 4 * REPLAYS
