"""After our payment was taken out its invoice is read back, however late or unwilling reads are."""

from __future__ import annotations

import pytest

from bridge.domain.write_back import Reason, WriteBackState
from connectwise_sandbox.change_faults import ChangeEffect
from connectwise_sandbox.faults import Effect
from connectwise_sandbox.permissions import Action, Rows
from tests.unit.payments.bench import QUARANTINE_SECONDS, Bench

LAG_SECONDS = 45
OPEN_STATUS = "Sent via Portal"
"""It does not lock the invoice, so that the deletion leaves it as it is."""
ATTEMPTS = 3
S = WriteBackState


@pytest.mark.parametrize("is_sent_twice", [False, True])
def test_a_status_is_put_back_when_the_balance_lags_behind_a_late_return(
    is_sent_twice: bool,
) -> None:
    """Given a payment that is older than its quarantine: only its deletion is young, even one that
    a proxy sends twice, so that the second is refused."""
    bench = Bench()
    bench.prefer_status(OPEN_STATUS)
    paid = bench.drive_when_due(bench.collect())
    assert bench.status() == OPEN_STATUS
    bench.wait(2 * QUARANTINE_SECONDS)
    bench.engine.switches.balance_delay_seconds = LAG_SECONDS

    if is_sent_twice:
        bench.fault(ChangeEffect.SENT_TWICE, "DELETE")
    bench.undo()
    bench.drive(paid)
    taken_out = bench.drive_when_due(paid)

    assert taken_out.state is S.REVERSED
    assert taken_out.has_ended
    assert bench.status() != OPEN_STATUS


def test_a_refused_read_after_a_deletion_is_made_again_later() -> None:
    bench = Bench(paid_status_id=None)
    paid = bench.drive_when_due(bench.collect())
    bench.undo()
    bench.fault(Effect.STATUS_502_HTML, "GET", r"invoices/\d+\?fields", times=ATTEMPTS)
    bench.drive(paid)
    assert bench.rows() == []
    role = bench.engine.tenant.role

    role.set_cell(*Rows.INVOICING, Action.INQUIRE, "None")
    bench.wait(QUARANTINE_SECONDS)
    waiting = bench.drive(paid)
    assert (waiting.state, waiting.reason) == (S.REVERSED, Reason.RIGHT_MISSING)
    assert len(bench.open_problems()) == 1

    role.set_cell(*Rows.INVOICING, Action.INQUIRE, "All")
    taken_out = bench.drive_when_due(paid)
    assert (taken_out.has_ended, taken_out.reason) == (True, Reason.NONE)
    assert bench.open_problems() == []
