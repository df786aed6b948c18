"""What kept a payment waiting is over: it goes on from where it stood, never from the start."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Literal

import pytest

from bridge.domain.connection import ConnectionState
from bridge.domain.write_back import Reason, WriteBackState
from infra.local.connectwise_sandbox.permissions import Action, Rows
from tests.unit.payments.bench import Bench
from tests.unit.payments.test_reconciling import Reconciling

S = WriteBackState


@pytest.fixture
def bench() -> Reconciling:
    bench = Reconciling()
    bench.mirror()
    return bench


def forbid(bench: Bench, action: Action) -> None:
    bench.engine.tenant.role.set_cell(*Rows.ACCOUNTING_INTERFACE, action, "None")


def allow(bench: Bench, action: Action) -> None:
    bench.engine.tenant.role.set_cell(*Rows.ACCOUNTING_INTERFACE, action, "All")


def test_a_written_payment_that_could_not_be_read_back_is_not_posted_again(
    bench: Reconciling,
) -> None:
    """Half of the invoice is still owed, so that a second payment would find room."""
    write_back = bench.drive(bench.collect(5000))
    bench.save(replace(write_back, wants_follow_up=True, due_at=bench.clock.now()))
    bench.engine.tenant.role.set_cell(*Rows.INVOICING, Action.INQUIRE, "None")
    refused = bench.drive(write_back)
    assert (refused.needs_person, refused.reason) == (True, Reason.RIGHT_MISSING)

    bench.engine.tenant.role.set_cell(*Rows.INVOICING, Action.INQUIRE, "All")
    assert bench.sweep.heal_all() == 1
    assert bench.drive(write_back).state is S.CONFIRMED
    assert bench.amounts() == [Decimal("50.00")]
    assert bench.open_problems() == []


def test_a_deletion_for_which_the_right_was_missing_is_made_when_it_is_granted(
    bench: Reconciling,
) -> None:
    write_back = bench.drive(bench.collect(5000))
    bench.undo()
    forbid(bench, Action.DELETE)
    assert bench.drive(write_back).reason is Reason.RIGHT_MISSING

    allow(bench, Action.DELETE)
    assert bench.sweep.heal_all() == 1
    assert bench.drive(write_back).state is S.REVERSED
    assert (bench.amounts(), bench.open_problems()) == ([], [])


def test_a_deletion_waits_until_the_invoice_is_open_again(bench: Reconciling) -> None:
    write_back = bench.drive(bench.collect(5000))
    bench.people.close_invoice(bench.invoice_id)
    bench.mirror()
    bench.undo()
    assert bench.drive(write_back).reason is Reason.INVOICE_LOCKED
    assert bench.sweep.heal_all() == 0

    bench.people.reopen_invoice(bench.invoice_id)
    bench.mirror()
    assert bench.sweep.heal_all() == 1
    assert bench.drive(write_back).state is S.REVERSED
    assert (bench.amounts(), bench.open_problems()) == ([], [])


@pytest.mark.parametrize("status", [400, 403])
def test_an_invoice_that_is_closed_is_no_missing_right(
    bench: Reconciling, status: Literal[400, 403]
) -> None:
    """Else it would be tried again and again while the invoice stays closed."""
    bench.engine.tenant.switches.locked_invoice_status = status
    bench.people.close_invoice(bench.invoice_id)
    bench.mirror()
    assert bench.drive(bench.collect(5000)).reason is Reason.INVOICE_LOCKED
    assert bench.sweep.heal_all() == 0


def test_what_was_called_off_while_disconnected_ends_when_connected_again(
    bench: Reconciling,
) -> None:
    write_back = bench.collect(5000)
    bench.save_connection(state=ConnectionState.DISCONNECTED)
    bench.undo()
    assert bench.drive(write_back).reason is Reason.DISCONNECTED

    bench.save_connection(state=ConnectionState.ACTIVE)
    assert bench.sweep.heal_all() == 1
    assert bench.drive(write_back).state is S.REVERSED
    assert (bench.amounts(), bench.open_problems()) == ([], [])


def test_a_reason_stands_until_it_is_sure_that_it_is_over(bench: Reconciling) -> None:
    """Nobody is told of an end and a new beginning each time that it is tried in vain."""
    write_back = bench.collect(5000)
    forbid(bench, Action.ADD)
    bench.drive(write_back)
    for _ in range(3):
        assert bench.sweep.heal_all() == 1
        assert bench.drive(write_back).reason is Reason.RIGHT_MISSING
    (problem,) = bench.open_problems()
    assert problem.times_seen == 4


def test_one_reason_may_follow_another(bench: Reconciling) -> None:
    """The invoice was paid by hand meanwhile: that is what a person is to see."""
    write_back = bench.collect(5000)
    forbid(bench, Action.ADD)
    bench.drive(write_back)
    allow(bench, Action.ADD)
    bench.people.record_payment(bench.invoice_id, Decimal("110.00"))
    bench.mirror()
    assert bench.sweep.heal_all() == 1
    assert bench.drive(write_back).reason is Reason.PAID_BY_HAND
    assert bench.sweep.heal_all() == 0


def test_a_right_that_payments_do_not_need_keeps_nothing_waiting(bench: Reconciling) -> None:
    """Given a connection that stays degraded: new payments are written, and so are old ones."""
    bench.save_connection(state=ConnectionState.DEGRADED)
    write_back = bench.collect(5000)
    bench.people.close_invoice(bench.invoice_id)
    bench.mirror()
    assert bench.drive(write_back).reason is Reason.INVOICE_LOCKED

    bench.people.reopen_invoice(bench.invoice_id)
    bench.mirror()
    assert bench.sweep.heal_all() == 1
    assert bench.drive(write_back).state is S.CONFIRMED
    assert bench.open_problems() == []


def test_a_right_that_payments_need_is_not_asked_for_before_it_is_verified(
    bench: Reconciling,
) -> None:
    write_back = bench.collect(5000)
    forbid(bench, Action.ADD)
    assert bench.drive(write_back).reason is Reason.RIGHT_MISSING
    bench.save_connection(state=ConnectionState.DEGRADED)
    assert bench.sweep.heal_all() == 0
