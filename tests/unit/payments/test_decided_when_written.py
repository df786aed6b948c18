"""A person decides about a payment that stands in ConnectWise already: it is not posted again."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from bridge.domain.errors import NotPossibleError
from bridge.domain.problem import Action
from bridge.domain.write_back import Reason, WriteBack, WriteBackState
from bridge.domain.write_back.decisions import offered_actions
from connectwise_sandbox import permissions
from connectwise_sandbox.permissions import Rows
from tests.unit.payments.bench import decisions, place
from tests.unit.payments.mirrored_bench import MirroredBench

S = WriteBackState


def written_and_not_read_back(bench: MirroredBench) -> WriteBack:
    """Half of the invoice is paid, so that a second payment would find room; what followed could
    not be read for want of a right."""
    write_back = bench.drive(bench.collect(5000))
    bench.save(replace(write_back, wants_follow_up=True, due_at=bench.clock.now()))
    bench.engine.tenant.role.set_cell(*Rows.INVOICING, permissions.Action.INQUIRE, "None")
    waiting = bench.drive(write_back)
    assert (waiting.state, waiting.reason) == (S.MANUAL, Reason.RIGHT_MISSING)
    bench.engine.tenant.role.set_cell(*Rows.INVOICING, permissions.Action.INQUIRE, "All")
    return waiting


def test_marking_it_as_done_keeps_it_ours(bench: MirroredBench) -> None:
    waiting = written_and_not_read_back(bench)

    done = decisions(bench).mark_done(*place(waiting))

    assert done.has_ended
    assert bench.drive(done) == done
    assert (bench.amounts(), bench.open_problems()) == ([Decimal("50.00")], [])
    bench.undo()
    assert bench.drive(done).state is S.REVERSED
    assert bench.amounts() == []


def test_it_cannot_be_cancelled(bench: MirroredBench) -> None:
    waiting = written_and_not_read_back(bench)

    assert offered_actions(waiting) == (Action.RETRY, Action.MARK_DONE)
    with pytest.raises(NotPossibleError):
        decisions(bench).cancel(*place(waiting))

    assert bench.drive(waiting) == waiting
    assert (bench.amounts(), len(bench.open_problems())) == ([Decimal("50.00")], 1)


@pytest.mark.parametrize("decision", ["mark_done", "cancel"])
def test_what_was_removed_before_it_was_read_back_stays_away(
    bench: MirroredBench, decision: str
) -> None:
    write_back = bench.drive(bench.collect(5000))
    bench.people.delete_payment(bench.invoice_id, bench.rows()[0]["id"])
    bench.save(replace(write_back, wants_follow_up=True, due_at=bench.clock.now()))
    bench.compare()
    gone = bench.stored(write_back)
    assert gone.reason is Reason.PAYMENT_GONE

    getattr(decisions(bench), decision)(*place(gone))

    assert bench.drive(gone).has_ended
    assert (bench.amounts(), bench.open_problems()) == ([], [])
