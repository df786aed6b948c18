"""A payment gets into ConnectWise once, and out again once, whatever gets in its way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from bridge.domain.connection import ConnectionState
from bridge.domain.errors import ConflictError, UnavailableError
from bridge.domain.platform_payment import Target
from bridge.domain.write_back import Lease, Reason, WriteBack, WriteBackState
from bridge.domain.write_back.changes import hand_over
from bridge.payments.write_back_problems import WriteBackProblems
from bridge.wiring import use_cases
from connectwise_sandbox.faults import Effect
from connectwise_sandbox.httpx_transport import EngineTransport
from connectwise_sandbox.kinds import Kind
from connectwise_sandbox.permissions import Action
from connectwise_sandbox.tenant import Corruption
from tests.fakes.ledger import InMemoryLedgerStore
from tests.unit.payments.bench import QUARANTINE_SECONDS, Bench

S = WriteBackState
WHOLE = Decimal("110.00")


@pytest.fixture
def bench() -> Bench:
    return Bench()


# --- when all goes well ------------------------------------------------------------------------


def test_a_payment_is_written_and_the_status_set_in_five_calls(bench: Bench) -> None:
    write_back = bench.collect()
    done = bench.drive(write_back)
    assert (done.state, done.reason, done.has_ended) == (S.CONFIRMED, Reason.NONE, True)
    assert bench.amounts() == [WHOLE]
    assert bench.status() == "Paid in Full"
    assert bench.open_problems() == []
    assert len(bench.engine.calls.recent(50)) == 5


def test_driving_again_changes_nothing(bench: Bench) -> None:
    write_back = bench.collect()
    done = bench.drive(write_back)
    calls = len(bench.engine.calls.recent(50))
    assert bench.drive(write_back) == done
    assert len(bench.engine.calls.recent(50)) == calls


def test_a_returned_payment_is_taken_out_and_the_status_put_back(bench: Bench) -> None:
    write_back = bench.collect()
    bench.drive(write_back)
    bench.undo()
    done = bench.drive_when_due(write_back)
    assert (done.state, done.has_ended) == (S.REVERSED, True)
    assert bench.rows() == []
    assert bench.status() == "New"
    assert bench.open_problems() == []


def test_a_lost_answer_heals_without_a_second_payment(bench: Bench) -> None:
    write_back = bench.lose_post(bench.collect())
    assert bench.drive(write_back).state is S.UNCLEAR, "not before it is due"
    done = bench.drive_when_due(write_back)
    assert done.state is S.CONFIRMED
    assert bench.amounts() == [WHOLE]


def test_a_post_that_lands_late_is_found_and_not_repeated(bench: Bench) -> None:
    bench.fault(Effect.LATE_EFFECT, "POST", seconds=590)
    write_back = bench.collect()
    bench.drive(write_back)
    done = bench.drive_when_due(write_back)
    assert (done.state, done.posts) == (S.CONFIRMED, 1)
    assert bench.amounts() == [WHOLE]


def test_a_post_that_never_landed_is_repeated_after_the_quarantine(bench: Bench) -> None:
    bench.fault(Effect.CUT_BEFORE_EFFECT, "POST")
    write_back = bench.collect()
    bench.drive(write_back)
    done = bench.drive_when_due(write_back)
    assert (done.state, done.posts) == (S.CONFIRMED, 2)
    assert bench.amounts() == [WHOLE]


def test_two_equal_payments_are_both_written(bench: Bench) -> None:
    first, second = bench.collect(5000, "pay-1"), bench.collect(5000, "pay-2")
    for write_back in (first, second):
        bench.drive_when_due(write_back)
    assert bench.amounts() == [Decimal("50.00")] * 2
    owned = {bench.stored(each).psa_payment_id for each in (first, second)}
    assert owned == {row["id"] for row in bench.rows()}


# --- an invoice that is gone or cannot be read -------------------------------------------------


def test_an_invoice_that_is_gone_waits_for_a_person(bench: Bench) -> None:
    write_back = bench.collect()
    bench.people.delete_invoice(bench.invoice_id)
    done = bench.drive(write_back)
    assert (done.state, done.reason) == (S.MANUAL, Reason.INVOICE_GONE)
    assert len(bench.open_problems()) == 1
    bench.ledger.take_lease(
        books=bench.connection.books,
        invoice_source_id=write_back.invoice_source_id,
        holder_id="another",
        now=bench.clock.now(),
        until=bench.clock.now(),
    )


def test_a_payment_went_with_its_invoice(bench: Bench) -> None:
    write_back = bench.collect()
    bench.drive(write_back)
    bench.wait(QUARANTINE_SECONDS)
    bench.people.delete_invoice(bench.invoice_id)
    bench.undo()
    done = bench.drive_when_due(write_back)
    assert (done.state, done.has_ended) == (S.REVERSED, True)


def test_an_invoice_that_vanishes_between_two_reads_ends_its_follow_up(bench: Bench) -> None:
    write_back = bench.collect(5000)
    bench.fault(Effect.TIMEOUT_BEFORE_EFFECT, "GET", skip=2, times=3)
    assert bench.drive(write_back).wants_follow_up
    bench.people.delete_invoice(bench.invoice_id)
    assert bench.drive_when_due(write_back).has_ended


@pytest.mark.parametrize("kind", [Kind.INVOICE, Kind.PAYMENT])
def test_what_cannot_be_read_waits_for_a_person(bench: Bench, kind: Kind) -> None:
    write_back = bench.collect(5000)
    ours = bench.connection.member_identifier
    row = bench.people.record_payment(bench.invoice_id, Decimal("1.00"), by=ours)
    record_id = bench.invoice_id if kind is Kind.INVOICE else row["id"]
    broken = {"balance": "x"} if kind is Kind.INVOICE else {"amount": "x"}
    bench.engine.tenant.corruptions[kind, record_id] = Corruption(None, broken)
    done = bench.drive(write_back)
    assert (done.state, done.reason) == (S.MANUAL, Reason.UNREADABLE)
    assert len(bench.open_problems()) == 1
    assert len(bench.rows()) == 1


def test_what_may_have_been_sent_stays_so_while_the_invoice_cannot_be_read(bench: Bench) -> None:
    write_back = bench.lose_post(bench.collect())
    bench.engine.tenant.corruptions[Kind.PAYMENT, bench.rows()[0]["id"]] = Corruption(
        None, {"amount": "x"}
    )
    bench.wait(QUARANTINE_SECONDS)
    waiting = bench.drive(write_back)
    assert (waiting.state, waiting.reason) == (S.UNCLEAR, Reason.UNREADABLE)
    assert len(bench.open_problems()) == 1
    bench.engine.tenant.corruptions.clear()
    done = bench.drive_when_due(write_back)
    assert (done.state, done.reason) == (S.CONFIRMED, Reason.NONE)
    assert bench.open_problems() == []
    assert bench.amounts() == [WHOLE]


def test_rejected_keys_are_shown_while_an_outcome_is_unclear(bench: Bench) -> None:
    write_back = bench.lose_post(bench.collect())
    bench.world.vault.delete_credentials(bench.connection.connection_id)
    bench.wait(QUARANTINE_SECONDS)
    waiting = bench.drive(write_back)
    assert (waiting.state, waiting.reason) == (S.UNCLEAR, Reason.CREDENTIALS_REJECTED)
    assert len(bench.open_problems()) == 1


# --- what ConnectWise makes of it --------------------------------------------------------------


def test_an_amount_that_was_capped_is_reported(bench: Bench) -> None:
    """Somebody pays between our look at the balance and our post."""
    bench.engine.switches.overpayment = "capped"
    write_back = bench.collect()
    transport = EngineTransport(bench.engine, wait=bench.clock.sleep)

    def pay_first(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            bench.people.record_payment(bench.invoice_id, Decimal("30.00"))
        return transport.handle_request(request)

    gateway = bench.world.gateway(httpx.MockTransport(pay_first))
    done = bench.drive(write_back, gateway=gateway)
    assert bench.amounts() == [Decimal("30.00"), Decimal("80.00")]
    assert (done.state, done.reason) == (S.CONFIRMED, Reason.PAYMENT_CHANGED)
    assert len(bench.open_problems()) == 1


def test_a_payment_that_replaced_another_is_reported(bench: Bench) -> None:
    bench.engine.switches.second_payment = "replaces"
    bench.people.record_payment(bench.invoice_id, Decimal("30.00"))
    done = bench.drive(bench.collect(5000))
    assert done.reason is Reason.OTHERS_REPLACED
    assert len(bench.open_problems()) == 1


def test_a_balance_that_lags_is_waited_for_before_the_status_is_set(bench: Bench) -> None:
    bench.engine.switches.balance_delay_seconds = 90
    write_back = bench.collect()
    waiting = bench.drive(write_back)
    assert waiting.wants_follow_up
    assert bench.status() == "New"
    done = bench.drive_when_due(write_back)
    assert done.has_ended
    assert bench.status() == "Paid in Full"
    assert bench.amounts() == [WHOLE]


def test_a_balance_that_lags_makes_no_room_for_a_second_payment(bench: Bench) -> None:
    bench.engine.switches.balance_delay_seconds = 90
    bench.drive(bench.collect(6000))
    second = bench.collect(6000, payment_id="pay-2")
    assert bench.drive(second).state is S.PENDING
    refused = bench.drive_when_due(second)
    assert (refused.state, refused.reason) == (S.MANUAL, Reason.OVERPAYMENT)
    assert bench.amounts() == [Decimal("60.00")]


def test_a_balance_that_never_follows_is_not_waited_for_forever(bench: Bench) -> None:
    bench.engine.switches.balance_delay_seconds = 24 * 3600
    done = bench.drive_when_due(bench.collect(), rounds=30)
    assert done.has_ended
    assert bench.status() == "New"


def test_a_balance_that_lags_is_waited_for_before_the_status_is_put_back(bench: Bench) -> None:
    write_back = bench.collect()
    bench.drive(write_back)
    bench.people.reopen_invoice(bench.invoice_id)
    bench.people.set_status(bench.invoice_id, "Paid in Full")
    bench.engine.switches.locked_invoice_payments = "accepted"
    bench.engine.switches.balance_delay_seconds = 90
    bench.undo()
    done = bench.drive_when_due(write_back)
    assert (done.state, done.has_ended) == (S.REVERSED, True)
    assert bench.status() == "New"


def test_other_peoples_payments_do_not_hold_the_status_up(bench: Bench) -> None:
    bench.people.record_payment(bench.invoice_id, Decimal("60.00"))
    done = bench.drive(bench.collect(5000))
    assert done.has_ended
    assert bench.status() == "Paid in Full"


# --- taking a payment out ----------------------------------------------------------------------


def done_by_hand(bench: Bench) -> WriteBack:
    write_back = bench.collect()
    by_hand = replace(write_back, state=S.DONE_BY_HAND, due_at=None)
    bench.ledger.save_write_back(by_hand, expected_version=1)
    return write_back


def test_what_was_entered_by_hand_is_taken_out_by_hand_however_often_it_is_driven(
    bench: Bench,
) -> None:
    write_back = done_by_hand(bench)
    bench.undo()
    for _ in range(3):
        waiting = bench.drive(write_back)
        assert (waiting.state, waiting.reason) == (S.MANUAL, Reason.REVERSE_BY_HAND)
    assert len(bench.open_problems()) == 1


def test_a_deletion_that_waits_for_an_answer_stays_due_though_a_follow_up_was_left(
    bench: Bench,
) -> None:
    write_back = bench.collect()
    confirmed_before_follow_up(bench, write_back)
    bench.undo()
    bench.fault(Effect.CUT_BEFORE_EFFECT, "DELETE")
    waiting = bench.drive(write_back)
    assert waiting.state is S.REVERSING
    assert waiting.due_at is not None
    assert bench.drive_when_due(write_back).state is S.REVERSED
    assert bench.rows() == []


def test_a_deletion_that_was_not_sent_stays_due_though_a_follow_up_was_left(bench: Bench) -> None:
    write_back = bench.collect()
    confirmed_before_follow_up(bench, write_back)
    bench.undo()
    bench.fault(Effect.STATUS_404_HTML, "DELETE")
    assert bench.drive(write_back).due_at is not None
    assert bench.drive_when_due(write_back).state is S.REVERSED
    assert bench.rows() == []


def confirmed_before_follow_up(bench: Bench, write_back: WriteBack) -> None:
    """The worker dies after the payment is confirmed and before it reads back."""
    bench.fault(Effect.TIMEOUT_BEFORE_EFFECT, "GET", skip=2, times=3)
    confirmed = bench.drive(write_back)
    assert (confirmed.state, confirmed.wants_follow_up) == (S.CONFIRMED, True)
    bench.engine.faults.clear()


def test_a_changed_payment_stays_with_a_person_though_a_follow_up_was_left(bench: Bench) -> None:
    write_back = bench.collect(5000)
    confirmed_before_follow_up(bench, write_back)
    (row,) = bench.rows()
    bench.engine.tenant.store[Kind.PAYMENT].put(row | {"amount": Decimal("40.00")})
    bench.undo()
    done = bench.drive_when_due(write_back)
    assert (done.state, done.reason) == (S.MANUAL, Reason.PAYMENT_CHANGED)
    assert len(bench.open_problems()) == 1


def test_a_payment_that_was_posted_unclearly_and_given_up_is_looked_for_before_it_is_gone(
    bench: Bench,
) -> None:
    """A person decides while the payment stands there unseen; then it is returned."""
    write_back = bench.collect()
    unclear = bench.lose_post(write_back)
    stored = bench.ledger.get_write_back(write_back.connection_id, write_back.write_back_id)
    manual = hand_over(unclear, Reason.TOO_MANY_POSTS)
    bench.ledger.save_write_back(manual, expected_version=stored.version)
    bench.wait(QUARANTINE_SECONDS)
    bench.undo()
    assert bench.drive_when_due(write_back).state is S.REVERSED
    assert bench.rows() == []


def test_a_copy_that_another_tool_made_is_not_passed_over(bench: Bench) -> None:
    write_back = bench.collect(5000)
    bench.drive(write_back)
    bench.people.rewrite_payments(bench.invoice_id)
    bench.wait(QUARANTINE_SECONDS)
    bench.undo()
    done = bench.drive_when_due(write_back)
    assert (done.state, done.reason) == (S.MANUAL, Reason.PAYMENT_REWRITTEN)
    assert bench.amounts() == [Decimal("50.00")]
    assert len(bench.open_problems()) == 1


def test_a_payment_that_is_not_listed_yet_is_not_taken_for_gone(bench: Bench) -> None:
    """It is returned within the seconds by which a list may lag behind a post."""
    write_back = bench.collect(5000)
    bench.drive(write_back)
    bench.undo()
    transport = EngineTransport(bench.engine, wait=bench.clock.sleep)

    def hide(request: httpx.Request) -> httpx.Response:
        answer = transport.handle_request(request)
        is_list = request.method == "GET" and request.url.path.endswith("/payments")
        return httpx.Response(200, json=[]) if is_list else answer

    waiting = bench.drive(write_back, gateway=bench.world.gateway(httpx.MockTransport(hide)))
    assert (waiting.state, waiting.has_ended) == (S.CONFIRMED, False)
    assert bench.drive_when_due(write_back).state is S.REVERSED
    assert bench.rows() == []


# --- another API member ------------------------------------------------------------------------


def test_a_payment_is_known_by_the_member_who_posted_it(bench: Bench) -> None:
    """The partner makes a new API member while the outcome of a post is unclear."""
    write_back = bench.lose_post(bench.collect())
    bench.save_connection(member_identifier="NewMember")
    done = bench.drive_when_due(write_back)
    assert (done.state, done.posts) == (S.CONFIRMED, 1)
    assert bench.amounts() == [WHOLE]


def test_a_payment_of_an_earlier_member_can_be_taken_out(bench: Bench) -> None:
    write_back = bench.collect(5000)
    bench.drive(write_back)
    bench.save_connection(member_identifier="NewMember")
    bench.undo()
    assert bench.drive_when_due(write_back).state is S.REVERSED
    assert bench.rows() == []


# --- what a person sees ------------------------------------------------------------------------


@pytest.fixture
def dying_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker dies before it can tell the problem list, once."""
    show, deaths = WriteBackProblems.show, iter([UnavailableError("killed")])

    def dying(problems: WriteBackProblems, write_back: WriteBack) -> None:
        if death := next(deaths, None):
            raise death
        show(problems, write_back)

    monkeypatch.setattr(WriteBackProblems, "show", dying)


@pytest.mark.usefixtures("dying_once")
def test_a_problem_that_a_dying_worker_left_unsaid_is_shown_by_the_next(bench: Bench) -> None:
    write_back = bench.collect(12000)
    with pytest.raises(UnavailableError):
        bench.drive(write_back)
    assert bench.stored(write_back).reason is Reason.OVERPAYMENT
    assert bench.open_problems() == []
    bench.drive(write_back)
    assert len(bench.open_problems()) == 1


def test_a_problem_that_is_over_is_resolved_though_the_worker_died(
    bench: Bench, request: pytest.FixtureRequest
) -> None:
    write_back = bench.collect()
    use_cases.write_back_problems(bench).show(replace(write_back, reason=Reason.OVERPAYMENT))
    request.getfixturevalue("dying_once")
    with pytest.raises(UnavailableError):
        bench.drive(write_back)
    assert len(bench.open_problems()) == 1
    bench.drive(write_back)
    assert bench.open_problems() == []


def test_a_refusal_by_a_closed_invoice_says_that_it_is_locked(bench: Bench) -> None:
    bench.lock_invoice()
    done = bench.drive(bench.collect())
    assert (done.state, done.reason, done.posts) == (S.REJECTED, Reason.INVOICE_LOCKED, 0)
    assert len(bench.open_problems()) == 1


def test_other_decimals_are_another_currency(bench: Bench) -> None:
    invoice = bench.engine.tenant.store[Kind.INVOICE].get(bench.invoice_id)
    assert invoice is not None
    currency = invoice["currency"] | {"numberOfDecimals": 3}
    bench.engine.tenant.store[Kind.INVOICE].put(invoice | {"currency": currency})
    done = bench.drive(bench.collect())
    assert (done.state, done.reason) == (S.MANUAL, Reason.CURRENCY_DIFFERS)
    assert bench.rows() == []


# --- what passes -------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["pending", "unclear", "confirmed"])
def test_whatever_comes_a_driven_write_back_is_not_due_at_once_again(
    bench: Bench, state: str
) -> None:
    """So that one tenant in trouble does not fill the list of what is due."""
    write_back = bench.collect()
    if state == "unclear":
        bench.fault(Effect.CUT_BEFORE_EFFECT, "POST")
        bench.drive(write_back)
        bench.wait(QUARANTINE_SECONDS)
    if state == "confirmed":
        confirmed_before_follow_up(bench, write_back)
        bench.wait(60)
    bench.fault(Effect.STATUS_500, "*", times=99)
    waiting = bench.drive(write_back)
    assert waiting.state is not S.MANUAL
    assert waiting.due_at is not None
    assert waiting.due_at >= bench.clock.now() + timedelta(seconds=60)
    bench.engine.faults.clear()
    assert bench.drive_when_due(write_back).state is S.CONFIRMED
    assert bench.amounts() == [WHOLE]


def test_a_failing_ledger_makes_no_post_twice(bench: Bench) -> None:
    write_back = bench.collect()

    class Failing(InMemoryLedgerStore):
        """It stops answering once the payment is posted."""

        def save_write_back(self, write_back: WriteBack, **step: Any) -> int:
            if write_back.state is S.CONFIRMED and bench.ledger is self:
                raise UnavailableError("down")
            return super().save_write_back(write_back, **step)

    bench.ledger.__class__ = Failing
    with pytest.raises(UnavailableError):
        bench.drive(write_back)
    waiting = bench.stored(write_back)
    assert waiting.state is S.POSTING
    assert waiting.due_at is not None
    assert waiting.due_at > bench.clock.now()
    bench.ledger.__class__ = InMemoryLedgerStore
    assert bench.drive_when_due(write_back).state is S.CONFIRMED
    assert bench.amounts() == [WHOLE]


# --- races -------------------------------------------------------------------------------------


def test_a_payment_returned_while_it_is_posted_is_known_by_its_id_and_taken_out(
    bench: Bench,
) -> None:
    write_back = bench.collect()
    transport = EngineTransport(bench.engine, wait=bench.clock.sleep)

    def undo_during_post(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            bench.undo()
        return transport.handle_request(request)

    gateway = bench.world.gateway(httpx.MockTransport(undo_during_post))
    after = bench.drive(write_back, gateway=gateway)
    assert after.target is Target.ABSENT
    assert after.psa_payment_id is not None
    assert bench.drive_when_due(write_back).state is S.REVERSED
    assert bench.rows() == []


def test_a_contended_lease_leaves_the_write_back_to_the_next_sweep(bench: Bench) -> None:
    write_back = bench.collect()

    class Contended(InMemoryLedgerStore):
        def take_lease(self, **_: Any) -> Lease:
            raise ConflictError("contended")

    bench.ledger.__class__ = Contended
    assert bench.drive(write_back).state is S.PENDING
    bench.ledger.__class__ = InMemoryLedgerStore
    assert bench.drive(write_back).state is S.CONFIRMED


def test_a_disconnected_write_back_that_moved_meanwhile_is_left_to_its_mover(
    bench: Bench,
) -> None:
    write_back = bench.collect()
    bench.save_connection(state=ConnectionState.DISCONNECTED)

    class Moving(InMemoryLedgerStore):
        def save_write_back(self, write_back: WriteBack, **step: Any) -> int:
            raise ConflictError("moved")

    bench.ledger.__class__ = Moving
    assert bench.drive(write_back).state is S.PENDING


def test_a_missing_right_is_shown(bench: Bench) -> None:
    role = bench.engine.tenant.role
    role.set_cell("Finance", "Accounting Interface", Action.ADD, "None")
    done = bench.drive(bench.collect())
    assert (done.state, done.reason) == (S.REJECTED, Reason.RIGHT_MISSING)
    assert bench.rows() == []
