"""What kept a payment waiting is over: it goes on from where it stood, never from the start."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, Literal

import pytest

from bridge.domain.connection import Connection, ConnectionState
from bridge.domain.errors import RefusedError
from bridge.domain.write_back import Reason, WriteBack, WriteBackState
from bridge.domain.write_back.changes import hand_over
from bridge.ports import PsaGateway
from bridge.wiring import use_cases
from connectwise_sandbox.faults import Effect
from connectwise_sandbox.finance.payments import change_payment
from connectwise_sandbox.kinds import Kind, reference_to
from connectwise_sandbox.people import PERSON
from connectwise_sandbox.permissions import Action, Rows
from tests.unit.payments.bench import PAID_ON, QUARANTINE_SECONDS, Bench
from tests.unit.payments.mirrored_bench import MirroredBench

S = WriteBackState
QUICK, QUARTER, HOUR, DAY = (timedelta(minutes=minutes) for minutes in (2, 15, 60, 24 * 60))


def forbid(bench: Bench, action: Action) -> None:
    bench.engine.tenant.role.set_cell(*Rows.ACCOUNTING_INTERFACE, action, "None")


def allow(bench: Bench, action: Action) -> None:
    bench.engine.tenant.role.set_cell(*Rows.ACCOUNTING_INTERFACE, action, "All")


def heal(bench: MirroredBench, after: timedelta = QUICK) -> int:
    """Let the job that heals run, some time after what was tried last."""
    bench.wait(after.total_seconds())
    bench.clock.set_remaining(900)
    return bench.retry_now()


def test_a_written_payment_that_could_not_be_read_back_is_not_posted_again(
    bench: MirroredBench,
) -> None:
    """Half of the invoice is still owed, so that a second payment would find room."""
    write_back = bench.drive(bench.collect(5000))
    bench.save(replace(write_back, wants_follow_up=True, due_at=bench.clock.now()))
    bench.engine.tenant.role.set_cell(*Rows.INVOICING, Action.INQUIRE, "None")
    refused = bench.drive(write_back)
    assert (refused.needs_person, refused.reason) == (True, Reason.RIGHT_MISSING)

    bench.engine.tenant.role.set_cell(*Rows.INVOICING, Action.INQUIRE, "All")
    assert heal(bench) == 1
    assert bench.drive(write_back).state is S.CONFIRMED
    assert bench.amounts() == [Decimal("50.00")]
    assert bench.open_problems() == []


def test_a_deletion_for_which_the_right_was_missing_is_made_when_it_is_granted(
    bench: MirroredBench,
) -> None:
    write_back = bench.drive(bench.collect(5000))
    bench.undo()
    forbid(bench, Action.DELETE)
    assert bench.drive(write_back).reason is Reason.RIGHT_MISSING

    allow(bench, Action.DELETE)
    assert heal(bench) == 1
    assert bench.drive(write_back).state is S.REVERSED
    assert (bench.amounts(), bench.open_problems()) == ([], [])


def test_a_deletion_waits_until_the_invoice_is_open_again(bench: MirroredBench) -> None:
    write_back = bench.drive(bench.collect(5000))
    bench.lock_invoice()
    bench.mirror()
    bench.undo()
    assert bench.drive(write_back).reason is Reason.INVOICE_LOCKED
    assert heal(bench) == 0

    bench.people.reopen_invoice(bench.invoice_id)
    bench.mirror()
    assert heal(bench) == 1
    assert bench.drive(write_back).state is S.REVERSED
    assert (bench.amounts(), bench.open_problems()) == ([], [])


@pytest.mark.parametrize("status", [400, 403])
def test_an_invoice_that_is_closed_is_no_missing_right(
    bench: MirroredBench, status: Literal[400, 403]
) -> None:
    """Else it would be tried again and again while the invoice stays closed."""
    bench.engine.tenant.switches.locked_invoice_status = status
    bench.lock_invoice()
    bench.mirror()
    assert bench.drive(bench.collect(5000)).reason is Reason.INVOICE_LOCKED
    assert heal(bench) == 0


def test_what_was_called_off_while_disconnected_ends_when_connected_again(
    bench: MirroredBench,
) -> None:
    write_back = bench.collect(5000)
    bench.save_connection(state=ConnectionState.DISCONNECTED)
    bench.undo()
    assert bench.drive(write_back).reason is Reason.DISCONNECTED

    bench.save_connection(state=ConnectionState.ACTIVE)
    assert heal(bench) == 1
    assert bench.drive(write_back).state is S.REVERSED
    assert (bench.amounts(), bench.open_problems()) == ([], [])


def test_a_reason_stands_until_it_is_sure_that_it_is_over(bench: MirroredBench) -> None:
    """Nobody is told of an end and a new beginning each time that it is tried in vain."""
    write_back = bench.collect(5000)
    forbid(bench, Action.ADD)
    bench.drive(write_back)
    for minutes in (2, 4, 8):
        assert heal(bench, timedelta(minutes=minutes)) == 1
        assert bench.drive(write_back).reason is Reason.RIGHT_MISSING
    (problem,) = bench.open_problems()
    assert problem.times_seen == 4


def test_one_reason_may_follow_another(bench: MirroredBench) -> None:
    """The invoice was paid by hand meanwhile: that is what a person is to see."""
    write_back = bench.collect(5000)
    forbid(bench, Action.ADD)
    bench.drive(write_back)
    allow(bench, Action.ADD)
    bench.people.record_payment(bench.invoice_id, Decimal("110.00"))
    bench.mirror()
    assert heal(bench) == 1
    assert bench.drive(write_back).reason is Reason.PAID_BY_HAND
    assert heal(bench, HOUR) == 0


def test_a_right_that_payments_do_not_need_keeps_nothing_waiting(bench: MirroredBench) -> None:
    """Given a connection that stays degraded: new payments are written, and so are old ones."""
    bench.save_connection(state=ConnectionState.DEGRADED)
    write_back = bench.collect(5000)
    bench.lock_invoice()
    bench.mirror()
    assert bench.drive(write_back).reason is Reason.INVOICE_LOCKED

    bench.people.reopen_invoice(bench.invoice_id)
    bench.mirror()
    assert heal(bench) == 1
    assert bench.drive(write_back).state is S.CONFIRMED
    assert bench.open_problems() == []


def test_a_right_that_payments_need_is_not_asked_for_before_it_is_verified(
    bench: MirroredBench,
) -> None:
    write_back = bench.collect(5000)
    forbid(bench, Action.ADD)
    assert bench.drive(write_back).reason is Reason.RIGHT_MISSING
    bench.save_connection(state=ConnectionState.DEGRADED)
    assert heal(bench) == 0


# --- each cause that the mirror shows ----------------------------------------------------------


def assert_written(bench: MirroredBench, write_back: WriteBack) -> None:
    done = bench.drive(write_back)
    assert (done.state, done.reason) == (S.CONFIRMED, Reason.NONE)
    assert (bench.amounts(), bench.open_problems()) == ([Decimal("50.00")], [])


def test_an_invoice_that_is_back_gets_its_payment(bench: MirroredBench) -> None:
    invoices = bench.engine.tenant.store[Kind.INVOICE]
    invoice = invoices.get(bench.invoice_id)
    assert invoice is not None
    bench.people.delete_invoice(bench.invoice_id)
    bench.archive()
    write_back = bench.collect(5000)
    assert bench.drive(write_back).reason is Reason.INVOICE_GONE
    assert heal(bench) == 0

    invoices.put(invoice)
    bench.mirror()
    assert heal(bench) == 1
    assert_written(bench, write_back)


def test_what_was_too_much_is_written_when_there_is_room(bench: MirroredBench) -> None:
    others = bench.people.record_payment(bench.invoice_id, Decimal("80.00"))
    bench.mirror()
    write_back = bench.collect(5000)
    assert bench.drive(write_back).reason is Reason.OVERPAYMENT
    assert heal(bench) == 0

    bench.people.delete_payment(bench.invoice_id, others["id"])
    bench.mirror()
    assert heal(bench) == 1
    assert_written(bench, write_back)


def test_a_name_that_is_known_again_is_all_that_was_missing(bench: MirroredBench) -> None:
    member = bench.connection.member_identifier
    bench.save_connection(member_identifier="")
    write_back = bench.collect(5000)
    assert bench.drive(write_back).reason is Reason.MEMBER_UNKNOWN
    assert heal(bench) == 0

    bench.save_connection(member_identifier=member)
    assert heal(bench) == 1
    assert_written(bench, write_back)


def bill_in(bench: MirroredBench, code: str) -> None:
    """A person changes the currency of the invoice."""
    tenant = bench.engine.tenant
    currency = next(
        row for row in tenant.store[Kind.CURRENCY] if row["currencyCode"]["name"] == code
    )
    invoice = tenant.store[Kind.INVOICE].get(bench.invoice_id)
    assert invoice is not None
    changed = invoice | {"currency": reference_to(Kind.CURRENCY, currency)}
    tenant.change(Kind.INVOICE, changed, PERSON)
    bench.mirror()


def test_a_payment_goes_in_when_the_invoice_is_in_its_currency(bench: MirroredBench) -> None:
    bill_in(bench, "EUR")
    write_back = bench.collect(5000)
    assert bench.drive(write_back).reason is Reason.CURRENCY_DIFFERS
    assert heal(bench) == 0

    bill_in(bench, "USD")
    assert heal(bench) == 1
    assert_written(bench, write_back)


def test_a_currency_of_other_decimals_is_another_one(bench: MirroredBench) -> None:
    """Else it would be tried again and again: the driver compares the decimals too."""
    invoices = bench.engine.tenant.store[Kind.INVOICE]
    invoice = invoices.get(bench.invoice_id)
    assert invoice is not None
    invoices.put(invoice | {"currency": invoice["currency"] | {"numberOfDecimals": 3}})
    bench.mirror()
    write_back = bench.collect(5000)
    assert bench.drive(write_back).reason is Reason.CURRENCY_DIFFERS
    assert heal(bench, DAY) == 0


# --- how often ---------------------------------------------------------------------------------


def test_what_only_the_mirror_calls_over_is_tried_less_and_less_often(bench: MirroredBench) -> None:
    """Given an invoice that the mirror shows open, and ConnectWise closed."""
    bench.lock_invoice()
    write_back = bench.collect(5000)
    assert bench.drive(write_back).reason is Reason.INVOICE_LOCKED

    tried = []
    for quarters in range(1, 4 * 24 + 1):
        if heal(bench, QUARTER):
            tried.append(quarters)
            assert bench.drive(write_back).reason is Reason.INVOICE_LOCKED

    assert tried[:5] == [1, 2, 3, 5, 8], "after 2, 4, 8, 16 and 32 minutes at the earliest"
    assert {later - earlier for earlier, later in pairwise(tried[5:])} == {4}
    (problem,) = bench.open_problems()
    assert problem.times_seen == 1 + len(tried)
    assert bench.rows() == []


def test_nothing_is_tried_before_a_worker_may_have_shown_it(bench: MirroredBench) -> None:
    bench.lock_invoice()
    bench.drive(bench.collect(5000))
    assert heal(bench, timedelta(seconds=119)) == 0
    assert heal(bench, timedelta(seconds=1)) == 1
    assert heal(bench, HOUR) == 0, "it is under way"


def test_a_problem_that_was_seen_a_thousand_times_is_healed_within_the_hour(
    bench: MirroredBench,
) -> None:
    waiting = hand_over(bench.collect(5000), Reason.INVOICE_LOCKED)
    bench.save(waiting)
    for _ in range(1100):
        use_cases.write_back_problems(bench).show(waiting)
    assert heal(bench, HOUR - QUICK) == 0
    assert heal(bench) == 1


# --- what ConnectWise does not explain ---------------------------------------------------------


class Refusing:
    """A ConnectWise that refuses one kind of request for a reason that it does not name: a closed
    accounting period."""

    def __init__(self, gateway: PsaGateway, refused: str) -> None:
        self._gateway = gateway
        self._refused = refused

    def open_payments(self, connection: Connection) -> Any:
        payments = self._gateway.open_payments(connection)

        def refuse(*_: object, **__: object) -> None:
            raise RefusedError("InvalidObject")

        setattr(payments, self._refused, refuse)
        return payments


def drive_refused(
    bench: MirroredBench, write_back: WriteBack, refused: str = "post_payment"
) -> WriteBack:
    return bench.drive(write_back, gateway=Refusing(bench.gateway, refused))


def test_a_refused_payment_is_tried_once_a_day(bench: MirroredBench) -> None:
    write_back = bench.collect(5000)
    for _ in range(7):
        refused = drive_refused(bench, write_back)
        assert (refused.state, refused.reason, refused.posts) == (S.REJECTED, Reason.REFUSED, 0)
        assert heal(bench, DAY - QUICK) == 0
        assert heal(bench) == 1
    (problem,) = bench.open_problems()
    assert problem.times_seen == 7

    assert_written(bench, write_back)


def test_a_connection_that_is_not_active_is_not_asked(bench: MirroredBench) -> None:
    write_back = drive_refused(bench, bench.collect(5000))
    bench.save_connection(state=ConnectionState.DISCONNECTED)
    assert heal(bench, DAY) == 0
    assert bench.stored(write_back) == write_back


def test_what_could_not_be_read_is_looked_at_once_a_day(bench: MirroredBench) -> None:
    """Given a payment that is written already, whose row was entered without a day since."""
    write_back = bench.drive(bench.collect(5000))
    bench.save(hand_over(write_back, Reason.UNREADABLE))
    use_cases.write_back_problems(bench).show(bench.stored(write_back))
    assert heal(bench, DAY - QUICK) == 0
    assert heal(bench) == 1
    assert_written(bench, write_back)


def refused_after_a_lost_post(bench: MirroredBench) -> WriteBack:
    """The first post got no answer and seems not to have taken effect, the second was refused."""
    bench.fault(Effect.LATE_EFFECT, "POST", seconds=QUARANTINE_SECONDS + 300)
    write_back = bench.drive(bench.collect(5000))
    bench.wait(QUARANTINE_SECONDS)
    refused = drive_refused(bench, write_back)
    assert (refused.state, refused.reason, refused.posts) == (S.REJECTED, Reason.REFUSED, 1)
    assert bench.rows() == []
    return refused


def test_a_post_that_took_effect_after_all_is_found_and_not_repeated(bench: MirroredBench) -> None:
    refused = refused_after_a_lost_post(bench)
    assert heal(bench, DAY) == 1
    assert bench.amounts() == [Decimal("50.00")], "far later than we assume to be possible"
    assert_written(bench, refused)


@pytest.mark.parametrize("is_edited", [False, True])
def test_nothing_is_posted_beside_what_became_of_a_lost_post(
    bench: MirroredBench, is_edited: bool
) -> None:
    refused = refused_after_a_lost_post(bench)
    bench.wait(HOUR.total_seconds())
    if is_edited:
        (row,) = bench.rows()
        change_payment(bench.engine.tenant, row, row | {"amount": Decimal("49.99")}, PERSON)
    else:
        bench.people.rewrite_payments(bench.invoice_id)
    assert heal(bench, DAY) == 1

    after = bench.drive(refused)

    expected = Reason.PAYMENT_CHANGED if is_edited else Reason.PAYMENT_REWRITTEN
    assert (after.state, after.reason) == (S.MANUAL, expected)
    assert len(bench.rows()) == 1
    assert heal(bench, DAY) == 0, "that is for a person to decide"


def test_a_lost_post_still_counts_when_another_was_refused(bench: MirroredBench) -> None:
    """A closed invoice that may have swallowed a post gets no second one."""
    refused = refused_after_a_lost_post(bench)
    assert heal(bench, DAY) == 1
    for row in bench.rows():
        bench.people.delete_payment(bench.invoice_id, row["id"])
    bench.lock_invoice()
    assert bench.drive(refused).reason is Reason.INVOICE_LOCKED
    assert bench.rows() == []


def test_what_may_be_in_flight_waits_for_its_own_time(bench: MirroredBench) -> None:
    """The look after the quarantine was refused: the post stays unclear, and is not woken here."""
    write_back = bench.lose_post(bench.collect(5000))
    bench.wait(QUARANTINE_SECONDS)
    unclear = drive_refused(bench, write_back, "list_payments")
    assert (unclear.state, unclear.reason) == (S.UNCLEAR, Reason.REFUSED)
    assert heal(bench, DAY) == 0
    assert_written(bench, write_back)


def test_a_refused_deletion_is_tried_once_a_day(bench: MirroredBench) -> None:
    """It takes out what is ours and nothing else."""
    write_back = bench.drive(bench.collect(5000))
    bench.people.record_payment(bench.invoice_id, Decimal("50.00"), PAID_ON)
    bench.undo()
    assert drive_refused(bench, write_back, "delete_payment").reason is Reason.REFUSED
    assert heal(bench, HOUR) == 0
    assert heal(bench, DAY) == 1
    assert bench.drive(write_back).state is S.REVERSED
    assert [row["appliedBy"] for row in bench.rows()] == [PERSON]
    assert bench.open_problems() == []
