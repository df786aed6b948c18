"""A deletion that is never answered is given up, and made once more when a person asks for it."""

from __future__ import annotations

from bridge.domain.write_back import MAX_DELETIONS, WriteBackState
from connectwise_sandbox.faults import Effect
from tests.unit.payments.bench import Bench, decisions, place

S = WriteBackState


def test_a_person_has_it_deleted_once_more(bench: Bench) -> None:
    """Given five deletions that were cut before they took effect, and a server that is well."""
    write_back = bench.collect(5000)
    bench.drive(write_back)
    bench.undo()
    bench.fault(Effect.CUT_BEFORE_EFFECT, "DELETE", times=MAX_DELETIONS)
    given_up = bench.drive_when_due(write_back, rounds=40)
    assert given_up.state is S.MANUAL
    assert len(given_up.unproven_deletions) == MAX_DELETIONS
    assert len(bench.rows()) == 1
    decisions(bench).retry(*place(write_back))
    assert bench.drive(write_back).state is S.REVERSED
    assert bench.rows() == []
